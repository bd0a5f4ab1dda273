"""Suite files, which list the models and data of a comparison."""
import json
import re
from pathlib import Path

from irsde_mm.errors import ConfigError, OutputError
from irsde_mm.io import files

SCORES = ('PSNR', 'SSIM', 'PSNR_Y', 'SSIM_Y', 'LPIPS', 'DISTS', 'FID', 'NIQE')
SUITE_KEYS = ('name', 'tasks')
TASK_KEYS = ('data', 'models', 'show')
DATA_KEYS = ('config', 'folder', 'pairs', 'set', 'images', 'metrics')
MODEL_KEYS = ('config', 'options', 'train', 'checkpoint', 'sampler', 'steps',
              'published')
MARKER = 'suite.json'


def read_suite(path: str) -> dict:
    """Read a suite file and check it without building anything.

    Args:
        path (str): YAML, JSON or Python file, in the format of mmengine's
            configs.

    Returns:
        dict: ``name`` and ``tasks``. Each task has ``data`` (dict),
        ``models`` (dict of dicts) and ``show`` (list of positions).

    Raises:
        ConfigError: If the file is missing, or a key or value is invalid.
    """
    from irsde_mm.config.files import load_config
    if not Path(path).is_file():
        raise ConfigError(f"the suite file '{path}' does not exist.")
    suite = load_config(path).to_dict()
    check_table(suite, SUITE_KEYS, f"the suite '{path}'")
    suite.setdefault('name', Path(path).stem)
    tasks = suite.get('tasks') or {}
    if not tasks:
        raise ConfigError(f"the suite '{path}' has no tasks.")
    check_table(tasks, tasks, 'tasks')
    for name, task in tasks.items():
        check_task(task, f'tasks.{name}')
    if len({file_name(name) for name in tasks}) < len(tasks):
        raise ConfigError('two tasks have the same name, apart from '
                          'characters that file names cannot contain.')
    return suite


def check_table(value, known, where: str) -> None:
    if not isinstance(value, dict):
        raise ConfigError(f'{where} must be a mapping, not {value!r}.')
    unknown = [key for key in value if key not in known]
    if unknown:
        raise ConfigError(f'{where} has an unknown key {unknown[0]!r}; use '
                          f'{", ".join(known)}.')


def check_task(task: dict, where: str) -> None:
    check_table(task, TASK_KEYS, where)
    for key, empty in (('data', {}), ('models', {}), ('show', [0])):
        if task.get(key) is None:
            task[key] = empty
    check_table(task['data'], DATA_KEYS, f'{where}.data')
    images = task['data'].get('images', 1)
    if type(images) is not int or images < 1:
        raise ConfigError(f'{where}.data.images must be a positive integer, '
                          f'not {images!r}.')
    metrics = task['data'].get('metrics', list(SCORES))
    if not metrics or not set(metrics) <= set(SCORES):
        raise ConfigError(f'{where}.data.metrics must be a list of '
                          f'{", ".join(SCORES)}, not {metrics!r}.')
    show = task['show']
    if not isinstance(show, list) or not show or not all(
            type(i) is int and i >= 0 for i in show):
        raise ConfigError(f'{where}.show must be a list of positions in the '
                          f'test set, starting at 0, not {show!r}.')
    if not task['models']:
        raise ConfigError(f'{where} has no models.')
    check_table(task['models'], task['models'], f'{where}.models')
    for name, model in task['models'].items():
        check_table(model, MODEL_KEYS, f'{where}.models.{name}')
        if 'published' in model:
            check_published(model['published'],
                            f'{where}.models.{name}.published')


def check_published(numbers: dict, where: str) -> None:
    check_table(numbers, (*SCORES, 'source'), where)
    if not isinstance(numbers.get('source'), str) or len(numbers) < 2:
        raise ConfigError(f'{where} needs scores and their source.')
    for key, value in numbers.items():
        if key != 'source' and type(value) not in (int, float):
            raise ConfigError(f'{where}.{key} must be a number, not '
                              f'{value!r}.')


def prepare_out(path: str, suite: dict) -> Path:
    """Prepare the folder of results, which belongs to one suite.

    Tasks and models may be added to a suite later, but the data of a task
    must not change.

    Raises:
        OutputError: If the folder contains other files, or cannot be written.
    """
    from irsde_mm.io.photos import prepare_folder
    out, marker = Path(path), Path(path) / MARKER
    own = dict(name=suite['name'], data={
        name: task['data'] for name, task in suite['tasks'].items()})
    if marker.is_file():
        other = json.loads(marker.read_text())
        if other['name'] != own['name']:
            raise OutputError(f"'{out}' contains results of the suite "
                              f"'{other['name']}', not '{own['name']}'; "
                              'use another --out.')
        for name, data in other['data'].items():
            if own['data'].get(name) != data:
                raise OutputError(
                    f"'{out}' contains results of the task '{name}' on other "
                    f'data ({json.dumps(data)}); use another --out.')
    elif out.is_dir() and any(out.iterdir()):
        raise OutputError(f"'{out}' contains files that are not results of a "
                          'suite; use another --out.')
    prepare_folder(path)
    write_text(marker, json.dumps(own, indent=1) + '\n')
    return out


def file_name(text: str) -> str:
    """Return a text without the characters that file names cannot contain."""
    return re.sub(r'[^\w.-]+', '_', str(text))


def write_text(path: Path, text: str) -> None:
    """Write a file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)
