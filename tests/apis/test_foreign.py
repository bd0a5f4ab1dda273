"""Exported files by people who mean harm: nothing of theirs is executed."""
import json
from pathlib import Path

import pytest
import torch
from irsde_mm.apis import init_restorer
from irsde_mm.apis.exported import config_of_weights, export
from irsde_mm.errors import CheckpointError
from irsde_mm.registry import MODELS
from irsde_mm.weight_files import read_plain, write_exported


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    export(init_restorer(str(trained)), path, 'tiny')
    return path


def rewritten(exported, path: Path, config=None, weights=None, **texts):
    """The exported file with other content, and the sums that belong to it:
    what a malicious author would publish."""
    read = read_plain(exported)
    old = read['meta']['exported']
    old.pop('sha256')
    config = old['config'] if config is None else config
    texts = {**old, 'settings': json.dumps(read['meta']['irsde_mm']),
             'config': json.dumps(config), **texts}
    write_exported(path, weights or read['state_dict'], texts)
    return path


def test_weights_that_do_not_fit(exported, tmp_path, photo, error):
    good = read_plain(exported)['state_dict']
    key = 'generator.conv_in.weight'
    path = tmp_path / 'x.safetensors'
    for change, words in (
            ({key: torch.zeros(4, 6, 5, 5)}, 'of another size'),
            ({key: torch.full_like(good[key], torch.nan)}, 'finite'),
            ({'generator.more': torch.zeros(1)}, "first is 'generator.more'")):
        rewritten(exported, path, weights={**good, **change})
        for tool in (['restore', photo, '--model', path, '--out', tmp_path],
                     ['test', path]):
            assert words in error(*tool)
    rewritten(exported, path, weights={
        name: value for name, value in good.items() if name != key})
    assert 'lacks 1 of' in error('test', path)


def put(config: dict, place: str, value) -> dict:
    *way, last = place.split('.')
    for key in way:
        config = config[int(key) if isinstance(config, list) else key]
    config[last] = value


PLACES = (
    'model', 'model.generator', 'model.sde', 'model.sampler',
    'model.val_sampler', 'model.pixel_loss', 'model.pixel_loss.distance',
    'model.data_preprocessor', 'model.generator.init_cfg',
    'model.train_cfg', 'model.sampler.scheduler', 'model.init_cfg',
    'test_dataloader', 'test_dataloader.dataset', 'test_dataloader.sampler',
    'test_dataloader.collate_fn', 'test_dataloader.worker_init_fn',
    'test_dataloader.batch_sampler', 'test_dataloader.dataset.pipeline.0',
    'test_evaluator', 'test_evaluator.metrics', 'custom_imports',
    'default_hooks', 'visualizer', 'model_wrapper_cfg', 'degradation')


@pytest.mark.parametrize('place', PLACES)
def test_nothing_is_executed(place, exported, tmp_path, photo, error):
    """mmengine would call whatever a name points to, with any arguments."""
    marker = tmp_path / 'executed'
    config = read_plain(exported)['meta']['exported']['config']
    way, _, last = place.rpartition('.')
    attack = dict(type='subprocess.Popen', args=['touch', str(marker)])
    if last.isdigit():
        put(config, way, [attack])
    else:
        put(config, place, attack)
    path = rewritten(exported, tmp_path / 'x.safetensors', config)
    with pytest.raises(CheckpointError):
        config_of_weights(path)
    assert str(path) in error('restore', photo, '--model', path, '--out',
                              tmp_path / 'out')
    assert not marker.exists()


def test_the_attack_works_on_mmengine(tmp_path):
    """The reason for all this."""
    marker = tmp_path / 'executed'
    MODELS.build(dict(type='subprocess.Popen', args=[
        'touch', str(marker)])).wait()
    assert marker.exists()


@pytest.mark.parametrize('place, value, words', [
    ('model.generator.width', 10**9, 'no number up to'),
    ('model.generator.width', 100_000, 'larger than the weights'),
    ('model.generator.width', 64, 'in the model'),
    pytest.param('model.generator.enc_blocks', [10**6, 1, 2],
                 'larger than the weights', marks=pytest.mark.slow),
    ('model.generator.enc_blocks', [1, 1], 'one entry a level'),
    ('model.generator.depth', 3, 'depth'),
    ('model.sde.num_steps', 10**9, 'no number up to'),
    ('model.sde.max_sigma', 3, 'max_sigma'),
    ('model.sde.type', 'irsde_mm.PSNR', 'no registered diffusion scheduler'),
    ('model.sde.type', 'irsde_mm.PosteriorSampler', 'no registered'),
    ('model.sde.type', ['irsde_mm.IRSDE'], 'no registered'),
    ('model.type', 'mmagic.SinGAN', 'no registered model'),
    ('model.type', 'irsde_mm.ConditionalNAFNet', 'no registered model'),
    ('model.generator.type', 'json', 'no registered model'),
    ('model._scope_', 'json', "'_scope_'"),
    ('model.sde._scope_', 'json', "'_scope_'"),
    ('model.init_cfg', dict(type='Pretrained', checkpoint='x.pth'), 'read'),
    ('model.generator.pretrained', 'http://x.y/z.pth', 'read another file'),
    ('model.test_cfg.folder', '../../secret', "text '../../secret'"),
    ('model.test_cfg.note', '{{$HOME:x}}', 'text'),
    ('model.test_cfg.note', 'x' * 2000, 'text'),
    ("model.test_cfg.a': 1}; import os", 1, 'name'),
    ('test_dataloader.dataset.type', 'BaseDataset', 'no registered dataset'),
    ('test_dataloader.dataset.type', 'mmagic.CIFAR10', 'no registered'),
    ('test_dataloader.dataset.backend_args', dict(backend='memcached'),
     'read another file'),
    ('test_dataloader.num_workers', 10**5, 'other entries'),
    ('test_evaluator.metrics', [dict(type='mmagic.FrechetInceptionDistance')],
     'no registered metric')])
def test_settings_that_ask_too_much(place, value, words, exported, tmp_path,
                                    error):
    config = read_plain(exported)['meta']['exported']['config']
    put(config, place, value)
    path = rewritten(exported, tmp_path / 'x.safetensors', config)
    assert words in error('test', path)


@pytest.mark.parametrize('text', [
    '[' * 10**5, 'no JSON', '{"model": NaN}', '5', 'null', '[]', '{}',
    '{"model": 5}', '{"model": {"type": 1e999}}', '"' + 'x' * 2**21 + '"',
    '{"model": {"type": "irsde_mm.IRSDERestorer"}}',
    '{"a":' * 200 + '1' + '}' * 200])
def test_texts_that_are_no_config(text, exported, tmp_path):
    path = tmp_path / 'x.safetensors'
    rewritten(exported, path)
    read = read_plain(path)
    texts = dict(read['meta']['exported'], config=text)
    texts.pop('sha256')
    write_exported(tmp_path / 'y.safetensors', read['state_dict'], texts)
    with pytest.raises(CheckpointError, match='y.safetensors'):
        init_restorer(str(tmp_path / 'y.safetensors'))
