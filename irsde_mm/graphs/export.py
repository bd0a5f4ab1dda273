"""Export of a pipeline to a graph in one file."""
import copy
import json
import os
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.export import Dim

from ..errors import ConfigError, OutputError, missing_package
from ..inference import ImagePipeline, RestorationPipeline
from ..inference.memory import bytes_per_pixel
from ..io.files import replace
from ..model_files.cards import MAX_CARD
from ..networks import ProcessNetwork, RegressionNetwork
from .module import RestorationGraph
from .spec import GraphSpec
from .support import check_pipeline, choose_sampler, with_plain_hooks

#: Largest difference between the file and the model.
TOLERANCE = 1e-4


@dataclass
class ExportOptions:
    """Fixed settings of a graph.

    Args:
        format (str): 'onnx' or 'torch'.
        sampler, steps: See :meth:`RestorationPipeline.choose_sampler`.
        crispness (float, optional): See
            :meth:`RestorationPipeline.restore_batch`.
        sigma (float, optional): Noise level of the photos in [0, 1], for a
            process that starts there.
        size (tuple[int, int], optional): Height and width of the photos; by
            default, any.
        half (bool): Whether to store the weights of an ONNX file in float16.
            They are converted to float32 when the file is loaded.
    """
    format: str = 'onnx'
    sampler: Any = None
    steps: Optional[int] = None
    crispness: Optional[float] = None
    sigma: Optional[float] = None
    size: Optional[Tuple[int, int]] = None
    half: bool = False


def export_graph(pipeline: ImagePipeline, path: Path,
                 options: ExportOptions) -> Tuple[GraphSpec, float]:
    """Export a pipeline to a file and compare the file with it.

    Args:
        pipeline (ImagePipeline): The model, on the CPU.
        path (Path): The file, which must not exist.
        options (ExportOptions): The settings.

    Returns:
        (spec, difference): The description in the file, and the largest
        difference of a pixel in [0, 1] between file and pipeline, on noise
        images.

    Raises:
        ConfigError: If a component or setting cannot be exported, or the
            file differs from the pipeline.
        OutputError: If the file cannot be written.
    """
    pipeline = with_plain_hooks(pipeline)
    check_pipeline(pipeline, options)
    pipeline = with_sigma(pipeline, options.sigma)
    sampler = choose_sampler(pipeline, options)
    build = partial(RestorationGraph, pipeline, sampler, options.crispness)
    try:
        graph = build().eval()
    except ValueError as error:
        raise ConfigError(str(error)) from error
    spec = describe(pipeline, graph, options, sampler)
    write = write_onnx if options.format == 'onnx' else write_torch
    draft = path.with_name(f'.{path.name}.{os.getpid()}.part{path.suffix}')
    try:
        write(draft, graph, build, spec, options)
        difference = compare(draft, graph, spec)
        if difference > TOLERANCE and not options.half:
            raise ConfigError(
                'the exported graph differs from the model by '
                f'{difference:.1e}, more than {TOLERANCE:.0e}: it is not '
                'written. Please report this model and these options.')
        if path.exists():  # made in the meantime
            raise OutputError(f"'{path}' exists and is not overwritten.")
        replace(draft, path)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write '{path}': "
                          f'{error.strerror or error}.') from error
    finally:
        draft.unlink(missing_ok=True)
    return spec, difference


def with_sigma(pipeline: RestorationPipeline,
               sigma: Optional[float]) -> RestorationPipeline:
    """Return a copy of a pipeline for photos of a known noise level."""
    pipeline = copy.copy(pipeline)
    if sigma is not None:
        pipeline.sigma = sigma
    return pipeline


def describe(pipeline: RestorationPipeline, graph: RestorationGraph,
             options: ExportOptions, sampler: Any) -> GraphSpec:
    """Return the description of a graph for its file."""
    network = pipeline.network
    image = torch.zeros(1, network.in_channels, 256, 256)
    cost = bytes_per_pixel(network, partial(network, t=1), (image, image))
    height, width = options.size or (None, None)
    draws = graph.dial.draws if graph.dial else 1
    return GraphSpec(
        channels=pipeline.channels, scale=pipeline.upscale,
        draws=graph.count_draws(), calls=draws * len(graph.times),
        seed=pipeline.seed, bytes_per_pixel=round(cost, 1), height=height,
        width=width, texts=texts_of(pipeline, sampler, options))


def texts_of(pipeline: RestorationPipeline, sampler: Any,
             options: ExportOptions) -> Dict[str, str]:
    """Return title, license, model card and settings of a pipeline."""
    fixed = dict(
        sampler=type(sampler).__name__, steps=sampler.num_steps, **{
            key: value for key, value in vars(sampler).items()
            if isinstance(value, (int, float, str)) and key != 'num_steps'},
        crispness=pipeline.crispness if options.crispness is None
        else options.crispness, sigma=pipeline.sigma,
        weights='float16' if options.half else 'float32')
    texts = dict(sampling=json.dumps(fixed))
    origin = pipeline.origin
    if origin is None:
        return dict(texts, title=pipeline.name, licence='not given')
    card = origin.card
    if card.is_file() and card.stat().st_size <= MAX_CARD:
        texts['card'] = card.read_text(encoding='utf-8')
    return dict(
        texts, **origin.texts, pipeline=json.dumps(origin.settings),
        settings=json.dumps(origin.training))


def example(spec: GraphSpec, height: int, width: int,
            seed: int = 0) -> Dict[str, Tensor]:
    """Return inputs of a graph by name: a noise image, and noise."""
    generator = torch.Generator().manual_seed(seed)
    inputs = dict(image=torch.rand(1, spec.channels, height, width,
                                   generator=generator))
    if spec.draws:
        inputs['noise'] = torch.randn(
            spec.draws, 1, spec.channels, spec.scale * height,
            spec.scale * width, generator=generator)
    return inputs


def example_sizes(graph: RestorationGraph,
                  spec: GraphSpec) -> List[Tuple[int, int]]:
    """Return sizes (height, width) for tracing and comparing a graph."""
    if spec.height is not None:
        return [(spec.height, spec.width)]
    d = graph.pipeline.network.divisor
    return [(2 * d + 5, 3 * d + 3), (4 * d, 2 * d), (1, d + 1)]


def shapes_of(spec: GraphSpec) -> Optional[Dict[str, dict]]:
    """Return the dynamic shapes of the inputs, None for fixed ones."""
    if spec.height is not None:
        return None
    shapes = dict(image={2: Dim.DYNAMIC, 3: Dim.DYNAMIC})
    if spec.draws:
        shapes['noise'] = {3: Dim.DYNAMIC, 4: Dim.DYNAMIC}
    return shapes


def write_onnx(path: Path, graph: RestorationGraph,
               build: Callable[..., RestorationGraph], spec: GraphSpec,
               options: ExportOptions) -> None:
    """Write an ONNX file."""
    from .onnx_export import call_function, halve_weights, to_onnx
    try:
        import onnx
    except ImportError as error:
        raise missing_package(error) or error from error
    networks = {name: process_network(network)
                for name, network in graph.networks.items()}
    model = to_onnx(
        build(features=call_function).eval(),
        example(spec, *example_sizes(graph, spec)[0]), shapes_of(spec),
        {name: network for name, network in networks.items()
         if network is not None})
    if options.half:
        halve_weights(model)
    onnx.helper.set_model_props(model, spec.metadata())
    model.producer_name, model.doc_string = 'irsde_mm', spec.texts['title']
    path.write_bytes(model.SerializeToString())


def process_network(network: nn.Module) -> Optional[nn.Module]:
    """Return the network that is exported as a function, or None."""
    if isinstance(network, RegressionNetwork):
        network = network.network
    return network if isinstance(network, ProcessNetwork) else None


def write_torch(path: Path, graph: RestorationGraph,
                build: Callable[..., RestorationGraph], spec: GraphSpec,
                options: ExportOptions) -> None:
    """Write a .pt2 file."""
    from .torch_runner import EXTRA
    inputs = example(spec, *example_sizes(graph, spec)[0])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # about views among the weights
        program = torch.export.export(graph, tuple(inputs.values()),
                                      dynamic_shapes=shapes_of(spec))
        if spec.height is None:
            admit_any_size(program)
        torch.export.save(program, path, extra_files={
            EXTRA: json.dumps(spec.metadata())})


def admit_any_size(program: torch.export.ExportedProgram) -> None:
    """Remove the conditions on sizes that tracing recorded.

    They hold for the strides of the example, and exclude sizes below and
    multiples of the divisor. The operations do not depend on them, as
    :func:`compare` confirms for the file.
    """
    program._guards_code = []
    for symbol, values in program.range_constraints.items():
        program.range_constraints[symbol] = type(values)(1, values.upper)


def compare(path: Path, graph: RestorationGraph, spec: GraphSpec) -> float:
    """Return the largest difference between a file and its module."""
    from .runner import open_graph
    runner, difference = open_graph(str(path)), 0.
    for i, size in enumerate(example_sizes(graph, spec)):
        inputs = example(spec, *size, seed=i)
        found = runner.run({key: x.numpy() for key, x in inputs.items()})
        with torch.no_grad():
            wanted = graph(**inputs)
        difference = max(difference, float(
            (torch.from_numpy(found) - wanted).abs().max()))
    return difference
