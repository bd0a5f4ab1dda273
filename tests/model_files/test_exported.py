"""Exported models: complete, exact, written atomically."""
import json
import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, VERSION_1, run_tool
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.apis.export import export, settings_of, source_of
from irsde_mm.apis.inference import as_pipeline
from irsde_mm.config import load_config
from irsde_mm.config.trusted import check_model, detached
from irsde_mm.errors import CheckpointError, ConfigError, OutputError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.inference.presets import PRESETS
from irsde_mm.model_files import read_checkpoint
from irsde_mm.model_files.exported import (SETTINGS, pack, read_exported,
                                           write_exported)
from irsde_mm.model_files.limits import check_value
from irsde_mm.model_files.settings import KINDS, RESTORERS, is_own
from irsde_mm.models.restorers.settings import plain
from mmengine.config import Config
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

CONFIGS = sorted(str(p.relative_to(ROOT / 'configs').with_suffix(''))
                 for p in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in p.parts)
SMALL = [name for name in CONFIGS if name.startswith(
    ('quickstart', 'baselines/quickstart'))
    and 'autoencoder' not in name]  # an autoencoder alone restores nothing
BASES = ROOT / 'configs' / '_base_'
IMAGE = np.random.default_rng(0).integers(100, 130, (32, 24, 3),
                                          dtype=np.uint8)


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> Path:
    """A tiny model exported by tools/export.py."""
    path = tmp_path_factory.mktemp('exported') / 'tiny model.safetensors'
    assert run_tool('export', trained, '--out', path, '--licence',
                    'CC0-1.0') == 0
    return path


# ---------------------------------------------------------------- the file


def test_content_of_the_file(exported, trained):
    """The averaged weights and all restoration settings as plain data."""
    with safe_open(exported, framework='pt') as file:
        texts = file.metadata()
    assert texts['title'] == 'derain' and texts['licence'] == 'CC0-1.0'
    assert texts['format_version'] == '2' and len(texts['sha256']) == 64
    assert texts['source'] == 'quickstart/derain'
    assert 'config' not in texts and 'model' not in texts
    settings, pipeline = (json.loads(texts[key])
                          for key in ('settings', 'pipeline'))
    checkpoint = torch.load(trained / 'iter_2.pth', weights_only=True)
    assert settings == checkpoint['meta']['irsde_mm']
    cfg = load_config(str(trained / 'derain.py'))
    assert set(pipeline) == set(KINDS)
    assert pipeline['network'] == plain(cfg.model.generator)
    assert pipeline['sde'] == plain(cfg.model.sde)
    assert pipeline['output'] == dict(
        type='irsde_mm.CleanOutput', residual=True)
    assert pipeline['sampler']['num_steps'] == 2
    assert pipeline['degradation'] == plain(cfg.degradation)
    weights = load_file(exported)
    assert torch.equal(weights.pop(SETTINGS), pack(texts))
    assert set(weights) == set(checkpoint['state_dict'])
    assert all(torch.equal(weights[key], value)
               for key, value in checkpoint['state_dict'].items())


def test_default_license(trained, tmp_path, capfd):
    out = tmp_path / 'new folder' / 'x.safetensors'
    assert run_tool('export', trained / 'iter_2.pth', '--out', out) == 0
    assert read_exported(out)['meta']['exported']['licence'] == 'not given'
    logged = capfd.readouterr().out
    assert f"to '{out}'" in logged
    assert "uses the test set of 'quickstart/derain'" in logged
    assert os.listdir(out.parent) == ['x.safetensors']


@pytest.mark.grid(at_most=8)
@pytest.mark.parametrize('name', SMALL)
def test_every_small_model_can_be_exported(name, tmp_path):
    path = tmp_path / 'model.safetensors'
    torch.manual_seed(1)
    model = init_restorer(name, device='cpu')
    for p in model.parameters():  # some layers are initialized to zero
        p.data += 0.01 * torch.randn_like(p)
    assert export(model, path, name) is None
    assert read_exported(path)['meta']['exported']['source'] == name
    again = init_restorer(str(path), device='cpu')
    ours = isinstance(as_pipeline(model), RestorationPipeline)
    assert isinstance(again, RestorationPipeline) == ours
    options = dict(steps=2) if ours else {}
    assert np.array_equal(restore(model, IMAGE, **options),
                          restore(again, IMAGE, **options))


@pytest.mark.grid(at_most=15)
@pytest.mark.parametrize('name', CONFIGS)
def test_every_config_can_be_exported(name):
    """The name of the config is its source, and its settings are allowed."""
    cfg = load_config(name)
    assert source_of(cfg) == name
    content = plain(cfg.to_dict())['model']
    if content['type'] in RESTORERS:
        for key in ('generator', 'sde', 'sampler'):
            check_value(content[key], key)
            # mmagic's network is not part of the core
            assert content[key] in list(PRESETS) or is_own(
                content[key]) or name == 'mixing/denoising_unet'
    else:
        check_model(detached(content))


def test_changed_test_sets_have_no_source(tmp_path):
    for change in ({'test_dataloader.dataset.split': 'train'},
                   {'degradation.0.layers': (1, 1)},
                   {'test_evaluator.metrics.0.crop_border': 7},
                   {'test_dataloader': None}):
        assert source_of(load_config('quickstart/derain', change)) == ''
    # the copy in a work directory
    cfg = load_config('quickstart/sr', {'train_cfg.max_iters': 5})
    cfg.dump(tmp_path / 'sr.py')
    assert source_of(load_config(str(tmp_path / 'sr.py'))) == 'quickstart/sr'
    cfg.dump(tmp_path / 'mine.py')
    assert source_of(load_config(str(tmp_path / 'mine.py'))) == ''


def test_degradations_that_need_files_are_omitted():
    """The file does not include the masks."""
    cfg = load_config('quickstart/inpaint')
    model = init_restorer('quickstart/inpaint', device='cpu')
    content = plain(cfg.to_dict())
    kept = json.loads(settings_of(model, content)['pipeline'])
    assert kept['degradation'] == content['degradation']
    content['degradation'][0]['folder'] = 'data/masks'
    assert json.loads(settings_of(model, content)['pipeline'])[
        'degradation'] == []


# ------------------------------------------------------- using the file


def test_restoration_equals_config_and_checkpoint(exported, trained, photo,
                                                  tmp_path):
    for i, options in enumerate(([], ['--seed', 3], ['--steps', 1], [
            '--sampler', 'fast', '--steps', 3])):
        results = []
        for model in (exported, trained):
            out = tmp_path / f'{i}-{model.name}'
            assert run_tool('restore', photo, '--model', model, '--out', out,
                            *options) == 0
            results.append((out / 'my photo.png').read_bytes())
        assert results[0] == results[1]
    assert init_restorer(str(exported)).sampler.num_steps == 2


def scores(folder: Path) -> dict:
    path, = folder.glob('2*/2*.json')
    return {key: value for key, value in json.loads(path.read_text()).items()
            if 'time' not in key}


@pytest.mark.slow
def test_scores_equal_config_and_checkpoint(exported, trained, tmp_path,
                                            monkeypatch):
    assert run_tool('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', tmp_path / 'a') == 0
    monkeypatch.chdir(tmp_path)
    assert run_tool('test', exported) == 0
    alone = tmp_path / 'work_dirs' / 'tiny model'
    # LPIPS needs weights/ in the current directory
    assert scores(alone) == {
        key: value for key, value in scores(tmp_path / 'a').items()
        if 'LPIPS' not in key}
    assert 'PSNR_Y' in scores(alone)
    pictures = [sorted(folder.rglob('vis_image/*.png'))
                for folder in (tmp_path / 'a', alone)]
    assert [p.name for p in pictures[0]] == [p.name for p in pictures[1]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*pictures))
    # the config in the work directory can be used again
    kept = Config.fromfile(alone / 'tiny model.py')
    assert kept.model.sampler.num_steps == 2
    assert run_tool('test', exported, '--steps', 1, '--work-dir',
                    tmp_path / 'b') == 0
    assert scores(tmp_path / 'b') != scores(alone)


@pytest.fixture
def photos(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / 'photos').mkdir()
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(
            tmp_path / 'photos' / f'{i}.png')
    return tmp_path / 'photos'


def without_source(path: Path, out: Path) -> Path:
    content = read_exported(path)
    texts = content['meta']['exported']
    kept = {key: json.dumps(value) if isinstance(value, dict) else value
            for key, value in texts.items() if key not in ('source', 'sha256')}
    write_exported(out, content['state_dict'], kept)
    return out


@pytest.mark.slow
def test_scores_on_own_photos(exported, trained, tmp_path, photos):
    """With and without a source config."""
    alone = without_source(exported, tmp_path / 'alone.safetensors')
    for name, model in (('a', [exported]), ('b', [
            trained / 'derain.py', trained / 'iter_2.pth']), ('c', [alone])):
        assert run_tool('test', *model, '--data', photos, '--work-dir',
                        tmp_path / name) == 0
    assert scores(tmp_path / 'a') == scores(tmp_path / 'b') == scores(
        tmp_path / 'c')


def test_file_without_a_test_set(exported, trained, tmp_path, photos, error):
    alone = without_source(exported, tmp_path / 'alone.safetensors')
    message = error('test', alone)
    assert 'has no test set' in message and '--data' in message
    assert run_tool('test', trained / 'derain.py', alone, '--work-dir',
                    tmp_path / 'a') == 0
    # a checkpoint has no degradation: it needs pairs or its config
    checkpoint = trained / 'iter_2.pth'
    assert 'has no test set' in error('test', checkpoint)
    assert 'does not specify how to degrade' in error(
        'test', checkpoint, '--data', photos)
    for side in ('input', 'target'):
        shutil.copytree(photos, tmp_path / 'pairs' / side)
    assert run_tool('test', checkpoint, '--data', tmp_path / 'pairs',
                    '--work-dir', tmp_path / 'b') == 0


def test_scores_of_version_1_on_own_photos(tmp_path, photos, error):
    """The test set of these files is not included."""
    path, config = VERSION_1 / 'inpaint.safetensors', tmp_path / 'inpaint.py'
    names = ('models/quickstart_refining', 'datasets/builtin_masks',
             'schedules/quickstart', 'default_runtime')
    model = dict(
        generator=dict(width=8, pad_mode='constant'),
        initial=dict(network=dict(pad_mode='constant')),  # as 0.1
        sde=dict(max_sigma=10 / 255, eps=0.4),
        output=dict(_delete_=True, type='irsde_mm.NoiseOutput'),
        sampler=dict(_delete_=True, type='irsde_mm.PosteriorSampler',
                     num_steps=2),
        timesteps='discrete', pixel_loss=dict(
            _delete_=True, type='irsde_mm.MaximumLikelihoodLoss', exact=True))
    config.write_text(f'_base_ = {[f"{BASES}/{name}.py" for name in names]}\n'
                      f'model = {model}\n')
    assert 'has no test set' in error('test', path)
    assert run_tool('test', path, '--data', photos, '--work-dir',
                    tmp_path / 'a', '--steps', 1) == 0
    assert run_tool('test', config, path, '--data', photos,
                    '--work-dir', tmp_path / 'b', '--steps', 1) == 0
    found, expected = (scores(tmp_path / folder) for folder in 'ab')
    # both crop 4 pixels, as is common
    assert {'PSNR', 'input_SSIM_Y'} < set(found)
    assert found.items() <= expected.items()


def test_half_precision(exported, trained, photo, tmp_path, error):
    """Half the size, float32 after loading, and nearly the same result."""
    path = tmp_path / 'half.safetensors'
    assert run_tool('export', trained, '--out', path, '--half') == 0
    whole = read_checkpoint(str(exported))['state_dict']
    half = read_checkpoint(str(path))['state_dict']
    assert path.stat().st_size < 0.7 * exported.stat().st_size
    for key, value in whole.items():
        assert half[key].dtype == value.dtype, key
        torch.testing.assert_close(half[key], value, rtol=1e-3, atol=1e-6)
    a, b = (restore(init_restorer(str(file)), str(photo)).astype(int)
            for file in (exported, path))
    assert np.abs(a - b).max() <= 1


def test_weights_too_large_for_half_precision(trained, tmp_path):
    model = init_restorer(str(trained / 'derain.py'),
                          str(trained / 'iter_2.pth'))
    next(model.parameters()).data.fill_(1e5)
    with pytest.raises(ConfigError, match='too large for float16'):
        export(model, tmp_path / 'half.safetensors', 'derain', half=True)
    assert not list(tmp_path.iterdir())


def test_crispness_is_a_setting_of_the_file(trained, tmp_path):
    image = np.zeros((9, 9, 3), np.uint8)
    model = init_restorer(str(trained), device='cpu')
    model.pipeline.crispness = 0.25
    export(model, tmp_path / 'dial.safetensors', 'dial')
    pipe = RestorationPipeline.from_file(tmp_path / 'dial.safetensors', 'cpu')
    assert pipe.crispness == 0.25
    found, expected = pipe(image), pipe(image, crispness=1)
    assert not np.array_equal(found, expected)
    cfg = load_config(str(tmp_path / 'dial.safetensors'))
    assert cfg.model.test_cfg.crispness == 0.25
    content = read_exported(tmp_path / 'dial.safetensors')
    texts = {key: json.dumps(value) if isinstance(value, (dict, list))
             else value for key, value in content['meta']['exported'].items()
             if key != 'sha256'}
    for wrong in (7, True, 'x'):
        write_exported(tmp_path / 'w.safetensors', content['state_dict'], dict(
            texts, pipeline=json.dumps(dict(
                content['meta']['exported']['pipeline'], crispness=wrong))))
        with pytest.raises(CheckpointError, match='crispness'):
            RestorationPipeline.from_file(tmp_path / 'w.safetensors', 'cpu')


def test_training_from_the_file(exported, trained, tmp_path):
    path = tmp_path / 'tiny.safetensors'  # options must not contain spaces
    path.write_bytes(exported.read_bytes())
    assert run_tool('train', trained / 'derain.py', '--work-dir', tmp_path,
                    '--cfg-options', f'load_from={path}',
                    'train_cfg.max_iters=1') == 0


def test_published_model_restores_as_its_config(tmp_path):
    """Sampler and noise level are those of the config, not the defaults."""
    out = tmp_path / 'denoise.safetensors'
    assert run_tool('export', ROOT / 'weights' / 'bsds_denoise.pth',
                    '--config', 'bsds/denoise_published', '--out', out) == 0
    model = init_restorer(str(out))
    assert type(model.sampler).__name__ == 'ProbabilityFlowSampler'
    assert model.sigma == 'estimate'


def test_objective_is_that_of_the_weights(tmp_path):
    """Even if the config has another one."""
    cfg = load_config('bsds/derain_published', {
        'model.pixel_loss.exact': True})
    config, out = tmp_path / 'exact.py', tmp_path / 'x.safetensors'
    cfg.dump(str(config))
    assert run_tool('export', ROOT / 'weights' / 'bsds_derain.pth',
                    '--config', config, '--out', out) == 0
    model = init_restorer(str(out))
    assert type(model.output).__name__ == 'EulerNoiseOutput'


def test_custom_objectives_can_be_exported(tmp_path):
    """The file does not name the loss, which restoration does not need."""
    from irsde_mm.models import NoiseMatchingLoss
    from irsde_mm.registry import MODELS

    @MODELS.register_module(name='LossOfTheTest', force=True)
    class LossOfTheTest(NoiseMatchingLoss):
        objective = 'of the test'

    try:
        cfg = load_config('quickstart/derain', {
            'model.pixel_loss': dict(type='irsde_mm.LossOfTheTest'),
            'model.generator.width': 4})
        cfg.dump(str(tmp_path / 'own.py'))
        model = init_restorer(str(tmp_path / 'own.py'), device='cpu')
    finally:
        MODELS.module_dict.pop('LossOfTheTest')
    export(model, tmp_path / 'x.safetensors', 'x')
    again = init_restorer(str(tmp_path / 'x.safetensors'), device='cpu')
    assert type(again.output).__name__ == 'CleanOutput'
    assert np.array_equal(restore(model, IMAGE, steps=2),
                          restore(again, IMAGE, steps=2))


def test_files_of_version_1(tmp_path):
    """They contain a config."""
    for name in ('denoise', 'inpaint'):
        path = VERSION_1 / f'{name}.safetensors'
        assert read_exported(str(path))['meta']['exported'][
            'format_version'] == '1'
        pipeline = RestorationPipeline.from_file(path, 'cpu')
        assert pipeline.seed == 0 and pipeline.order == 'RGB'
        assert pipeline.upscale == 1
        assert pipeline.sigma == ('estimate' if name == 'denoise' else None)
        assert pipeline.degradation[0]['type'].startswith('irsde_mm.')


@pytest.mark.parametrize('name', ['denoise', 'derain'])
def test_checkpoints_of_version_1(name, tmp_path):
    """Same results as with their config, except for the sampler."""
    path = ROOT / 'weights' / f'bsds_{name}.pth'
    alone = RestorationPipeline.from_file(path, 'cpu')
    model = init_restorer(f'bsds/{name}_published', str(path), 'cpu')
    options = dict(sampler='fast', seed=1)
    assert np.array_equal(restore(alone, IMAGE, **options),
                          restore(model, IMAGE, **options))


def test_file_of_a_baseline(tmp_path, photo):
    """mmagic builds it; restore and test need no config."""
    model = init_restorer('baselines/quickstart/derain_cnn', device='cpu')
    path = tmp_path / 'cnn.safetensors'
    export(model, path, 'cnn')
    with pytest.raises(CheckpointError, match='load mmagic models with'):
        RestorationPipeline.from_file(path)
    assert run_tool('restore', photo, '--model', path, '--out',
                    tmp_path / 'out') == 0
    image = np.asarray(Image.open(photo))[..., ::-1].copy()
    with Image.open(tmp_path / 'out' / 'my photo.png') as result:
        assert np.array_equal(np.asarray(result)[..., ::-1],
                              restore(model, image))
    tool = RestorationInferencer(str(path), device='cpu')
    assert tool.pipeline.sampler is None
    assert run_tool('test', path, '--work-dir', tmp_path / 'test') == 0
    assert 'PSNR' in scores(tmp_path / 'test')


# ------------------------------------------------------------------ errors


def test_export_errors(exported, trained, tmp_path, error):
    out = ['--out', tmp_path / 'x.safetensors']
    before = exported.read_bytes()
    assert 'not overwritten' in error('export', trained, '--out', exported)
    assert exported.read_bytes() == before
    assert 'must end in .safetensors' in error('export', trained, '--out',
                                               tmp_path / 'x.pth')
    assert 'does not exist' in error('export', tmp_path / 'y.pth', *out)
    assert 'not a work directory' in error('export', tmp_path, *out)
    alone = tmp_path / 'alone.pth'
    alone.write_bytes((trained / 'iter_2.pth').read_bytes())
    assert '--config' in error('export', alone, *out)
    assert 'different settings' in error('export', alone, '--config',
                                         'quickstart/derain', *out)
    assert 'cannot write' in error('export', trained, '--out',
                                   '/dev/null/x.safetensors')
    assert not (tmp_path / 'x.safetensors').exists()


def test_full_disk_leaves_no_file(trained, tmp_path):
    model = init_restorer(str(trained))
    path = tmp_path / 'x.safetensors'
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OutputError, match='cannot write'):
            export(model, path, 'x')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_models_that_cannot_be_exported(tmp_path):
    """The message names the setting, and no file is written."""
    model = init_restorer('quickstart/derain', device='cpu')
    path = tmp_path / 'x.safetensors'
    for key, value, words in (
            ('generator.type', 'mine.Network', "generator.*'mine.Network'"),
            ('sde.type', 'IRSDE2', "sde.*'IRSDE2'"),
            ('sampler.type', 'mine.Sampler', "sampler.*'mine.Sampler'"),
            ('data_preprocessor.std', [1., 1., 1.], 'not scaled to .0, 1.')):
        cfg = load_config('quickstart/derain')
        part, _, name = key.partition('.')
        cfg.model[part][name] = value
        model.cfg = cfg
        with pytest.raises(ConfigError, match=f'cannot be exported.*{words}'):
            export(model, path, 'x')
    baseline = init_restorer('baselines/quickstart/derain_cnn', device='cpu')
    baseline.cfg.model.type = 'mmagic.SinGAN'
    with pytest.raises(ConfigError, match='SinGAN'):
        export(baseline, path, 'x')
    assert not path.exists()


def test_custom_model_classes_cannot_be_exported(tmp_path):
    model = init_restorer('quickstart/derain', device='cpu')
    model.__class__ = type('Mine', (type(model), ), {})
    with pytest.raises(ConfigError, match='Mine is not supported'):
        export(model, tmp_path / 'x.safetensors', 'x')


@pytest.mark.parametrize('share', [0, 0.001, 0.01, 0.5, 0.999])
def test_truncated_files(exported, tmp_path, share, photo, error):
    content = exported.read_bytes()
    path = tmp_path / 'short.safetensors'
    path.write_bytes(content[:int(share * len(content))])
    message = error('restore', photo, '--model', path, '--out', tmp_path)
    assert 'broken' in message or 'no description' in message


def test_flipped_bits_are_detected(exported, tmp_path):
    content, path = exported.read_bytes(), tmp_path / 'flipped.safetensors'
    for place in np.random.default_rng(0).integers(len(content), size=60):
        flipped = bytearray(content)
        flipped[place] ^= 4
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            read_checkpoint(path)


@pytest.mark.parametrize('texts, words', [
    ({}, 'no description of the model'), (None, 'no description'),
    (dict(format='irsde_mm', format_version='3', version='9.1'),
     'written by irsde_mm 9.1'),
    (dict(format='irsde_mm', format_version='1'), 'sha256'),
    (dict(format='irsde_mm', format_version='2'), 'sha256'),
    (dict(format='irsde_mm', format_version='-1'), 'no description'),
    (dict(format='pt'), 'no description')])
def test_other_files(texts, words, tmp_path, photo, error):
    path = tmp_path / 'other.safetensors'
    save_file(dict(a=torch.zeros(2)), path, metadata=texts)
    for tool in (['restore', photo, '--model', path, '--out', tmp_path],
                 ['test', path]):
        assert words in error(*tool)
