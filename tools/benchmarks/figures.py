"""Image grids and perception-distortion plot of benchmark.py quality."""
from pathlib import Path

import numpy as np

ZOOM = 4  # crops have a quarter of the shorter side
MARKERS = 'osv^D<>*Xph'


def draw_grid(results: dict, path: Path) -> None:
    """Draw input | each model | clean, and a crop below each image.

    Args:
        results (dict): Results of one task by model, at least one.
        path (Path): File of the picture.
    """
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    columns = ['input', *results, 'clean']
    rows = {number: [plt.imread(file) for file in files]
            for number, files in files_of(results).items()}
    heights = [height for pictures in rows.values() for height in
               (pictures[-1].shape[0] / pictures[-1].shape[1], 1)]
    figure, axes = plt.subplots(
        len(heights), len(columns), squeeze=False, height_ratios=heights,
        figsize=(3 * len(columns), 3 * sum(heights) + 0.5 * len(rows)))
    for row, (number, pictures) in enumerate(rows.items()):
        x, y, side = place(pictures[0], pictures[-1])
        for column, picture in enumerate(pictures):
            whole, crop = axes[2 * row:2 * row + 2, column]
            whole.imshow(picture)
            whole.add_patch(plt.Rectangle((x, y), side, side, fill=False,
                                          color='red'))
            whole.set_title(caption(columns[column], results, number),
                            fontsize=9)
            crop.imshow(picture[y:y + side, x:x + side])
    for axis in axes.flat:
        axis.axis('off')
    save(figure, path)


def files_of(results: dict) -> dict:
    """Return the files of input, results and clean image, by position of the
    image in the data set."""
    first = next(iter(results.values()))['pictures']
    return {number: [path.with_name(f'input_{number}.png'), *(
        result['pictures'][number] for result in results.values()),
        path.with_name(f'clean_{number}.png')]
        for number, path in first.items()}


def place(degraded: np.ndarray, clean: np.ndarray) -> tuple:
    """Return x, y and side of the window where two images differ most."""
    import cv2
    side = max(min(clean.shape[:2]) // ZOOM, 1)
    if degraded.shape != clean.shape:
        return 0, 0, side
    means = cv2.boxFilter(np.abs(degraded - clean).mean(axis=2), -1,
                          (side, side), anchor=(0, 0))
    inside = means[:clean.shape[0] - side + 1, :clean.shape[1] - side + 1]
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return int(x), int(y), side


def caption(name: str, results: dict, number: int) -> str:
    """Return the name of a column, with the scores of an image."""
    result = results.get(name) or next(iter(results.values()))
    prefix = '' if name in results else 'input_'
    scores = result['images'][number]
    if name == 'clean':
        return f"clean ({scores['image']})"
    return '\n'.join([name, ', '.join(
        f'{key} {scores[prefix + key]:.{digits}f}'
        for key, digits in (('PSNR', 2), ('LPIPS', 3), ('DISTS', 3))
        if prefix + key in scores)])


def draw_plot(rows: list, path: Path) -> bool:
    """Plot PSNR against LPIPS, DISTS or NIQE, one panel per task.

    Returns:
        bool: False if there was nothing to draw.
    """
    from irsde_mm.config.preview import pyplot
    panels = {task: panel(rows, task)
              for task in dict.fromkeys(row['task'] for row in rows)}
    panels = {task: found for task, found in panels.items() if found[2]}
    if not panels:
        path.unlink(missing_ok=True)
        return False
    figure, axes = pyplot().subplots(1, len(panels), squeeze=False,
                                     figsize=(5 * len(panels), 4))
    for axis, (task, (x, y, points)) in zip(axes[0], panels.items()):
        axis.set(title=task, xlabel=f'{x.replace("_", "-")}, dB (higher is '
                 'better)', ylabel=f'{y} (lower is better)')
        for i, row in enumerate(points):
            published = row['kind'] == 'published'
            axis.plot(row[x], row[y], linestyle='', markersize=9,
                      marker=MARKERS[i % len(MARKERS)],
                      fillstyle='none' if published else 'full',
                      label=row['model'] + ' (published)' * published)
        axis.margins(0.1)
        axis.legend(fontsize=8)
    save(figure, path)
    return True


def panel(rows: list, task: str) -> tuple:
    """Return the two axes of the plot of a task and the rows that have both.

    DISTS replaces LPIPS if LPIPS was not measured, and NIQE replaces both.
    PSNR on luma replaces PSNR if the published scores use it. The input is
    left out, because it is so far away that the models would overlap.
    """
    own = [row for row in rows if row['task'] == task
           and row['kind'] != 'input']
    luma = any(row['kind'] == 'published' and 'PSNR_Y' in row for row in own)
    x = 'PSNR_Y' if luma else 'PSNR'
    y = next((key for key in ('LPIPS', 'DISTS') if any(
        row['kind'] == 'measured' and key in row for row in own)), 'NIQE')
    return x, y, [row for row in own if x in row and y in row
                  and np.isfinite(row[x])]


def save(figure, path: Path) -> None:
    from irsde_mm.config.preview import pyplot
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot().close(figure)
