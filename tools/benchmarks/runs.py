"""Training runs of a suite's models, made when they are missing."""
import os
import subprocess
import sys
from pathlib import Path
from typing import Optional

from irsde_mm.errors import ConfigError, TrainingError

from .suite import write_text

TRAIN = Path(__file__).parents[1] / 'train.py'


def checkpoint_of(entry: dict, label: str) -> str:
    """Return the weights of a model, and train it first if ``train`` names a
    work directory without its final checkpoint.

    An interrupted run is resumed. The run is a process of its own, with the
    threads and devices of this one.

    Args:
        entry (dict): Model of a suite.
        label (str): Its name in messages.

    Raises:
        ConfigError: If the entry has no weights, or if the directory contains
            a run with another config.
        TrainingError: If training fails.
    """
    if 'train' not in entry:
        own = weights_of(entry)
        if 'checkpoint' not in entry and own is None:
            raise ConfigError("the entry has no 'checkpoint'.")
        return own or entry['checkpoint']
    if 'checkpoint' in entry:
        raise ConfigError("the entry has both 'train' and 'checkpoint'; "
                          'remove one.')
    if 'config' not in entry:
        raise ConfigError("the entry has 'train' but no 'config'.")
    folder = Path(entry['train'])
    cfg = config_of(entry)
    if 'max_iters' not in (cfg.get('train_cfg') or {}):
        raise ConfigError(f"'{entry['config']}' has no train_cfg.max_iters, "
                          "which 'train' needs.")
    final = folder / f'iter_{cfg.train_cfg.max_iters}.pth'
    config = folder / 'suite' / 'train.py'
    text = cfg.pretty_text
    if config.is_file() and config.read_text() != text:
        raise ConfigError(f"'{folder}' contains a run with other settings "
                          f"('{config}'); name another folder in 'train'.")
    if not final.is_file():
        write_text(config, text)
        run(config, folder, label)
    return str(final)


def weights_of(entry: dict) -> Optional[str]:
    """Return the weights file of a model that names it in its config, such
    as a SpandrelModel.

    Raises:
        ConfigError: If the entry has a checkpoint as well.
    """
    if 'config' not in entry:
        return None
    weights = (config_of(entry).get('model') or {}).get('weights')
    if weights is not None and 'checkpoint' in entry:
        raise ConfigError(f"the model of '{entry['config']}' has its weights; "
                          "remove 'checkpoint'.")
    return weights


def config_of(entry: dict):
    """Return the config of a model with its options; that of its weights file
    if it names none.

    A run has no validation, which would take longer than a short training,
    and does not depend on the test set of its config.
    """
    from irsde_mm.config import load_config
    cfg = load_config(entry.get('config', entry.get('checkpoint')),
                      entry.get('options'))
    if 'train' in entry:
        for kind in ('val', 'test'):
            for part in ('cfg', 'dataloader', 'evaluator'):
                cfg[f'{kind}_{part}'] = None
        if 'checkpoint' in (cfg.get('default_hooks') or {}):
            cfg.default_hooks.checkpoint.save_best = None
    return cfg


def run(config: Path, folder: Path, label: str) -> None:
    """Train in another process, and show its output in a log file.

    Raises:
        TrainingError: If it fails, with the last line of its output.
    """
    print(f'{label}: training in {folder}', flush=True)
    log = folder / 'suite' / 'train.log'
    with open(log, 'a') as file:
        code = subprocess.run(
            [sys.executable, str(TRAIN), str(config), '--work-dir',
             str(folder), '--resume'], stdout=file, stderr=file,
            env={**os.environ, 'PYTHONUNBUFFERED': '1'}).returncode
    if code:
        lines = log.read_text(errors='replace').split('\n')
        last = next((line for line in reversed(lines) if line.strip()), '')
        raise TrainingError(f"training stopped with exit code {code}: {last} "
                         f"(log: '{log}')")
