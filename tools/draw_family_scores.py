"""Draw the scores of the processes in docs/family.md by number of network
calls: python tools/draw_family_scores.py work_dirs/family_study/results.json
"""
import argparse
import json
from pathlib import Path
from typing import Dict, List, Tuple

from irsde_mm.commands import cli

PICTURE = (Path(__file__).resolve().parents[1] / 'docs' / 'images'
           / 'family_scores.png')
#: Results with a higher LPIPS are left out: single calls of noise outputs.
WORST = 0.8
STYLES = dict(x0='-', paper=':')
Curves = Dict[Tuple[str, str], List[tuple]]


def curves(results: List[dict], task: str) -> Curves:
    """Return the points (PSNR, LPIPS, calls) of each process and output."""
    found: Curves = {}
    for row in results:
        if row['task'] == task and row['LPIPS'] < WORST:
            name, _, rest = row['model'].partition(', ')
            output = rest.partition(', ')[0]
            found.setdefault((name, output), []).append((
                row['PSNR'], row['LPIPS'], round(row.get('network_calls', 0))))
    return found


def draw(results: List[dict]):
    """Return the figure."""
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    tasks = list(dict.fromkeys(row['task'] for row in results))
    figure, axes = plt.subplots(
        1, len(tasks), figsize=(6 * len(tasks), 5), layout='constrained',
        squeeze=False)
    colors: Dict[str, str] = {}
    for axis, task in zip(axes[0], tasks):
        for (name, output), points in curves(results, task).items():
            psnr, lpips, calls = zip(*points)
            if output not in STYLES:  # input and regression
                axis.plot(psnr, lpips, 'k' + ('x' if name == 'input' else '*'),
                          label=name, markersize=9)
                continue
            color = colors.setdefault(name, f'C{len(colors)}')
            axis.plot(psnr, lpips, f'o{STYLES[output]}', color=color,
                      label=f'{name}, {output}', markersize=3, linewidth=1.2)
            for x, y, number in points[::len(points) - 1 or 1]:
                axis.annotate(number, (x, y), (3, 3), fontsize=7,
                              textcoords='offset points', color=color)
        axis.set_title(task)
        axis.set_xlabel('PSNR, dB (higher is better)')
        axis.set_ylabel('LPIPS (lower is better)')
        axis.grid(alpha=0.3)
    entries = {label: line for axis in axes[0] for line, label in zip(
        *axis.get_legend_handles_labels())}
    figure.legend(entries.values(), entries.keys(), ncols=6, fontsize=8,
                  loc='outside lower center')
    return figure


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('results', help='results.json of benchmark.py quality '
                        '--suite tools/benchmarks/family.py')
    parser.add_argument('--out', default=str(PICTURE), metavar='FILE.png',
                        help='picture to write (default: that of the page)')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.errors import DataError
    try:
        results = json.loads(Path(args.results).read_text())['results']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"'{args.results}' is not the results.json of "
                        f'benchmark.py quality: {error}.') from error
    draw(results).savefig(args.out, dpi=90, pil_kwargs=dict(optimize=True))
    print(args.out)


if __name__ == '__main__':
    cli.run(main, parser())
