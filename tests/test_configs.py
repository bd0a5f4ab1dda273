"""Every config: form, size, and building; quickstarts run."""
import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from irsde_mm.config.files import PACKAGED, find_config, load_config
from irsde_mm.errors import ConfigError
from irsde_mm.inference.presets import PRESETS
from irsde_mm.registry import (DATASETS, DIFFUSION_SCHEDULERS, METRICS,
                               MODELS, TRANSFORMS)
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from PIL import Image

CONFIGS = sorted(p for p in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in p.parts)
BASES = sorted((ROOT / 'configs' / '_base_').rglob('*.py'))
OWNERS = {
    'models': {'model', 'model_wrapper_cfg'},
    'datasets': {f'{phase}_{kind}' for phase in ('train', 'val', 'test')
                 for kind in ('dataloader', 'evaluator')},
    'schedules': {'train_cfg', 'val_cfg', 'test_cfg', 'optim_wrapper',
                  'param_scheduler', 'custom_hooks'}}
TASKS = ('derain', 'denoise', 'deblur', 'sr', 'inpaint', 'dehaze')


def depth(path: Path) -> int:
    found = re.findall(r"'([^']*\.py)'", path.read_text())
    below = [path.parent / name for name in found if name[:1] == '.']
    return 1 + max((depth(p) for p in below), default=0)


def test_task_files_are_short():
    assert [path for path in CONFIGS
            if len(path.read_text().splitlines()) > 20
            or depth(path) > 4] == []


def test_each_key_has_one_owner():
    for path in BASES:
        keys = set(re.findall(r'^(\w+) =', path.read_text(), re.M))
        keys |= set(re.findall(r'^\w+ = (\w+) =', path.read_text(), re.M))
        owner = path.parent.name
        for name, owned in OWNERS.items():
            assert name == owner or not keys & owned, path
        if owner in ('models', 'schedules'):  # datasets define variables
            assert keys <= OWNERS[owner] | {'_base_'}, path


@pytest.mark.grid(at_most=12)
@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_fields_for_own_data(path):
    cfg = load_config(str(path))
    assert {'patch_size', 'region', 'degradation'} <= set(cfg)
    assert cfg.region >= cfg.patch_size or not cfg.degradation


def as_list(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.grid(at_most=12)
@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)
def test_every_type_builds(path, tmp_path, monkeypatch):
    """Process, sampler, transforms and metrics are built; models and datasets
    are only found."""
    cfg = load_config(str(path))
    monkeypatch.chdir(tmp_path)
    masks(Path('data'))
    with DefaultScope.overwrite_default_scope('mmagic'):
        for key in {'sde', 'sampler'} & set(cfg.model):
            part = cfg.model[key]
            if isinstance(part, str):
                assert part in PRESETS
            else:
                DIFFUSION_SCHEDULERS.build(part)
        with MODELS.switch_scope_and_registry('mmagic') as models:
            assert models.get(cfg.model.type) is not None
            for key in {'generator', 'encdec', 'pixel_loss'} & set(cfg.model):
                assert models.get(cfg.model[key].type) is not None
        for loader in (cfg.train_dataloader, cfg.val_dataloader,
                       *as_list(cfg.test_dataloader)):
            assert DATASETS.get(loader.dataset.type) is not None
            assert '_delete_' not in loader.dataset
            for transform in loader.dataset.pipeline:
                TRANSFORMS.build(transform)
        for evaluator in as_list(cfg.test_evaluator):
            for metric in evaluator.metrics:
                METRICS.build(metric)
        names = {METRICS.build(m).key for m in cfg.val_evaluator.metrics}
    assert cfg.default_hooks.checkpoint.save_best in names
    assert len(as_list(cfg.test_dataloader)) == len(
        as_list(cfg.test_evaluator))


def test_settings_of_the_paper():
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


def test_max_sigma_is_written_in_gray_levels():
    for path in (*BASES, *CONFIGS):
        for value in re.findall(r'max_sigma=([^,)]*)', path.read_text()):
            assert re.fullmatch(r'\d+ / 255', value), path


def test_names_are_found_in_the_package():
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


@pytest.mark.parametrize('task', TASKS)
def test_settings_of_the_tasks(task):
    """Settings of the design: lam, crops, networks."""
    cfg = load_config(f'irsde/{task}')
    refusion = load_config(f'irsde/refusion_{task}')
    lam = dict(sr=30, inpaint=30, denoise=70).get(task, 10)
    assert cfg.model.sde.max_sigma == lam / 255
    assert refusion.model.sde.max_sigma == (
        70 if task == 'denoise' else 50) / 255
    assert refusion.model.generator.type == 'irsde_mm.ConditionalNAFNet'
    assert refusion.optim_wrapper.optimizer == dict(
        type='Lion', lr=4e-5, betas=(0.9, 0.99))
    assert refusion.param_scheduler.type == 'CosineAnnealingLR'
    border = 0 if task in ('denoise', 'dehaze') else 4
    for config in (cfg, refusion, load_config(f'quickstart/{task}')):
        for evaluator in (config.val_evaluator, *as_list(
                config.test_evaluator)):
            assert {m.get('crop_border', 0) for m in evaluator.metrics
                    if m.type in ('irsde_mm.PSNR', 'irsde_mm.SSIM')} == {
                        border}
        assert config.model.sde.get('num_steps', 100) == 100
    for config in (cfg, refusion):
        assert config.model.generator.get('conditional', True) == (
            task != 'denoise')
        assert (config.model.sde.type == 'irsde_mm.DenoisingSDE') == (
            task == 'denoise')


@pytest.mark.grid(at_most=2)
@pytest.mark.parametrize('name', [
    *(f'quickstart/{task}' for task in (*TASKS, 'derain_likelihood')),
    *(f'family/{path.stem}' for path in CONFIGS
      if path.parent.name == 'family')])
def test_quickstarts_run(name, tmp_path):
    """Run two iterations, a validation and a test."""
    cfg = load_config(name, {
        'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
        'model.generator.width': 4, 'model.sampler.num_steps': 1})
    cfg.work_dir = str(tmp_path)
    runner = Runner.from_cfg(cfg)
    runner.train()
    runner.test()
    assert list(tmp_path.glob('best_*.pth'))
    pictures = [path.name.split('_')[0]
                for path in tmp_path.rglob('vis_image/*')]
    assert len(pictures) == 5
    assert {'validation', 'trajectory'} < set(pictures)


@pytest.mark.parametrize('name, process, output, batch, lr, iterations', [
    ('i2sb_sr', dict(type='irsde_mm.I2SB', num_steps=1000, beta_max=0.3),
     'StepOutput', 256, 5e-5, 1_000_000),
    ('resshift_sr', dict(
        type='irsde_mm.ResShift', num_steps=15, kappa=1.0, power=0.3,
        min_noise=0.04, etas_end=0.99), 'CleanOutput', 64, 5e-5, 500_000),
    ('rddm_derain', dict(type='irsde_mm.RDDM', num_steps=1000, sum_scale=1.),
     'ResidualNoiseOutput', 2, 8e-5, 120_000),
    ('rddm_deshadow', dict(
        type='irsde_mm.RDDM', num_steps=1000, sum_scale=0.01),
     'ResidualNoiseOutput', 2, 8e-5, 120_000)])
def test_published_settings_of_the_family(name, process, output, batch, lr,
                                          iterations):
    cfg = load_config(f'family/published/{name}')
    assert cfg.model.sde == process
    assert cfg.model.output.type == f'irsde_mm.{output}'
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.optim_wrapper.optimizer.lr == lr
    assert cfg.train_cfg.max_iters == iterations
    assert cfg.model.generator.base_channels == 64


@pytest.mark.parametrize('autoencoder, process', [
    (f'{prefix}latent_autoencoder_{task}', f'{prefix}latent_{task}')
    for prefix, task in (('irsde/refusion_', 'dehaze'),
                         ('irsde/refusion_', 'deshadow'),
                         ('quickstart/', 'dehaze'))])
def test_latent_configs_fit_each_other(autoencoder, process):
    """The process uses the result of the other training."""
    first, second = load_config(autoencoder), load_config(process)
    assert first.model.type == 'irsde_mm.AutoencoderModel'
    model, folder = second.model, Path(autoencoder).name
    assert model.autoencoder == first.model.generator
    assert model.autoencoder_checkpoint == (
        f'work_dirs/{folder}/iter_{first.train_cfg.max_iters}.pth')
    assert first.train_dataloader.dataset.get('data_root') == (
        second.train_dataloader.dataset.get('data_root'))
    network = model.generator
    assert network.get('in_channels', network.get('img_channels')) == (
        model.autoencoder.latent_channels)
    assert network.long_skip


def draw(folder, names, size=(136, 160)):
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        pixels = np.random.default_rng(i).integers(
            0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f'{name}.png')


def masks(data):
    folder = data / 'inpainting_masks' / 'thin'
    folder.mkdir(parents=True)
    keep = np.full((256, 256), 255, np.uint8)
    keep[40:50, 30:200] = 0
    Image.fromarray(keep).save(folder / '000000.png')


def published_sets(data):
    """Write two images of every data set, in the layout of the configs."""
    for name in ('rain100h', 'rain100l'):
        for part in ('train', 'test'):
            for side in ('input', 'target'):
                draw(data / name / part / side, 'ab')
    for part in ('train', 'test'):
        for side in ('blur', 'sharp'):
            draw(data / 'gopro' / part / side, 'ab')
        draw(data / 'celebahq' / f'{part}_256', 'ab', (256, 256))
    for part in ('ITS', 'SOTS_indoor'):
        draw(data / 'reside' / part / 'hazy', ['1_1', '1_2'])
        draw(data / 'reside' / part / 'clear', '1')
    for hr, lr in (('df2k/HR', 'df2k/LR_bicubic/X'),
                   ('DIV2K/DIV2K_valid_HR', 'DIV2K/DIV2K_valid_LR_bicubic/X'),
                   ('Set5/GTmod12', 'Set5/LRbicx')):
        draw(data / hr, 'ab', (144, 168))
        for scale in (2, 3, 4):
            draw(data / f'{lr}{scale}', 'ab', (144 // scale, 168 // scale))
    draw(data / 'denoising_train', 'ab')
    for name in ('McMaster', 'Kodak24', 'CBSD68'):
        draw(data / 'denoising_gaussian_test' / name, 'ab')
    for name, test in (('ntire2023_shadow', 'val'), ('istd', 'test')):
        for part in ('train', test):
            for side in ('shadow', 'shadow_free'):
                draw(data / name / part / side, 'ab', (264, 272))
    masks(data)


@pytest.mark.grid(at_most=3)
@pytest.mark.parametrize('name', [
    *(f'irsde/{name}' for name in (*TASKS, 'deshadow', 'denoise_grey', 'sr_x3',
                                   'sr_x8', 'refusion_denoise')),
    *(f'family/published/{path.stem}' for path in CONFIGS
      if path.parent.name == 'published')])
def test_published_layouts_train_and_test(name, tmp_path, monkeypatch):
    """Run the papers' configs on their layouts with a tiny network."""
    cfg = load_config(name, {
        'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
        'model.sampler.num_steps': 1})
    cfg.model.generator = dict(
        type='irsde_mm.ConditionalNAFNet', width=4, enc_blocks=[1],
        middle_blocks=1, dec_blocks=[1],
        img_channels=cfg.model.generator.get('in_channels', 3),
        out_channels=cfg.model.generator.get('out_channels'),
        conditional=cfg.model.generator.get('conditional', True))
    monkeypatch.chdir(tmp_path)
    published_sets(tmp_path / 'data')
    cfg.work_dir = 'run'
    tests = as_list(cfg.test_dataloader)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, *tests):
        loader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = 2
    runner = Runner.from_cfg(cfg)
    runner.train()
    runner.test()
    scores, = Path('run').glob('2*/2*.json')
    scores = json.loads(scores.read_text())
    prefixes = {m.get('prefix') for e in as_list(cfg.test_evaluator)
                for m in e.metrics}
    assert len(prefixes) == len(tests)
    for prefix in prefixes:
        assert (f'{prefix}/PSNR' if prefix else 'PSNR') in scores
