"""What training logged, read and drawn."""
from pathlib import Path
from typing import Dict, List, Sequence

import pandas as pd

from irsde_mm.config.preview import pyplot
from irsde_mm.errors import ConfigError, DataError
from irsde_mm.io.plain_json import from_json

#: What is drawn unless it is said otherwise, a panel each.
KEYS = ('loss', 'PSNR', 'SSIM', 'lr')
LOG = 'scalars.json'  # what mmengine's LocalVisBackend writes


def find_logs(run: Path) -> List[Path]:
    """The log files of a run, the oldest first.

    Args:
        run (Path): A work folder, which has one for each time that training
            was started or resumed; a folder in it; or a file.

    Raises:
        DataError: If there is none.
    """
    if run.is_file():
        return [run]
    for pattern in (LOG, f'vis_data/{LOG}', f'*/vis_data/{LOG}'):
        found = sorted(run.glob(pattern))  # folders are named by time
        if found:
            return found
    raise DataError(f"'{run}' has no log of a training in it (*/vis_data/"
                    f'{LOG}).' if run.is_dir() else f"'{run}' does not exist.")


def read_lines(path: Path) -> List[dict]:
    """The lines of one log. A last one without an end, as a kill leaves it,
    is left out.

    Raises:
        DataError: If a line is none of a log.
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
            raise DataError(f"'{path}', line {number} is no line of a log "
                            f'with a step: {line.strip()[:40]!r}.') from None
        rows.append(row)
    return rows


def read_run(run: Path) -> pd.DataFrame:
    """Everything that a run logged, as if it had never been interrupted.

    What was logged and then trained again, after a resume or a return to an
    earlier checkpoint, is there once, as it was the last time.

    Args:
        run (Path): See :func:`find_logs`.

    Returns:
        DataFrame: A row an iteration, a column a value; missing ones NaN.

    Raises:
        DataError: If there is no log, or a line is none.
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
                # mmengine may log a validation with its epoch, 0 for ours
                step = max(step, trained)
            rows.setdefault(step, {}).update(row)
    if not rows:
        raise DataError(f"nothing is logged in '{run}' yet.")
    return pd.DataFrame.from_dict(rows, orient='index').sort_index()


def read_runs(runs: Sequence[str]) -> Dict[str, pd.DataFrame]:
    """Logs by the names of their folders, or by their paths where two have
    the same name.

    Raises:
        DataError: If a run has no log, or a line is none.
    """
    paths = [Path(run) for run in dict.fromkeys(runs)]
    names = [path.resolve().name for path in paths]
    return {name if names.count(name) == 1 else str(path): read_run(path)
            for name, path in zip(names, paths)}


def draw_runs(runs: Dict[str, pd.DataFrame], path: Path, *,
              keys: Sequence[str] = KEYS, smooth: int = 1):
    """Curves of runs, a panel for each value that at least one of them has.

    Args:
        runs: What :func:`read_runs` gives.
        path (Path): The picture's file.
        keys: The values. One of several validation sets is found by the part
            after its set's name.
        smooth (int): The loss is averaged over so many logged values, at
            least 1; each value is drawn faintly behind.

    Returns:
        Figure: Matplotlib's.

    Raises:
        ConfigError: If ``smooth`` is less than 1.
        DataError: If no run has any of the values.
    """
    if smooth < 1:
        raise ConfigError(f'the loss cannot be averaged over {smooth} values: '
                          'at least 1.')
    panels = [key for key in keys
              if any(columns(log, key) for log in runs.values())]
    if not panels:
        there = sorted(set().union(*(log.columns for log in runs.values())))
        raise DataError(f'nothing of {", ".join(keys)} is logged there, only '
                        f'{", ".join(there)}.')
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
    """The columns of a value: its own, and those of sets ('Set5/PSNR') and
    optimizers ('generator.lr')."""
    return [name for name in log.columns
            if name == key or name.endswith((f'/{key}', f'.{key}'))]


def draw_panel(axis, runs: Dict[str, pd.DataFrame], key: str,
               smooth: int) -> None:
    """One value of all runs, a colour each; validations as points."""
    for i, (run, log) in enumerate(runs.items()):
        for name in columns(log, key):
            values, color = log[name].dropna(), f'C{i}'
            label = run if name == key else f'{run}: {name}'
            if smooth > 1:
                axis.plot(values.index, values, color=color, alpha=0.2)
                values = values.rolling(smooth, min_periods=1).mean()
            # few values, such as scores, would be hard to see
            axis.plot(values.index, values, color=color, label=label,
                      marker='.' if len(values) < 30 else None)
    axis.set_title(key)
    axis.set_xlabel('iteration')
    axis.grid(alpha=0.3)
