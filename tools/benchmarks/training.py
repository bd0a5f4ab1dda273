"""Cost of a training iteration, plain and optimized."""
import argparse
import copy
import statistics

from printing import print_table

from .common import load_model, seconds_of

FORMS = ('plain', 'config', 'bfloat16', 'compiled', 'both')


def measure_training(cfg, args: argparse.Namespace) -> dict:
    """Measure paired iterations on one batch of noise.

    ``plain`` is float32 in PyTorch's default memory layout, with an optimizer
    and a weight average that loop over the tensors; ``config`` has the
    settings of the config. The others add bfloat16, torch.compile, or both
    (the last two with ``--compile``).

    Returns:
        dict: One row per form: ms, ratio to plain, iterations and images per
        second.
    """
    loader = cfg.train_dataloader
    batch, size = loader.batch_size, cfg.get('patch_size', args.size)
    steps = {form: iteration(cfg, form, batch, size, args.device)
             for form in FORMS[:5 if args.compile else 3]}
    for step, _ in steps.values():
        step()  # compile, and create the state of the optimizer
    times = {form: [] for form in steps}
    for _ in range(args.repeats):
        for form, (step, device) in steps.items():
            times[form].append(seconds_of(step, device))
    rows = {}
    for form, found in times.items():
        middle = statistics.median(found)
        rows[form] = dict(
            ms=1e3 * middle, iterations_per_s=1 / middle,
            images_per_s=batch / middle, ratio=statistics.median(
                a / b for a, b in zip(times['plain'], found)))
    return dict(batch=batch, size=size, rows=rows)


def iteration(cfg, form: str, batch: int, size: int, device) -> tuple:
    """Return a function that trains one iteration, and its device."""
    import torch
    from irsde_mm.config import config_scope
    from irsde_mm.model_files.device import check_device
    from irsde_mm.registry import MODELS
    from mmengine.optim import build_optim_wrapper
    cfg, device = copy.deepcopy(cfg), check_device(device)
    model = load_model(cfg, device).train()
    with config_scope(cfg):
        average = dict(type='mmengine.ExponentialMovingAverage',
                       momentum=0.01, model=model)
        if form == 'plain':
            model.to(memory_format=torch.contiguous_format)
            cfg.optim_wrapper.optimizer.update(fused=False, foreach=False)
        else:
            average['type'] = 'irsde_mm.ExponentialMovingAverage'
        if form in ('bfloat16', 'both'):
            cfg.optim_wrapper.type = 'irsde_mm.BFloat16OptimWrapper'
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        average = MODELS.build(average)
    if form in ('compiled', 'both'):
        model.generator.compile()
    inputs, samples = noise_batch(batch, model.pipeline.channels, size)

    def step():
        model.train_step(dict(inputs=inputs, data_samples=samples), wrapper)
        average.update_parameters(model)

    torch.manual_seed(0)
    return step, device


def noise_batch(batch: int, channels: int, size: int) -> tuple:
    """Return a batch of noise in the form of the data pipeline."""
    import torch
    from mmagic.structures import DataSample
    images = [torch.randint(256, (channels, size, size), dtype=torch.uint8)
              for _ in range(2 * batch)]
    return images[:batch], [DataSample(gt_img=gt) for gt in images[batch:]]


def show_training(found: dict, title: str) -> None:
    print_table(
        ('iteration', 'ms', 'speedup', 'images/s'),
        [(form, f"{row['ms']:.1f}", f"{row['ratio']:.2f}",
          f"{row['images_per_s']:.1f}")
         for form, row in found['rows'].items()], left='iteration',
        title=title, caption='medians of pairs; {batch} patches of '
        '{size}x{size}'.format(**found))
