"""Preview images of the training and test data."""
from pathlib import Path
from typing import List, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import ConfigError, DataError, OutputError
from ..io.grids import to_rgb
from ..io.photos import prepare_folder
from ..models.restorers.unused import trains_on_inputs
from ..registry import DIFFUSION_SCHEDULERS
from ..sde import SDE
from ..sde.arithmetic import draw_noise
from .parts import config_scope, dataloaders

PER_ROW = 3  # image pairs in a row
FORMATS = ('.png', '.jpg', '.jpeg', '.pdf', '.svg')


def new_picture(path: str) -> Path:
    """Return the path of a new image file and create its folder.

    Raises:
        ConfigError: If the file extension is not supported.
        OutputError: If the file exists or the folder cannot be created.
    """
    out = Path(path)
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out must end in .png, .jpg, .pdf or .svg, but "
                          f"got '{out}'.")
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    prepare_folder(out.parent)
    return out


def pyplot():
    """Return matplotlib's pyplot with a backend that needs no display."""
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    return plt


def describe(image: Tensor) -> str:
    """Return the size and value range of an image as seen in training."""
    return (f'{image.shape[-1]}x{image.shape[-2]}, {image.min():.4g} to '
            f'{image.max():.4g}')


def draw_pairs(items: Sequence[dict], path: Path,
               seen: Sequence[Tuple[str, Tensor]] = ()) -> None:
    """Plot degraded images next to the clean ones.

    The title of each image gives its size and value range (0..255).

    Args:
        items: Samples from ``PackInputs``, at least one.
        path: File to write.
        seen: Images to draw instead of the degraded ones: a label and an
            image (C, H, W), BGR or gray in 0..255, for each sample.

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
    seen = seen or [('mu', item['inputs']) for item in items]
    for place, (item, shown) in enumerate(zip(items, seen)):
        sample = item['data_samples']
        name = Path(str(sample.get('gt_path', sample.get('img_path')))).name
        for side, (label, image) in enumerate(
                (shown, ('x0', sample.gt_img))):
            axis = axes[place // PER_ROW, 2 * (place % PER_ROW) + side]
            axis.imshow(to_rgb(image), interpolation='nearest')
            axis.set_title(f'{label}: {describe(image)}\n{name[-36:]}',
                           fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def draw_dataset(cfg, phase: str, path: Path, number: int) -> list:
    """Plot samples spread evenly over a config's dataset.

    Each degraded image is drawn next to the clean one. For the training data
    of a model that does not see the degraded images, states of its process
    are drawn instead.

    Args:
        cfg (Config): The config.
        phase (str): 'train', 'val' or 'test'. If there are several datasets,
            the first one is used.
        path (Path): File to write.
        number (int): Maximum number of samples.

    Returns:
        list: The samples.
    """
    from mmengine.registry import DATASETS
    loader = dataloaders(cfg, phase)[0]
    with config_scope(cfg):
        dataset = DATASETS.build(loader['dataset'])
    number = min(number, len(dataset))
    items = [dataset[i * len(dataset) // number] for i in range(number)]
    seen = []
    if phase == 'train' and not trains_on_inputs(cfg.model):
        seen = noisy_states(DIFFUSION_SCHEDULERS.build(cfg.model.sde), items)
    draw_pairs(items, path, seen)
    return items


def noisy_states(sde: SDE, items: Sequence[dict]) -> List[Tuple[str, Tensor]]:
    """Return noisy states as used in training an unconditional model.

    There is one state for each sample; their times are spread over the
    process.

    Args:
        sde (SDE): A process that ignores ``mu``.
        items: Samples from ``PackInputs``.

    Returns:
        list[tuple[str, Tensor]]: Labels and images as in :func:`draw_pairs`.
    """
    seen, generator = [], torch.Generator().manual_seed(0)
    for i, item in enumerate(items, 1):
        t = max(sde.num_steps * i // len(items), 1)
        x0 = sde.from_image(item['data_samples'].gt_img[None] / 255.)
        xt = sde.perturb(x0, None, t, draw_noise(x0, generator))
        seen.append((f'x_t, t = {t}', 255 * sde.to_image(xt)[0]))
    return seen
