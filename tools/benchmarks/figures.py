"""Image grids and perception-distortion plot of benchmark.py quality."""
import re
from pathlib import Path

import numpy as np

ZOOM = 4  # crops have a quarter of the shorter side
MARKERS = 'osv^D<>*Xph'
#: End of the name of a point on the curve of a model.
POINT = re.compile(r', (?:(\d+) calls?|crispness ([\d.]+))$')


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
        for i, (model, rows_of_model) in enumerate(grouped(points).items()):
            draw_model(axis, MARKERS[i % len(MARKERS)], model, x, y,
                       rows_of_model)
        axis.margins(0.1)
        axis.locator_params(axis='x', nbins=6)
        axis.legend(fontsize=8)
    save(figure, path)
    return True


def grouped(points: list) -> dict:
    """Return rows by model; rows named 'MODEL, N calls' are one model, and
    so are rows named 'MODEL, crispness S'."""
    models: dict = {}
    for row in points:
        point = POINT.search(row['model'])
        name = POINT.sub(', crispness' if point and point[2] else '',
                         row['model'])
        published = row['kind'] == 'published'
        models.setdefault(name + ' (published)' * published, []).append(row)
    return models


def draw_model(axis, marker: str, name: str, x: str, y: str,
               rows: list) -> None:
    """Draw the scores of a model, connected in the order of its rows."""
    axis.plot([row[x] for row in rows], [row[y] for row in rows],
              marker=marker, linewidth=1, markersize=8, label=name,
              fillstyle='none' if rows[0]['kind'] == 'published' else 'full')
    for row in rows:
        point = POINT.search(row['model'])
        if point:
            # published rows have their number of calls only in the name
            calls = row.get('network_calls', point[1])
            text = point[2] or f'{float(calls):g}'
            axis.annotate(text, (row[x], row[y]),
                          xytext=(5, 4), textcoords='offset points',
                          fontsize=7)


def panel(rows: list, task: str) -> tuple:
    """Return the two axes of the plot of a task and the rows that have both.

    DISTS replaces LPIPS if LPIPS was not measured, and NIQE replaces both.
    PSNR on luma replaces PSNR if the published scores use it. The input and
    results that are worse than it in both scores are left out, because they
    are so far away that the others would overlap.
    """
    own = [row for row in rows if row['task'] == task
           and row['kind'] != 'input']
    luma = any(row['kind'] == 'published' and 'PSNR_Y' in row for row in own)
    x = 'PSNR_Y' if luma else 'PSNR'
    y = next((key for key in ('LPIPS', 'DISTS') if any(
        row['kind'] == 'measured' and key in row for row in own)), 'NIQE')
    start = next((row for row in rows if row['task'] == task
                  and row['kind'] == 'input'), {})
    return x, y, [
        row for row in own if x in row and y in row and np.isfinite(row[x])
        and (row[x] >= start.get(x, -np.inf)
             or row[y] <= start.get(y, np.inf))]


def save(figure, path: Path) -> None:
    from irsde_mm.config.preview import pyplot
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot().close(figure)
