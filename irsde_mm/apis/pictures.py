"""Pictures of data for people to look at."""
from pathlib import Path
from typing import Sequence

from torch import Tensor

from ..errors import ConfigError, DataError, OutputError
from ..visualization import to_rgb
from .images import prepare_folder

PER_ROW = 3  # pairs beside each other
FORMATS = ('.png', '.jpg', '.jpeg', '.pdf', '.svg')


def new_picture(path: str) -> Path:
    """Where a picture is going to lie, with its folder.

    Raises:
        ConfigError: If the name has no ending of a picture.
        OutputError: If it exists or the folder cannot be made.
    """
    out = Path(path)
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out must end in .png, .jpg, .pdf or .svg, "
                          f"unlike '{out}'.")
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    prepare_folder(out.parent)
    return out


def pyplot():
    """Matplotlib without a screen."""
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    return plt


def describe(image: Tensor) -> str:
    """Size and range of an image, as training sees it."""
    return (f'{image.shape[-1]}x{image.shape[-2]}, {image.min():.4g} to '
            f'{image.max():.4g}')


def draw_pairs(items: Sequence[dict], path: Path) -> None:
    """Degraded beside clean images with their sizes and ranges (0..255).

    Args:
        items: Samples as ``PackInputs`` leaves them, at least one.
        path: The picture's file.

    Raises:
        DataError: If a sample has no clean image.
    """
    if any('gt_img' not in item['data_samples'] for item in items):
        raise DataError('the samples have no clean image (gt) to show.')
    plt = pyplot()
    rows = -(-len(items) // PER_ROW)
    columns = min(len(items), PER_ROW)
    h, w = items[0]['data_samples'].gt_img.shape[-2:]
    figure, axes = plt.subplots(rows, 2 * columns, squeeze=False, figsize=(
        6 * columns, (3 * min(h / w, 2) + 0.4) * rows))
    for axis in axes.flat:
        axis.axis('off')
    for item, place in zip(items, range(len(items))):
        sample = item['data_samples']
        name = Path(str(sample.get('gt_path', sample.get('img_path')))).name
        for side, (label, image) in enumerate(
                (('mu', item['inputs']), ('x0', sample.gt_img))):
            axis = axes[place // PER_ROW, 2 * (place % PER_ROW) + side]
            axis.imshow(to_rgb(image), interpolation='nearest')
            axis.set_title(f'{label}: {describe(image)}\n{name[-36:]}',
                           fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def draw_dataset(cfg, phase: str, path: Path, number: int) -> list:
    """Draws samples of a config's dataset, spread over it.

    Args:
        cfg (Config): The config.
        phase (str): 'train', 'val' or 'test' (the first of several sets).
        path (Path): The picture's file.
        number (int): How many samples at most.

    Returns:
        list: The samples.
    """
    from mmengine.registry import DATASETS, DefaultScope
    loader = cfg[f'{phase}_dataloader']
    loader = loader[0] if isinstance(loader, list) else loader
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        dataset = DATASETS.build(loader['dataset'])
    number = min(number, len(dataset))
    items = [dataset[i * len(dataset) // number] for i in range(number)]
    draw_pairs(items, path)
    return items
