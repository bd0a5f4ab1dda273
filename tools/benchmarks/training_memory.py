"""Memory of a training iteration by option."""
import argparse
import copy
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from irsde_mm.commands import cli
from irsde_mm.errors import ConfigError, building
from printing import print_table

from .memory import STATUS, memory
from .training import noise_batch

#: Options: bfloat16, and recomputed activations.
FORMS = {'float32': (False, False), 'bfloat16 (--amp)': (True, False),
         'activation checkpointing': (False, True), 'both': (True, True)}
BATCHES = (1, 2)  # measured; others are on the line through both
#: Bytes per trained parameter: weight, gradient, two moments.
STATE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('--size', type=int, default=128, help='side of the '
                        'patches in pixels (default: %(default)s)')
    parser.add_argument('--accumulate', type=int, default=4, metavar='N',
                        help='batches per optimizer step in the row of '
                        'gradient accumulation (default: %(default)s)')
    parser.add_argument('--shards', type=int, default=8, metavar='N',
                        help='processes in the row of FSDPStrategy (default: '
                        '%(default)s)')


def run(args: argparse.Namespace) -> dict:
    """Measure the peak of two iterations with one and with two patches, each
    in a new process, and compute it for the batch of the config.

    Raises:
        ConfigError: If memory cannot be measured.
    """
    from irsde_mm.config import load_config
    if not STATUS.is_file():
        raise ConfigError('the peak memory of a process is read from '
                          f"'{STATUS}', which exists only on Linux.")
    batch = load_config(args.config).train_dataloader.batch_size
    rows = {}
    for name, (bf16, again) in FORMS.items():
        found = [in_process(args, size, bf16, again) for size in BATCHES]
        rows[name] = estimate(found, batch)
    state = found[0]['state_mb']
    plain = rows['float32']
    small = -(-batch // args.accumulate)
    rows[f'accumulation of {args.accumulate} batches of {small}'] = dict(
        per_image_mb=plain['per_image_mb'],
        total_mb=plain['fixed_mb'] + small * plain['per_image_mb'])
    rows[f'FSDPStrategy, {args.shards} processes'] = dict(
        per_image_mb=plain['per_image_mb'],
        total_mb=plain['total_mb'] - state * (1 - 1 / args.shards))
    show(rows, batch, state, args)
    return dict(config=args.config, size=args.size, batch=batch,
                state_mb=state, blocks=found[0]['blocks'], rows=rows)


def in_process(args: argparse.Namespace, *case) -> dict:
    with ProcessPoolExecutor(
            1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(measure, args.config, args.size, args.device,
                           *case).result()


def measure(config: str, size: int, device, batch: int, bf16: bool,
            again: bool) -> dict:
    """Train two iterations on patches of noise in this process."""
    cli.prepare_process()
    import torch
    from irsde_mm import compat
    from irsde_mm.config import config_scope, load_config
    from irsde_mm.model_files.device import check_device
    from mmengine.optim import build_optim_wrapper
    from mmengine.runner.activation_checkpointing import \
        turn_on_activation_checkpointing

    from .common import load_model
    compat.apply()
    cfg, device = load_config(config), check_device(device)
    with building(f"'{config}' cannot be built"), config_scope(cfg):
        model = load_model(copy.deepcopy(cfg), device).train()
        if bf16:
            cfg.optim_wrapper.type = 'irsde_mm.BFloat16OptimWrapper'
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = blocks(model.generator, 'generator') if again else []
    if names:
        turn_on_activation_checkpointing(model, names)
    inputs, samples = noise_batch(batch, model.pipeline.channels, size)
    before = memory(device, 'VmRSS')
    torch.manual_seed(0)
    for _ in range(2):  # the first one has no moments in its backward pass
        model.train_step(dict(inputs=inputs, data_samples=samples), wrapper)
    weights = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return dict(blocks=names, state_mb=STATE * weights / 1e6,
                weights_mb=4 * weights / 1e6,
                more_mb=(memory(device, 'VmHWM') - before) / 1e6)


def blocks(module, name: str) -> list:
    """Return the names of the outermost modules that have parts and are
    called by others, which are the blocks of a network."""
    from torch import nn
    found = []
    for label, child in module.named_children():
        path = f'{name}.{label}'
        if isinstance(child, nn.Sequential) or not list(child.children()):
            continue
        if type(child).forward is nn.Module.forward:  # a list of modules
            found += blocks(child, path)
        else:
            found.append(path)
    return found


def estimate(found: list, batch: int) -> dict:
    """Return the line through the measured peaks, at a batch size.

    The weights are counted as if they were allocated in the iteration.
    """
    small, large = (row['more_mb'] + row['weights_mb'] for row in found)
    slope = (large - small) / (BATCHES[1] - BATCHES[0])
    fixed = small - BATCHES[0] * slope
    return dict(measured_mb=dict(zip(map(str, BATCHES), (small, large))),
                per_image_mb=slope, fixed_mb=fixed,
                total_mb=fixed + batch * slope)


def show(rows: dict, batch: int, state: float,
         args: argparse.Namespace) -> None:
    print_table(
        ('option', '1 patch MB', '2 patches MB', 'per patch MB',
         f'batch {batch} MB'),
        [(name, *(f'{row["measured_mb"][str(n)]:.0f}' if 'measured_mb' in row
                  else '' for n in BATCHES),
          f"{row['per_image_mb']:.0f}", f"{row['total_mb']:.0f}")
         for name, row in rows.items()], left='option',
        title=f'{args.config}, training on patches of '
        f'{args.size}x{args.size}',
        caption='peak of an iteration with the weights, 1 and 2 patches '
        f'measured, the batch of {batch} computed from them; weights, '
        f'gradients and moments are {state:.0f} MB')
