"""Report of benchmark.py quality: tables, grids and plot."""
import math
from pathlib import Path

from irsde_mm.io.plain_json import to_json

from .suite import SCORES, file_name, write_text

# column: heading, number of decimals
FORMATS = dict(
    PSNR=('PSNR', 2), SSIM=('SSIM', 4), PSNR_Y=('PSNR-Y', 2),
    SSIM_Y=('SSIM-Y', 4), LPIPS=('LPIPS', 4), DISTS=('DISTS', 4),
    FID=('FID', 2), NIQE=('NIQE', 2), parameters=('parameters, M', 2),
    network_calls=('network calls', 1),
    seconds_per_megapixel=('s / megapixel', 2))
KINDS = dict(input='degraded', measured='', published='published')


def write_report(suite: dict, tasks: dict, problems: list, out: Path) -> None:
    """Write all files of the report.

    Args:
        suite (dict): Suite from :func:`read_suite`.
        tasks (dict): Results by task and model.
        problems (list): Entries that were not run, with reasons.
        out (Path): Folder of the report.
    """
    import pandas as pd
    from .figures import draw_grid, draw_plot
    rows = [row for name, results in tasks.items()
            for row in rows_of(name, suite['tasks'][name], results)]
    table = pd.DataFrame(rows, columns=[
        'task', 'model', 'kind', *FORMATS, 'device', 'images', 'source'])
    counts = dict.fromkeys(('parameters', 'images'), 'Int64')
    write_text(out / 'results.csv', table.astype(counts).to_csv(index=False))
    write_text(out / 'results.json', to_json(
        dict(suite=suite['name'], results=rows, not_run=problems),
        indent=1) + '\n')
    grids = {}
    for name, results in tasks.items():
        if results:
            grids[name] = f'grid_{file_name(name)}.png'
            draw_grid(results, out / grids[name])
    plot = draw_plot(rows, out / 'perception_distortion.png')
    write_text(out / 'table.md', markdown(suite, rows, problems, grids, plot))


def rows_of(name: str, task: dict, results: dict) -> list:
    """Return the rows of a task: its input, then the measured and published
    scores of each model."""
    rows = []
    for model, entry in task['models'].items():
        if model in results:
            result = results[model]
            common = dict(task=name, images=len(result['images']))
            if not rows:
                rows.append(dict(
                    common, model='input', kind='input',
                    **{key.removeprefix('input_'): value
                       for key, value in without_nan(result['scores']).items()
                       if key.startswith('input_')}))
            rows.append(dict(
                common, model=model, kind='measured',
                **{key: value for key, value in without_nan(
                    result['scores']).items() if key in SCORES},
                **{key: result[key] for key in (
                    'parameters', 'network_calls', 'seconds_per_megapixel',
                    'device')}))
        if 'published' in entry:
            rows.append(dict(task=name, model=model, kind='published',
                             **entry['published']))
    return rows


def without_nan(scores: dict) -> dict:
    return {key: value for key, value in scores.items()
            if not math.isnan(value)}


def markdown(suite: dict, rows: list, problems: list, grids: dict,
             plot: bool) -> str:
    """Return the report as Markdown."""
    lines = [f"# {suite['name']}", '']
    for name, task in suite['tasks'].items():
        data = ', '.join(f'{key} {value}'
                         for key, value in task['data'].items())
        lines += [f'## {name}', '', f'Test set: {data or "none"}.', '']
        own = [row for row in rows if row['task'] == name]
        lines += table_lines(own) if own else []
        lines += notes(own)
        if name in grids:
            lines += ['', f'![input, models, clean]({grids[name]})']
        lines.append('')
    if plot:
        lines += ['![perception against distortion]'
                  '(perception_distortion.png)', '']
    if problems:
        lines += ['## Not run', '', *(
            '- {task} / {what}: {why}'.format(**p) for p in problems), '']
    return '\n'.join(lines)


def table_lines(rows: list) -> list:
    heads = ['model', '', *(head for head, _ in FORMATS.values())]
    lines = [heads, ['---', '---', *['---:'] * len(FORMATS)]]
    for row in rows:
        lines.append([cell(row['model']), KINDS[row['kind']], *(
            number(row, key) for key in FORMATS)])
    return [f'| {" | ".join(line)} |' for line in lines] + ['']


def cell(text: str) -> str:
    return str(text).replace('|', '\\|').replace('\n', ' ')


def number(row: dict, key: str) -> str:
    if key not in row:
        return '-'
    value = row[key] / 1e6 if key == 'parameters' else row[key]
    return f'{value:.{FORMATS[key][1]}f}'


def notes(rows: list) -> list:
    """Return the sources of the scores, and the missing scores."""
    lines = [f'- {row["model"]}, published: {row["source"]}; not measured '
             'here.' for row in rows if row['kind'] == 'published']
    measured = [row for row in rows if row['kind'] == 'measured']
    if not measured:
        return lines
    missing = [key for key in SCORES
               if not any(key in row for row in measured)]
    devices = dict.fromkeys(row['device'] for row in measured)
    lines.append(f'- {measured[0]["images"]} images; seconds are medians over '
                 f'the images, on {" and ".join(devices)}.')
    if missing:
        lines.append(f'- {", ".join(missing)}: not measured, because weights '
                     'are missing or the images are too small or too few.')
    return lines
