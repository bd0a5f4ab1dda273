"""Train small models on built-in photos, test them on held-out photos, and
write scores and pictures: python tools/demo.py"""
import argparse
import shutil
import time
from pathlib import Path

from printing import print_table

from irsde_mm.commands import cli
from irsde_mm.io.plain_json import to_json

TASKS = ('derain', 'denoise', 'deblur', 'sr', 'inpaint', 'dehaze')
PICTURES = ('comparison', 'trajectory')
STATES = 6  # pictures in trajectory.png, of five network calls


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tasks', nargs='+', choices=['all', *TASKS],
                        default=['derain'], metavar='TASK',
                        help=f"{', '.join(TASKS)}, or all (default: "
                        'derain)')
    parser.add_argument('--out', default='work_dirs/demo',
                        help='output folder; files of an earlier demo are '
                        'replaced (default: %(default)s)')
    parser.add_argument('--iters', type=int,
                        help='training iterations, fewer for a quick try')
    return parser


def main(args: argparse.Namespace) -> None:
    out, summary, rows = prepare(args.out), {}, {}
    tasks = TASKS if 'all' in args.tasks else tuple(dict.fromkeys(args.tasks))
    for task in tasks:
        folder = out / task
        start = time.perf_counter()
        train(f'quickstart/{task}', folder, args.iters)
        trained = time.perf_counter()
        rows[task], states = test(f'quickstart/{task}', folder)
        summary[task] = average(rows[task])
        summary[task]['seconds'] = dict(
            train=round(trained - start, 1),
            test=round(time.perf_counter() - trained, 1))
        suffix = f'_{task}' if len(tasks) > 1 else ''
        draw_comparison(rows[task], out / f'comparison{suffix}.png')
        draw_trajectory(states, out / f'trajectory{suffix}.png')
    (out / 'summary.json').write_text(to_json(summary, indent=2) + '\n')
    show(rows, summary)
    print('scores and pictures: summary.json, comparison*.png and '
          f'trajectory*.png in {out}/')


def prepare(path: str) -> Path:
    """Create the folder of the demo, or remove the files of an earlier demo.

    Raises:
        OutputError: If the folder contains other files.
    """
    from irsde_mm.errors import OutputError
    from irsde_mm.io.photos import prepare_folder
    out, marker = Path(path), Path(path) / '.demo'
    if marker.exists():
        for task in TASKS:
            shutil.rmtree(out / task, ignore_errors=True)
        for name in ('summary.json', *(
                f'{picture}{suffix}.png' for picture in PICTURES
                for suffix in ('', *(f'_{task}' for task in TASKS)))):
            (out / name).unlink(missing_ok=True)
    elif out.is_dir() and any(out.iterdir()):
        raise OutputError(f"'{out}' contains files that were not made by the "
                          'demo; use another --out.')
    prepare_folder(path)
    marker.touch()
    return out


def train(config: str, folder: Path, iters) -> None:
    """Train a config, with a folder as work directory."""
    from irsde_mm import compat
    from irsde_mm.config import load_config
    from mmengine.runner import Runner
    compat.apply()
    cfg = load_config(config, {'train_cfg.max_iters': iters} if iters else {})
    cfg.work_dir = str(folder)
    # tested below, photo by photo
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.save_best = None
    Runner.from_cfg(cfg).train()


def test(config: str, folder: Path):
    """Restore the held-out photos with the weights in a folder.

    Returns:
        tuple: A list of dicts (name, scores, pictures), and the states of the
        first photo, from x_T to x_0, as pairs (t, picture).
    """
    from irsde_mm.apis import init_restorer
    from irsde_mm.config import config_scope, load_config
    from irsde_mm.io.grids import to_rgb
    from irsde_mm.model_files.runs import find_run
    from irsde_mm.registry import DATASETS, METRICS
    _, checkpoint = find_run(folder)
    cfg = load_config(config)
    model = init_restorer(config, str(checkpoint))
    rows, states = [], []
    with config_scope(cfg):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        metrics = [METRICS.build(metric)
                   for metric in cfg.test_evaluator.metrics]
        for item in dataset:
            if not rows:
                states = trajectory(model, item)
            sample = restore(model, item)
            scores = {}
            for metric in metrics:
                metric.results.clear()
                metric.process(None, [sample.to_dict()])
                scores.update(metric.compute_metrics(metric.results))
            rows.append(dict(
                name=Path(item['data_samples'].gt_path).stem, scores=scores,
                degraded=to_rgb(sample.input), clean=to_rgb(sample.gt_img),
                restored=to_rgb(sample.output.pred_img)))
    return rows, states


def trajectory(model, item: dict) -> list:
    """Return the states of a test sample, with a step for each picture."""
    states = []
    restore(model, item,
            sampler=model.pipeline.choose_sampler('jump', STATES - 1),
            callback=lambda progress: states.append(
                (progress.t, progress.states()[0][..., ::-1])))
    return states


def restore(model, item: dict, **options):
    """Restore a test sample."""
    import torch
    data = model.data_preprocessor(
        dict(inputs=[item['inputs']], data_samples=[item['data_samples']]))
    inputs, samples = data['inputs'], data['data_samples']
    with torch.no_grad():
        return model(inputs, samples, mode='predict', **options)[0]


def average(rows: list) -> dict:
    """Return the mean scores of the degraded and the restored photos."""
    keys = dict(psnr='PSNR', ssim='SSIM', psnr_y='PSNR_Y', ssim_y='SSIM_Y',
                lpips='LPIPS')
    return {which: {
        name: round(sum(row['scores'][prefix + key] for row in rows)
                    / len(rows), 4) for name, key in keys.items()
        if key in rows[0]['scores']}
        for which, prefix in (('input', 'input_'), ('restored', ''))}


def draw_comparison(rows: list, path: Path) -> None:
    """Draw degraded | restored | clean, one photo per row."""
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    figure, axes = plt.subplots(len(rows), 3, squeeze=False,
                                figsize=(15, 3.6 * len(rows)))
    for row, line in zip(rows, axes):
        s = row['scores']
        captions = dict(degraded=f"degraded, {scores_text(s, 'input_')}",
                        restored=f'restored, {scores_text(s)}',
                        clean=f"clean ({row['name']})")
        for axis, (which, caption) in zip(line, captions.items()):
            axis.imshow(row[which])
            axis.set_title(caption)
            axis.axis('off')
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def scores_text(scores: dict, prefix: str = '') -> str:
    text = (f"{scores[f'{prefix}PSNR_Y']:.2f} dB, "
            f"SSIM {scores[f'{prefix}SSIM_Y']:.3f}")
    if 'LPIPS' in scores:
        text += f", LPIPS {scores[f'{prefix}LPIPS']:.3f}"
    return text


def draw_trajectory(states: list, path: Path) -> None:
    """Draw the states of one photo from x_T to x_0."""
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    last = len(states) - 1
    chosen = [states[round(i * last / (STATES - 1))] for i in range(STATES)]
    figure, axes = plt.subplots(1, STATES, figsize=(3.6 * STATES, 2.9))
    for (t, image), axis in zip(chosen, axes):
        axis.imshow(image)
        axis.set_title(f't = {t:g}')
        axis.axis('off')
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def show(rows: dict, summary: dict) -> None:
    """Print the scores of each photo and their means."""
    names = {'PSNR_Y': 'PSNR', 'SSIM_Y': 'SSIM', 'LPIPS': 'LPIPS'}
    if any('lpips' not in task['restored'] for task in summary.values()):
        del names['LPIPS']  # no weights
    lines = []
    for task, photos in rows.items():
        for row in photos:
            lines.append((task, row['name'], *(
                f"{row['scores'][prefix + key]:.3f}" for key in names
                for prefix in ('input_', ''))))
        lines.append((task, 'average', *(
            f'{summary[task][which][key.lower()]:.3f}' for key in names
            for which in ('input', 'restored'))))
    print_table(('task', 'photo', *(
        f'{which} {name}' for name in names.values()
        for which in ('input', 'result'))), lines,
        title='held-out photos, PSNR and SSIM of the Y channel')


if __name__ == '__main__':
    cli.run(main, parser())
