"""Every config: form, size, and that it builds; quickstarts run."""
import re
from pathlib import Path

import pytest
from conftest import ROOT
from irsde_mm.apis.configs import PACKAGED, find_config, load_config
from irsde_mm.errors import ConfigError
from irsde_mm.registry import (DIFFUSION_SCHEDULERS, METRICS, MODELS,
                               TRANSFORMS)
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

CONFIGS = sorted(p for p in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in p.parts)
BASES = sorted((ROOT / 'configs' / '_base_').rglob('*.py'))
OWNERS = {
    'models': {'model'},
    'datasets': {'train_dataloader', 'val_dataloader', 'test_dataloader',
                 'val_evaluator', 'test_evaluator', 'data_root', 'hint',
                 'rain'},
    'schedules': {'train_cfg', 'val_cfg', 'test_cfg', 'optim_wrapper',
                  'param_scheduler', 'custom_hooks'}}


def depth(path: Path) -> int:
    found = re.findall(r"'([^']*\.py)'", path.read_text())
    below = [path.parent / name for name in found if name[:1] == '.']
    return 1 + max((depth(p) for p in below), default=0)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_task_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 20
    assert depth(path) <= 3


@pytest.mark.parametrize('path', BASES, ids=lambda p: p.stem)
def test_each_key_has_one_owner(path):
    keys = set(re.findall(r'^(\w+) =', path.read_text(), re.M))
    keys |= set(re.findall(r'^\w+ = (\w+) =', path.read_text(), re.M))
    owned = OWNERS.get(path.parent.name)
    if owned is not None:
        assert keys <= owned
    else:
        assert not keys & set.union(*OWNERS.values())


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_every_type_builds(path):
    """Model, transforms and metrics; datasets want data."""
    cfg = load_config(str(path))
    with DefaultScope.overwrite_default_scope('mmagic'):
        for key in ('sde', 'sampler'):
            DIFFUSION_SCHEDULERS.build(cfg.model[key])
        MODELS.build(cfg.model.pixel_loss)
        assert MODELS.get(cfg.model.type) is not None
        assert MODELS.get(cfg.model.generator.type) is not None
        for loader in (cfg.train_dataloader, cfg.test_dataloader):
            for transform in loader.dataset.pipeline:
                TRANSFORMS.build(transform)
        names = set()
        for metric in cfg.test_evaluator.metrics:
            names.add(METRICS.build(metric).key)
    assert cfg.default_hooks.checkpoint.save_best in names


def test_papers_setting():
    cfg = load_config('irsde/derain')
    sde, optimizer = cfg.model.sde, cfg.optim_wrapper.optimizer
    assert (sde.max_sigma, sde.num_steps, sde.schedule, sde.eps) == (
        10 / 255, 100, 'cosine', 0.005)
    assert (optimizer.lr, tuple(optimizer.betas)) == (1e-4, (0.9, 0.99))
    assert cfg.train_cfg.max_iters == 500_000
    assert cfg.train_dataloader.batch_size == 16
    assert cfg.param_scheduler.milestones == [200_000, 400_000]
    assert cfg.model.generator.base_channels == 64
    ema = cfg.custom_hooks[0]
    assert (ema.momentum, ema.interval) == (0.005, 10)


def test_max_sigma_is_written_in_grey_levels():
    for path in (*BASES, *CONFIGS):
        for value in re.findall(r'max_sigma=([^,)]*)', path.read_text()):
            assert re.fullmatch(r'\d+ / 255', value), path


def test_names_are_found_in_the_packaged_copy():
    assert find_config('irsde/derain') == PACKAGED / 'irsde' / 'derain.py'
    for name in ('irsde/derrain', 'configs/irsde/derrain.py'):
        with pytest.raises(ConfigError, match='irsde/derain'):
            load_config(name)


def test_broken_configs_are_named(tmp_path):
    path = tmp_path / 'broken.py'
    path.write_text('model = dict(')
    with pytest.raises(ConfigError, match='broken.py.*cannot be read'):
        load_config(str(path))
    with pytest.raises(ConfigError, match='cfg-options'):
        load_config('quickstart/derain', {'optim_wrapper.optimizer.lr.x': 1})


@pytest.mark.parametrize(
    'path', [p for p in CONFIGS if p.parent.name == 'quickstart'],
    ids=lambda p: p.stem)
def test_quickstarts_run(path, tmp_path):
    """Two iterations, a validation and a test through the Runner."""
    cfg = load_config(str(path), {
        'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
        'model.sampler.num_steps': 1})
    cfg.work_dir = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    runner.train()
    runner.test()
    assert list(tmp_path.glob('best_*.pth'))
    assert len(list(tmp_path.rglob('vis_image/*'))) == 3
