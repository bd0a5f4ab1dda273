"""Fixtures and helpers shared by the tests, and the sampling of grids."""
import functools
import gc
import random
import re
import runpy
import sys
from collections import Counter, defaultdict
from pathlib import Path

import irsde_mm.registry  # noqa: F401, first: it makes mmagic importable
import numpy as np
import pytest
import torch
from irsde_mm import compat
from irsde_mm.registry import DIFFUSION_SCHEDULERS
from irsde_mm.samplers import DiffusersSampler, MultistepSampler, Sampler
from irsde_mm.sde import SDE, NoiseOutput, Output, StraightSDE
from mmengine.config import config as mmengine_config
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer

ROOT = Path(__file__).parents[1]
#: Models of version 0.1, a process for denoising and a refinement.
VERSION_1 = ROOT / 'tests/data/version_1'
# at the end, so that modules of tools/ do not hide others
sys.path.append(str(ROOT / 'tools'))
GOLDEN = Path(__file__).parent / 'data' / 'golden'

compat.apply()  # as the tools do
DIFFUSION_SCHEDULERS.import_from_location()

#: Counters of the fault tests by title, printed at the end of the run.
FIGURES = defaultdict(Counter)
#: Seed of the samples that the fast tests take from grids.
SEED = 0


def pytest_report_header():
    return f'fast tests: samples of grids drawn with seed {SEED}'


def pytest_configure(config):
    config.addinivalue_line(
        'markers', 'grid(at_most=None): the fast tests take a sample in which '
        'every value of every parameter occurs, or at_most cases of it; '
        'make test-slow runs the others')


def values(item) -> set:
    """Return the parameters of a case as (name, identity of the value)."""
    return {(name, id(value)) for name, value in item.callspec.params.items()}


def covering(cases: list) -> set:
    """Return a small set of cases in which every parameter value occurs.

    Greedy: each choice is the case with the most values still missing.
    """
    cases = random.Random(SEED).sample(cases, len(cases))
    missing = set().union(*map(values, cases))
    chosen = set()
    while missing:
        best = max(cases, key=lambda case: len(missing & values(case)))
        missing -= values(best)
        chosen.add(best)
    return chosen


def refused(item) -> bool:
    """Return True if the sampler of a case does not support its process.

    test_refused_pairs asserts which pairs these are.
    """
    params = item.callspec.params if hasattr(item, 'callspec') else {}
    if not {'sde', 'sampler_class'} <= set(params):
        return False
    try:
        params['sampler_class']().begin(build_sde(params['sde']), 100)
    except ValueError:
        return True
    return False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    cases, left_out = defaultdict(list), []
    for item in items:
        if refused(item):
            left_out.append(item)
        elif item.get_closest_marker('grid'):
            cases[item.nodeid.partition('[')[0]].append(item)
    for grid in cases.values():
        at_most = grid[0].get_closest_marker('grid').kwargs.get('at_most')
        chosen = covering(grid)
        if at_most is not None and at_most < len(chosen):
            chosen = set(random.Random(SEED).sample(
                [case for case in grid if case in chosen], at_most))
        for case in grid:
            if case not in chosen:
                case.add_marker(pytest.mark.slow)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        left_out = set(left_out)
        items[:] = [item for item in items if item not in left_out]


format_code = mmengine_config.FormatCode


@functools.cache
def format_once(text: str, style: tuple, **options) -> tuple:
    return format_code(text, style_config=dict(style), **options)


# a Runner formats its config four times
mmengine_config.FormatCode = lambda text, style_config, **options: format_once(
    text, tuple(style_config.items()), **options)


def pytest_sessionfinish(session):
    """Send the counters from a worker of pytest-xdist."""
    if hasattr(session.config, 'workeroutput'):
        session.config.workeroutput['figures'] = {
            title: dict(counts) for title, counts in FIGURES.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Add up the counters of the workers."""
    for title, counts in getattr(node, 'workeroutput', {}).get(
            'figures', {}).items():
        FIGURES[title].update(counts)


def pytest_terminal_summary(terminalreporter):
    for title, counts in FIGURES.items():
        if not counts:
            continue
        terminalreporter.section(f'{sum(counts.values())} {title}')
        for what, number in sorted(counts.items()):
            terminalreporter.write_line(f'{number:5} {what}')


def forget_runs() -> None:
    """Forget the loggers and visualizers of earlier runs.

    mmengine keeps them by the second in which a run started, so a second run
    within the same second would write into the folder of the first.
    """
    kinds = [MMLogger, MessageHub, Visualizer]
    for kind in kinds:
        kind._instance_dict.clear()
        kinds += kind.__subclasses__()


frozen_modules = 0


def freeze_modules() -> None:
    """Exempt imported modules from garbage collection, which mmengine runs
    for every dataset that it builds."""
    global frozen_modules
    if len(sys.modules) > frozen_modules + 100:
        gc.collect()
        gc.freeze()
        frozen_modules = len(sys.modules)


def pytest_runtest_setup():
    forget_runs()
    freeze_modules()


def registered(base: type) -> list:
    """Return all registered components of a kind, so that new ones are
    tested, too."""
    return [cls for cls in DIFFUSION_SCHEDULERS.module_dict.values()
            if issubclass(cls, base)]


def build_sde(cls: type, num_steps: int = 100, **kwargs) -> SDE:
    return cls.example(num_steps, **kwargs).double()


def predict(sde: SDE, noise, xt, mu, t):
    """Return the prediction for a given noise."""
    return NoiseOutput().decode(sde, noise, xt, mu, t)


def variant(cls: type, **options) -> type:
    """Return a sampler class with some options set."""
    def init(self, num_steps=None, **kwargs):
        cls.__init__(self, num_steps=num_steps, **options, **kwargs)

    name = '-'.join(str(v.get('type') if isinstance(v, dict) else v)
                    for v in options.values())
    return type(f'{cls.__name__}-{name}', (cls, ), dict(__init__=init))


class StraightBridge(StraightSDE):

    def __init__(self, **kwargs):
        super().__init__(**dict(kwargs, bridge=True))


class StraightFlow(StraightSDE):
    """Without noise."""

    def __init__(self, **kwargs):
        super().__init__(**dict(kwargs, sigma=0.))


SDES = [*registered(SDE), StraightBridge, StraightFlow]
OUTPUTS = registered(Output)
SAMPLERS = [cls for cls in registered(Sampler) if cls is not DiffusersSampler]
SAMPLERS += [variant(MultistepSampler, order=order, variant=v, prediction=p,
                     grid=g) for order, v, p, g in (
    (1, 'sde', 'data', 'uniform'), (2, 'sde', 'data', 'karras'),
    (2, 'ode', 'noise', 'uniform'), (1, 'sde', 'noise', 'log_snr'))]
SAMPLERS += [variant(DiffusersSampler, scheduler=dict(type=name, **options))
             for name, options in (
    ('DPMSolverMultistepScheduler', {}),
    ('DPMSolverMultistepScheduler', dict(algorithm_type='sde-dpmsolver++')),
    ('UniPCMultistepScheduler', {}), ('DEISMultistepScheduler', {}),
    ('DDIMScheduler', {}))]


@pytest.fixture(params=SDES, ids=lambda cls: cls.__name__)
def sde(request) -> SDE:
    return build_sde(request.param)


@pytest.fixture
def noisy(sde):
    if not sde.has_noise:
        pytest.skip('no noise')


@pytest.fixture(params=SAMPLERS, ids=lambda cls: cls.__name__)
def sampler_class(request) -> type:
    return request.param


@pytest.fixture
def images():
    """Two clean images, two degraded ones and noise, float64."""
    g = torch.Generator().manual_seed(0)
    x0, mu = torch.rand(2, 2, 3, 8, 8, generator=g, dtype=torch.float64)
    noise = torch.randn(2, 3, 8, 8, generator=g, dtype=torch.float64)
    return x0, mu, noise


@pytest.fixture
def golden():
    """Function that loads a golden file as a dict of tensors."""

    def load(name: str) -> dict:
        with np.load(GOLDEN / f'{name}.npz') as file:
            return {key: torch.from_numpy(file[key]) for key in file}

    return load


@pytest.fixture(params=[torch.float64, torch.float32],
                ids=['float64', 'float32'])
def precision(request):
    """Compute in float64, then in float32; tables take the default dtype."""
    torch.set_default_dtype(request.param)
    yield
    torch.set_default_dtype(torch.float32)


def floats(arrays: dict) -> dict:
    """Return golden arrays in the default dtype."""
    return {key: value.to(torch.get_default_dtype())
            if value.is_floating_point() else value
            for key, value in arrays.items()}


def agree(ours, published, tol=1e-9, run=False) -> None:
    """Compare with the golden tolerances.

    float64: ``tol`` of the largest value. float32: 1e-5 + 1e-4 of each value,
    or 1e-3 of the largest value for a run.
    """
    size = published.abs()
    if published.dtype == torch.float64:
        bound = tol * size.max()
    else:
        bound = 1e-3 * size.max() if run else 1e-5 + 1e-4 * size
    error = (torch.as_tensor(ours).reshape(size.shape) - published).abs()
    assert (error <= bound).all(), float((error - bound).max())


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)
    np.random.seed(0)


def run_tool(name: str, *args) -> int:
    """Run tools/NAME.py as the command line does; return the exit code."""
    forget_runs()  # like a new process
    argv, sys.argv = sys.argv, [name, *map(str, args)]
    sys.path.insert(0, str(ROOT / 'tools'))  # as python does for a script
    try:
        runpy.run_path(str(ROOT / 'tools' / f'{name}.py'),
                       run_name='__main__')
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = argv
        sys.path.remove(str(ROOT / 'tools'))
    return 0


TINY = ['model.generator.width=4', 'model.sampler.num_steps=2',
        'model.val_sampler.type=irsde_mm.PosteriorSampler',
        'model.val_sampler.num_steps=1', 'train_dataloader.batch_size=2',
        'train_cfg.max_iters=2']


@pytest.fixture(scope='session')
def trained(tmp_path_factory) -> Path:
    """Work directory of tools/train.py, of a tiny network."""
    folder = tmp_path_factory.mktemp('runs') / 'tiny'
    assert run_tool('train', 'quickstart/derain', '--work-dir', folder,
                    '--cfg-options', *TINY) == 0
    return folder


@pytest.fixture(scope='session')
def vgg16_file(tmp_path_factory) -> str:
    """A file with the names and shapes of torchvision's VGG16."""
    from irsde_mm.networks import VGG16Features
    with torch.device('meta'):
        shapes = {key: value.shape for key, value
                  in VGG16Features(['relu5_3']).state_dict().items()}
    g = torch.Generator().manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'vgg16.pth'
    torch.save({key: torch.randn(shape, generator=g) * (
        2 / max(shape[1:].numel(), 200))**.5
        for key, shape in shapes.items()}, path)
    return str(path)


@pytest.fixture
def photo(tmp_path) -> Path:
    """Path of a small photo."""
    from PIL import Image
    rng = np.random.default_rng(0)
    path = tmp_path / 'photos' / 'my photo.png'
    path.parent.mkdir()
    Image.fromarray(rng.integers(0, 256, (20, 31, 3), dtype=np.uint8)).save(
        path)
    return path


@pytest.fixture
def error(capfd):
    """Function that runs a tool which must fail with exit code 2, one or two
    lines and no traceback; it returns the message."""

    def run(name, *args):
        capfd.readouterr()
        assert run_tool(name, *args) == 2
        text = capfd.readouterr().err
        assert 'Traceback' not in text
        # at the start of a line: libpng prints errors as well
        start = re.search(r'^(\S+: )?error: ', text, re.M).start()
        message = text[start:]
        assert len(message.splitlines()) <= 2, message
        return message

    return run


@pytest.fixture
def tried() -> Counter:
    """Counter of the faults that tests produced and of their outcomes."""
    return FIGURES['faults in training']


@pytest.fixture
def logged():
    """List of the warnings that mmengine's logger receives."""
    import logging

    from mmengine.logging import MMLogger
    lines = []
    handler = logging.Handler()
    handler.setLevel(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)
