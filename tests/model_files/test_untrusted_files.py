"""Untrusted exported files: they execute nothing and do not exhaust the
memory."""
import copy
import json
from pathlib import Path

import pytest
import torch
from conftest import VERSION_1
from irsde_mm.apis import init_restorer
from irsde_mm.apis.export import export
from irsde_mm.errors import CheckpointError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.model_files.exported import read_exported, write_exported
from irsde_mm.registry import MODELS

OLD = VERSION_1 / 'denoise.safetensors'


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> Path:
    """An exported pipeline."""
    path = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    export(init_restorer(str(trained / 'derain.py'),
                         str(trained / 'iter_2.pth'), 'cpu'), path, 'tiny')
    return path


@pytest.fixture(scope='module')
def baseline(tmp_path_factory) -> Path:
    """An exported model that mmagic builds."""
    path = tmp_path_factory.mktemp('exported') / 'cnn.safetensors'
    model = init_restorer('baselines/quickstart/derain_cnn', device='cpu')
    export(model, path, 'cnn')
    return path


def rewritten(given: Path, path: Path, weights=None, **texts) -> Path:
    """Write an exported file with other content and valid checksums, as a
    malicious author would.

    Args:
        texts: Metadata; None removes an entry.
    """
    read = read_exported(given)
    old = read['meta']['exported']
    old.pop('sha256')
    if 'irsde_mm' in read['meta']:
        old['settings'] = read['meta']['irsde_mm']
    texts = {key: value if isinstance(value, str) else json.dumps(value)
             for key, value in {**old, **texts}.items() if value is not None}
    path.unlink(missing_ok=True)
    write_exported(path, read['state_dict'] if weights is None else weights,
                   texts)
    return path


def settings_in(path: Path, key: str) -> dict:
    return copy.deepcopy(read_exported(path)['meta']['exported'][key])


def put(config: dict, place: str, value) -> None:
    *way, last = place.split('.')
    for key in way:
        config = config[int(key) if isinstance(config, list) else key]
    config[int(last) if isinstance(config, list) else last] = value


def refused(path: Path, photo: Path, error) -> str:
    """Check that no way to open a file accepts it; return a message."""
    with pytest.raises(CheckpointError, match=path.name):
        RestorationPipeline.from_file(path)
    with pytest.raises(CheckpointError, match=path.name) as found:
        init_restorer(str(path))
    messages = [str(found.value), error(
        'restore', photo, '--model', path, '--out', path.parent / 'out'),
        error('test', path)]
    assert all(str(path) in message for message in messages)
    assert not (path.parent / 'out').exists()
    return messages[0]


# ----------------------------------------------------------------- weights


def test_weights_that_do_not_fit(exported, tmp_path, photo, error):
    good = read_exported(exported)['state_dict']
    key = 'generator.conv_in.weight'
    path = tmp_path / 'x.safetensors'
    less = {name: value for name, value in good.items() if name != key}
    for weights, words in (
            ({**good, key: torch.zeros(4, 6, 5, 5)}, 'has shape (4, 6, 5, 5)'),
            ({**good, key: torch.full_like(good[key], torch.nan)}, 'finite'),
            ({**good, key: torch.full_like(good[key], -torch.inf)}, 'finite'),
            ({**good, 'generator.more': torch.zeros(1)},
             "with 'generator.more'"),
            ({**good, 'initial.more': torch.zeros(1)}, "with 'initial.more'"),
            ({**good, 'more': torch.zeros(1)}, "with 'more'"),
            (less, 'lacks 1 of')):
        rewritten(exported, path, weights)
        assert words in refused(path, photo, error)


def test_weights_of_a_baseline_that_do_not_fit(baseline, tmp_path, photo,
                                               error):
    good = read_exported(baseline)['state_dict']
    path = tmp_path / 'x.safetensors'
    less = dict(list(good.items())[1:])
    for weights, words in (({**good, 'more': torch.zeros(1)}, "with 'more'"),
                           (less, 'lacks 1 of')):
        rewritten(baseline, path, weights)
        assert words in error('test', path)
        assert words in error('restore', photo, '--model', path, '--out',
                              tmp_path / 'out')


# ------------------------------------------------------------- execution


@pytest.mark.parametrize('place', [
    'network', 'initial', 'sde', 'output', 'sampler', 'upscale', 'inference',
    'degradation', 'degradation.0', 'network.init_cfg', 'network.network',
    'network.enc_blocks', 'sde.schedule', 'sampler.scheduler', 'seed', 'tile',
    'custom_imports', 'model'])
def test_nothing_in_a_pipeline_is_executed(place, exported, tmp_path, photo,
                                           error):
    """Types are looked up in a registry; nothing is imported."""
    marker = tmp_path / 'executed'
    settings = settings_in(exported, 'pipeline')
    put(settings, place, dict(type='subprocess.Popen',
                              args=['touch', str(marker)]))
    path = rewritten(exported, tmp_path / 'x.safetensors', pipeline=settings)
    refused(path, photo, error)
    assert not marker.exists()


@pytest.mark.parametrize('place', [
    'type', 'generator', 'generator.network', 'pixel_loss', 'init_cfg',
    'data_preprocessor', 'test_cfg', 'train_cfg', 'generator.init_cfg',
    'hooks'])
def test_nothing_in_a_baseline_is_executed(place, baseline, tmp_path, photo,
                                           error):
    """mmengine would call any importable object with any arguments."""
    marker = tmp_path / 'executed'
    model = settings_in(baseline, 'model')
    attack = dict(type='subprocess.Popen', args=['touch', str(marker)])
    put(model, place, 'subprocess.Popen' if place == 'type' else attack)
    path = rewritten(baseline, tmp_path / 'x.safetensors', model=model)
    refused(path, photo, error)
    # without a path, so that the file is refused because of the type
    if place != 'type':
        put(model, place, dict(type='subprocess.Popen', args=['true']))
        path = rewritten(baseline, tmp_path / 'x.safetensors', model=model)
        assert 'not a registered model' in refused(path, photo, error) or (
            place.endswith('init_cfg'))
    assert not marker.exists()


@pytest.mark.parametrize('place', [
    'model', 'model.type', 'model.generator', 'model.sde', 'model.sampler',
    'model.test_cfg', 'model.data_preprocessor', 'model.pixel_loss',
    'model.val_sampler', 'model.init_cfg', 'model.generator.init_cfg'])
def test_nothing_in_a_file_of_version_1_is_executed(place, tmp_path, photo,
                                                    error):
    marker = tmp_path / 'executed'
    config = settings_in(OLD, 'config')
    put(config, place, dict(type='subprocess.Popen',
                            args=['touch', str(marker)]))
    path = rewritten(OLD, tmp_path / 'x.safetensors',
                     config=config)
    refused(path, photo, error)
    assert not marker.exists()


@pytest.mark.parametrize('place, value, words', [
    ('data_preprocessor.mean', [127.5] * 3, 'not scaled to [0, 1]'),
    ('data_preprocessor.std', 1, 'not scaled to [0, 1]'),
    ('data_preprocessor', [], 'data_preprocessor is not a dict'),
    ('test_cfg', [1], 'test_cfg is not a dict'),
    ('test_cfg.seed', 'x', "seed is 'x'"),
    ('generator.width', 10**9, 'not a number up to'),
    ('generator.width', 2000, 'larger than the weights'),
    ('sampler', None, 'sampler is None')])
def test_settings_of_version_1(place, value, words, tmp_path, photo, error):
    config = settings_in(OLD, 'config')
    put(config['model'], place, value)
    path = rewritten(OLD, tmp_path / 'x.safetensors',
                     config=config)
    assert words in refused(path, photo, error)


@pytest.mark.grid(at_most=5)
@pytest.mark.parametrize('place', [
    'test_dataloader', 'test_dataloader.dataset', 'test_evaluator',
    'test_dataloader.dataset.pipeline', 'test_dataloader.dataset.pipeline.0',
    'test_dataloader.collate_fn', 'custom_imports', 'default_hooks',
    'degradation', 'degradation.0', 'visualizer', 'model_wrapper_cfg'])
def test_only_the_model_of_version_1_is_read(place, tmp_path, photo, error):
    """Files of version 1 contain a test set, which is ignored."""
    marker = tmp_path / 'executed'
    config = settings_in(OLD, 'config')
    put(config, place, dict(type='subprocess.Popen',
                            args=['touch', str(marker)]))
    path = rewritten(OLD, tmp_path / 'x.safetensors',
                     config=config)
    RestorationPipeline.from_file(path)
    error('test', path)
    (tmp_path / 'photos').mkdir(exist_ok=True)
    (tmp_path / 'photos' / 'b.png').write_bytes(photo.read_bytes())
    if place.startswith('degradation'):
        error('test', path, '--data', tmp_path / 'photos')
    assert not marker.exists()


def test_mmengine_executes_the_attack(tmp_path):
    """Building the same config with mmengine runs the command."""
    marker = tmp_path / 'executed'
    MODELS.build(dict(type='subprocess.Popen', args=[
        'touch', str(marker)])).wait()
    assert marker.exists()


# ---------------------------------------------------------------- settings


def nested(depth: int) -> dict:
    value = {}
    for _ in range(depth):
        value = dict(a=value)
    return value


@pytest.mark.grid(at_most=30)
@pytest.mark.parametrize('place, value, words', [
    ('network.width', 10**9, 'not a number up to'),
    ('network.width', 100_000, 'larger than the weights'),
    ('network.width', 2, 'in the model'),
    ('network.width', '4', 'cannot be built'),
    ('network.width', -4, 'cannot be built'),
    ('network.width', None, 'cannot be built'),
    pytest.param('network.enc_blocks', [10**6, 1, 2],
                 'larger than the weights', marks=pytest.mark.slow),
    ('network.enc_blocks', [1, 1], 'same length'),
    ('network.depth', 3, 'depth'),
    ('network.in_channels', 1, 'in the model'),
    ('network.type', 'json', "'json', which is not a registered"),
    ('network.type', 'irsde_mm.IRSDE', 'no component'),
    ('network.type', 'irsde_mm.MAXIM', 'no component'),
    ('network.type', ['irsde_mm.ConditionalNAFNet'], 'no component'),
    ('network', None, 'network is None, expected dict'),
    ('network', [], 'network is []'),
    ('network', {}, 'no component'),
    ('sde.num_steps', 10**9, 'not a number up to'),
    ('sde.num_steps', 1e5, 'num_steps'),
    ('sde.max_sigma', 3, 'max_sigma'),
    ('sde.type', 'irsde_mm.PSNR', 'not a registered SDE'),
    ('sde.type', 'irsde_mm.PosteriorSampler', 'of kind SDE'),
    ('sde.type', 'irsde_mm.SDE', 'not a registered SDE'),
    ('output', dict(type='irsde_mm.IRSDE'), 'of kind Output'),
    ('output', 'noise', "output is 'noise'"),
    ('sampler', 'quick', 'unknown sampler'),
    ('sampler', 5, 'sampler is 5'),
    ('sampler', None, 'sampler is None'),
    ('sampler.type', 'irsde_mm.NoiseOutput', 'of kind Sampler'),
    ('sampler.num_steps', 10**5, 'at most 100'),
    ('sampler.num_steps', -1, 'num_steps'),
    ('sampler.scheduler', dict(type='DDIMScheduler'), 'scheduler'),
    ('seed', '1', "seed is '1'"), ('seed', -1, 'seed=-1'),
    ('seed', 2**70, 'seed='), ('seed', True, 'seed is True'),
    ('sigma', 'much', "sigma='much'"), ('sigma', 2, 'sigma=2'),
    ('sigma', [], 'sigma is []'),
    ('tile', 1, 'at least 128'), ('tile', 'large', 'tile'),
    ('tile', None, 'tile is None'),
    ('inference', dict(fold=1), 'fold'), ('inference', [1], 'inference is'),
    ('inference', dict(output_scale=10**5), 'output_scale'),
    ('inference', dict(compile='yes'), 'compile'),
    ('inference', dict(autocast=['fp16']), 'cannot be built'),
    ('order', 'GBR', "order='GBR'"), ('order', None, 'order is None'),
    ('upscale', dict(scale=10**5), 'scale'),
    ('upscale', dict(scale=1), 'scale'),
    ('upscale', dict(scale=4, mode='cubic'), 'mode'),
    ('upscale', 4, 'upscale is 4'),
    ('degradation', 'rain', 'degradation is'),
    ('degradation', dict(type='irsde_mm.Haze'), 'degradation is'),
    ('initial', dict(type='irsde_mm.RegressionNetwork'), 'cannot be'),
    ('initial', {}, 'no component'),
    ('_scope_', 'json', "'_scope_'"), ('sde._scope_', 'json', "'_scope_'"),
    ("a': 1}; import os", 1, 'invalid key'),
    ('note', 1, "'note' is not one of"),
    ('network.init_cfg', dict(type='Pretrained', checkpoint='x.pth'),
     'read another file'),
    ('network.pretrained', 'http://x.y/z.pth', 'read another file'),
    ('sde.schedule', '../../secret', "a path: '../../secret'"),
    ('sde.schedule', 'x' * 2000, 'too long'),
    ('sde.eps', nested(100), 'nested too deeply')])
def test_settings_of_a_pipeline(place, value, words, exported, tmp_path,
                                photo, error):
    settings = settings_in(exported, 'pipeline')
    put(settings, place, value)
    path = rewritten(exported, tmp_path / 'x.safetensors', pipeline=settings)
    assert words in refused(path, photo, error)


@pytest.mark.parametrize('key', ['network', 'sde', 'sampler'])
def test_missing_settings(key, exported, tmp_path, photo, error):
    settings = settings_in(exported, 'pipeline')
    del settings[key]
    path = rewritten(exported, tmp_path / 'x.safetensors', pipeline=settings)
    assert f"'{key}' is missing" in refused(path, photo, error)


@pytest.mark.parametrize('saved', [
    None, 5, {}, dict(sde=5, generator=5, objective='noise')])
def test_pipeline_without_training_settings(saved, exported, tmp_path, error):
    """It restores, but cannot be tested: the config may not match."""
    path = rewritten(exported, tmp_path / 'x.safetensors', settings=saved)
    RestorationPipeline.from_file(path)
    assert 'training settings are invalid' in error('test', path)


def test_pipeline_with_other_training_settings(exported, tmp_path, error):
    saved = read_exported(exported)['meta']['irsde_mm']
    saved['sde']['max_sigma'] = 0.1
    path = rewritten(exported, tmp_path / 'x.safetensors', settings=saved)
    assert 'max_sigma' in error('test', path, '--work-dir',
                                tmp_path / 'test')


@pytest.mark.parametrize('place, value, words', [
    ('generator.network.width', 10**9, 'not a number up to'),
    ('generator.network.width', 2000, 'larger than the weights'),
    ('generator.network.width', 12, 'in the model'),
    ('type', 'mmagic.SinGAN', 'not a registered model'),
    ('type', 'irsde_mm.ConditionalNAFNet', 'not a registered model'),
    ('type', ['mmagic.BaseEditModel'], 'not a registered model'),
    ('generator.type', 'json', 'not a registered model'),
    ('generator.type', 'irsde_mm.PSNR', 'not a registered model'),
    ('_scope_', 'json', "'_scope_'"),
    ('test_cfg', dict(note='{{$HOME:x}}/a'), 'or a path'),
    ('init_cfg', dict(type='Pretrained', checkpoint='x.pth'), 'read'),
    ('generator.pretrained', 'http://x.y/z.pth', 'read another file')])
def test_settings_of_a_baseline(place, value, words, baseline, tmp_path,
                                photo, error):
    model = settings_in(baseline, 'model')
    put(model, place, value)
    path = rewritten(baseline, tmp_path / 'x.safetensors', model=model)
    assert words in refused(path, photo, error) or words in error(
        'test', path)


@pytest.mark.parametrize('text', [
    '[' * 10**5, 'no JSON', '{"network": NaN}', '5', 'null', '[]', '{}',
    '{"network": 5}', '{"seed": 1e999}', '"' + 'x' * 2**21 + '"',
    '{"a":' * 200 + '1' + '}' * 200])
@pytest.mark.parametrize('key', ['pipeline', 'model', 'config'])
def test_malformed_texts(key, text, exported, tmp_path):
    path = tmp_path / 'y.safetensors'
    rewritten(exported, path, **{'pipeline': None, key: text})
    for open_file in (init_restorer, RestorationPipeline.from_file):
        with pytest.raises(CheckpointError, match='y.safetensors'):
            open_file(str(path))


@pytest.mark.parametrize('source', [
    '../../../etc/passwd', '/etc/passwd', 'nothing', '_base_/../irsde/derain',
    'x' * 5000, 'irsde\0derain'])
def test_sources_that_name_no_config(source, exported, tmp_path, error):
    path = rewritten(exported, tmp_path / 'x.safetensors', source=source)
    assert 'has no test set' in error('test', path)
