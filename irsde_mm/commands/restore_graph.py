"""Restore photos with an exported graph, whose settings are fixed."""
import argparse
from typing import Any, Dict, Iterator

from . import cli

#: Options of restore that do not change what is fixed in a graph.
FREE = ('inputs', 'out', 'model', 'seed', 'samples', 'compare', 'force',
        'white', 'max_pixels', 'debug')


def check_options(args: argparse.Namespace,
                  defaults: Dict[str, Any]) -> None:
    """Reject options that a graph cannot follow.

    Args:
        args (Namespace): The options of restore.
        defaults (dict): Their values if they are not given.

    Raises:
        ConfigError: Naming these options.
    """
    from ..errors import ConfigError
    given = cli.given_options(args, defaults, FREE)
    if given:
        raise ConfigError(
            f"{', '.join(given)} cannot be used with '{args.model}', an "
            'exported graph whose settings are fixed and which restores '
            'photos whole on the CPU; see irsde export.')


def restored_by_graph(args: argparse.Namespace,
                      defaults: Dict[str, Any]) -> Iterator[Any]:
    """Return the results of the photos, without importing torch for ONNX.

    Args:
        args, defaults: See :func:`check_options`.

    Raises:
        ConfigError, CheckpointError: If an option does not apply, or the file
            cannot be used.
    """
    check_options(args, defaults)
    from ..errors import ConfigError
    from ..io.finding_clips import split_inputs
    clips, photos = split_inputs(args.inputs, args.video)
    if clips:
        raise ConfigError(f"'{args.model}' is an exported graph, which "
                          'restores photos only, not clips.')
    from ..graphs.inferencer import GraphInferencer
    return GraphInferencer(args.model).stream(
        photos, seed=args.seed, samples=args.samples,
        compare=args.compare, out_dir=args.out, max_pixels=args.max_pixels,
        white=args.white, force=args.force)
