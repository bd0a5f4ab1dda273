"""Read and draw training logs."""
from pathlib import Path
from typing import Dict, List, Sequence

import pandas as pd

from irsde_mm.config.preview import pyplot
from irsde_mm.errors import ConfigError, DataError
from irsde_mm.io.plain_json import from_json

#: Values to draw by default, one panel each.
KEYS = ('loss', 'PSNR', 'SSIM', 'lr')
LOG = 'scalars.json'  # file of mmengine's LocalVisBackend


def find_logs(run: Path) -> List[Path]:
    """Return the log files of a run, oldest first.

    Args:
        run (Path): Work folder, which has one log for each start or resume of
            the training; a folder in it; or a log file.

    Raises:
        DataError: If there is no log.
    """
    if run.is_file():
        return [run]
    for pattern in (LOG, f'vis_data/{LOG}', f'*/vis_data/{LOG}'):
        found = sorted(run.glob(pattern))  # folders are named by time
        if found:
            return found
    raise DataError(f"'{run}' contains no training log (*/vis_data/{LOG})."
                    if run.is_dir() else f"'{run}' does not exist.")


def read_lines(path: Path) -> List[dict]:
    """Return the lines of one log, without a last line that a kill truncated.

    Raises:
        DataError: If a line is not from a log.
    """
    rows = []
    try:
        lines = path.read_text(encoding='utf-8', errors='replace')
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}."
                        ) from None
    for number, line in enumerate(lines.split('\n')[:-1], 1):
        try:
            row = from_json(line)
            row['step'] = int(row['step'])
        except (ValueError, TypeError, KeyError):
            raise DataError(f"'{path}', line {number} is not a log entry with "
                            f'a step: {line.strip()[:40]!r}.') from None
        rows.append(row)
    return rows


def read_run(run: Path) -> pd.DataFrame:
    """Return the log of a run as if it had never been interrupted.

    Iterations that were trained again, after a resume or a return to an
    earlier checkpoint, appear once, with the latest values.

    Args:
        run (Path): See :func:`find_logs`.

    Returns:
        DataFrame: One row per iteration and one column per value; missing
        values are NaN.

    Raises:
        DataError: If there is no log, or a line is not from a log.
    """
    rows: Dict[int, dict] = {}
    for path in find_logs(run):
        trained = 0
        for row in read_lines(path):
            step = row.pop('step')
            if 'lr' in row or 'iter' in row:
                trained = step
                rows = {s: r for s, r in rows.items() if s < step}
            else:
                # mmengine may log a validation with its epoch, which is 0
                step = max(step, trained)
            rows.setdefault(step, {}).update(row)
    if not rows:
        raise DataError(f"'{run}' has no log entries yet.")
    return pd.DataFrame.from_dict(rows, orient='index').sort_index()


def read_runs(runs: Sequence[str]) -> Dict[str, pd.DataFrame]:
    """Return logs by folder name, or by path for folders of the same name.

    Raises:
        DataError: If a run has no log, or a line is not from a log.
    """
    paths = [Path(run) for run in dict.fromkeys(runs)]
    names = [path.resolve().name for path in paths]
    return {name if names.count(name) == 1 else str(path): read_run(path)
            for name, path in zip(names, paths)}


def draw_runs(runs: Dict[str, pd.DataFrame], path: Path, *,
              keys: Sequence[str] = KEYS, smooth: int = 1):
    """Draw the curves of runs, one panel for each value that a run has.

    Args:
        runs: Logs from :func:`read_runs`.
        path (Path): File of the picture.
        keys: Values to draw. For several validation sets, the part after the
            name of the set.
        smooth (int): Number of logged values that the loss is averaged over,
            at least 1. The values themselves are drawn faintly.

    Returns:
        Figure: Matplotlib figure.

    Raises:
        ConfigError: If ``smooth`` is less than 1.
        DataError: If no run has any of the values.
    """
    if smooth < 1:
        raise ConfigError(f'--smooth must be at least 1, but is {smooth}.')
    panels = [key for key in keys
              if any(columns(log, key) for log in runs.values())]
    if not panels:
        there = sorted(set().union(*(log.columns for log in runs.values())))
        raise DataError(f'none of {", ".join(keys)} is logged; the logs have '
                        f'only {", ".join(there)}.')
    plt = pyplot()
    figure, axes = plt.subplots(
        1, len(panels), squeeze=False, figsize=(4.5 * len(panels), 3.5))
    for axis, key in zip(axes.flat, panels):
        draw_panel(axis, runs, key, smooth if 'loss' in key else 1)
    axes.flat[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return figure


def columns(log: pd.DataFrame, key: str) -> List[str]:
    """Return the columns of a value, including those of data sets
    ('Set5/PSNR') and optimizers ('generator.lr')."""
    return [name for name in log.columns
            if name == key or name.endswith((f'/{key}', f'.{key}'))]


def draw_panel(axis, runs: Dict[str, pd.DataFrame], key: str,
               smooth: int) -> None:
    """Draw one value of all runs, one color per run."""
    for i, (run, log) in enumerate(runs.items()):
        for name in columns(log, key):
            values, color = log[name].dropna(), f'C{i}'
            label = run if name == key else f'{run}: {name}'
            if smooth > 1:
                axis.plot(values.index, values, color=color, alpha=0.2)
                values = values.rolling(smooth, min_periods=1).mean()
            # points, because few values such as scores are hard to see
            axis.plot(values.index, values, color=color, label=label,
                      marker='.' if len(values) < 30 else None)
    axis.set_title(key)
    axis.set_xlabel('iteration')
    axis.grid(alpha=0.3)
