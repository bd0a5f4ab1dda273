"""Comparison of models on the same degraded images, see docs/benchmark.md."""
import argparse
import hashlib
import json
import statistics
import sys
import traceback
from pathlib import Path

from irsde_mm.commands import cli
from irsde_mm.errors import DataError, IRSDEError, building
from irsde_mm.io.plain_json import from_json, to_json
from irsde_mm.version import __version__

from .common import load_model, seconds_of
from .report import write_report
from .runs import checkpoint_of, config_of, weights_of
from .suite import file_name, prepare_out, read_suite, write_text
from .task_data import Digest, TaskData, digest_of, draw


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--suite', required=True, metavar='FILE',
                        help='models and data to compare')
    parser.add_argument('--out', required=True, metavar='FOLDER',
                        help='folder for the results; existing results are '
                        'kept')


def run(args: argparse.Namespace) -> None:
    """Run the missing entries, write the report, and exit with 1 if an entry
    could not be run."""
    suite = read_suite(args.suite)
    out = prepare_out(args.out, suite)
    from irsde_mm.model_files.device import check_device
    device = check_device(args.device)
    tasks, problems = {}, []
    for name, task in suite['tasks'].items():
        tasks[name] = run_task(name, task, out, device, problems)
    write_report(suite, tasks, problems, out)
    print(f'tables and pictures: {out}')
    for problem in problems:
        print('not run: {task} / {what}: {why}'.format(**problem),
              file=sys.stderr)
    if problems:
        sys.exit(1)


def run_task(name: str, task: dict, out: Path, device, problems: list
             ) -> dict:
    """Return the results of the models of a task by name, and add failures to
    ``problems``."""
    models = {model: entry for model, entry in task['models'].items()
              if set(entry) != {'published'}}  # has something to run
    results = {}
    if not models:
        return results
    try:
        data = TaskData(task, out / 'pictures' / file_name(name))
    except Exception as error:
        problems.append(problem(name, 'data', error))
        return results
    for model, entry in models.items():
        label = f'{name} / {model}'
        try:
            results[model] = run_entry(label, entry, data, out, device)
        except Exception as error:
            problems.append(problem(name, model, error))
            print(f'{label}: not run')
    return results


def problem(task: str, what: str, error: Exception) -> dict:
    """Return why something was not run; print the traceback of unexpected
    errors."""
    if isinstance(error, IRSDEError):
        why = cli.user_message(error)
    else:
        traceback.print_exception(error)
        why = f'{type(error).__name__}: {error}'
    return dict(task=task, what=what, why=' '.join(why.split()))


def run_entry(label: str, entry: dict, data: TaskData, out: Path, device
              ) -> dict:
    """Return the result of a model, see :func:`measure`, from an earlier run
    if there is one."""
    from irsde_mm.model_files import read_checkpoint
    checkpoint = checkpoint_of(entry, label)
    if weights_of(entry) is None:
        read_checkpoint(checkpoint)
    cfg = config_of(entry)
    request = json.dumps(dict(
        sampling=[entry.get('sampler'), entry.get('steps')],
        model=cfg.get('model'), checkpoint=digest_of(checkpoint),
        metrics=data.scored_by, inputs=data.digest, version=__version__),
        sort_keys=True, default=str)
    key = hashlib.sha256(request.encode()).hexdigest()[:16]
    path = out / 'entries' / f'{file_name(label)}-{key}.json'
    shown = {i: data.folder / f'{key}_{i}.png' for i in data.show}
    if path.is_file() and all(p.is_file() for p in shown.values()):
        print(f'{label}: done before')
        return dict(from_json(path.read_text()), pictures=shown)
    print(f'{label}: {data.number} images')
    with building(f"'{entry.get('config', checkpoint)}' cannot be built"):
        model = model_of(cfg, entry, checkpoint, device)
    result = measure(model, data, shown, device, label)
    write_text(path, to_json(
        dict(result, entry=entry, asked=json.loads(request)), indent=1) + '\n')
    return dict(result, pictures=shown)


def model_of(cfg, entry: dict, checkpoint: str, device):
    """Return the model of an entry, with its sampler."""
    from irsde_mm.apis.inference import as_pipeline
    model = load_model(cfg, device, checkpoint)
    if 'sampler' in entry or 'steps' in entry:
        pipeline = as_pipeline(model)
        pipeline.sampler = pipeline.choose_sampler(
            entry.get('sampler'), entry.get('steps'))
    return model


def measure(model, data: TaskData, shown: dict, device, label: str) -> dict:
    """Restore and score the images of a task, and draw some of them.

    Raises:
        DataError: If the images differ from those of the other models.
    """
    from tqdm.auto import tqdm
    network = getattr(model, 'generator', model)
    calls, speeds, images, digest = [], [], [], Digest()
    counter = network.register_forward_hook(lambda *_: calls.append(1))
    for batch in tqdm(data, label, data.number, leave=False,
                      disable=not sys.stderr.isatty()):
        digest.add(batch)
        sample, speed = restore(model, batch, device)
        speeds.append(speed)
        if len(images) in shown:
            draw(shown[len(images)], sample.output.pred_img)
        images.append(data.score(sample, len(images)))
    counter.remove()
    if digest.text() != data.digest:
        raise DataError('the inputs differ from those of the other models, '
                        "because the test set's degradation is not fixed.")
    return dict(
        scores=data.means(), images=images,
        parameters=sum(p.numel() for p in network.parameters()),
        network_calls=len(calls) / len(images),
        seconds_per_megapixel=statistics.median(speeds),
        device=describe(device))


def restore(model, batch: dict, device):
    """Return the result for a batch of one image, and seconds per
    megapixel."""
    import torch
    samples = []
    with torch.no_grad():
        seconds = seconds_of(
            lambda: samples.extend(model.test_step(batch)), device)
    sample, = samples
    return sample, 1e6 * seconds / sample.output.pred_img[0].numel()


def describe(device) -> str:
    """Return the name of the device."""
    import torch
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'{device.type}, threads: {torch.get_num_threads()}'
