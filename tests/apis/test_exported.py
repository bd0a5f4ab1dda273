"""Models as files: complete, exact, and harmless whoever made them."""
import json
import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, run_tool
from irsde_mm.apis import init_restorer, restore
from irsde_mm.apis.configs import load_config
from irsde_mm.apis.exported import export, portable
from irsde_mm.errors import CheckpointError, ConfigError, OutputError
from irsde_mm.models.restorers.settings import plain
from irsde_mm.weight_files import read_plain
from mmengine.config import Config
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

CONFIGS = sorted(str(p.relative_to(ROOT / 'configs').with_suffix(''))
                 for p in (ROOT / 'configs').rglob('*.py')
                 if '_base_' not in p.parts)
SMALL = [name for name in CONFIGS if name.startswith(
    ('quickstart', 'baselines/quickstart'))]


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> Path:
    """A tiny model as tools/export.py leaves it."""
    path = tmp_path_factory.mktemp('exported') / 'tiny model.safetensors'
    assert run_tool('export', trained, '--out', path, '--licence',
                    'CC0-1.0') == 0
    return path


# ---------------------------------------------------------------- the file


def test_what_is_in_it(exported, trained):
    """The averaged weights, and all that the config says about their use."""
    with safe_open(exported, framework='pt') as file:
        texts = file.metadata()
    assert texts['title'] == 'derain' and texts['licence'] == 'CC0-1.0'
    assert texts['format_version'] == '1' and len(texts['sha256']) == 64
    settings, config = (json.loads(texts[key])
                        for key in ('settings', 'config'))
    checkpoint = torch.load(trained / 'iter_2.pth', weights_only=True)
    assert settings == checkpoint['meta']['irsde_mm']
    cfg = load_config(str(trained / 'derain.py'))
    assert config['model']['val_sampler'] == cfg.model.val_sampler
    assert config['test_evaluator'] == cfg.test_evaluator
    assert config['test_dataloader']['dataset']['split'] == 'test'
    weights = load_file(exported)
    assert set(weights) == set(checkpoint['state_dict'])
    assert all(torch.equal(weights[key], value)
               for key, value in checkpoint['state_dict'].items())


def test_no_licence_is_invented(trained, tmp_path, capfd):
    out = tmp_path / 'new folder' / 'x.safetensors'
    assert run_tool('export', trained / 'iter_2.pth', '--out', out) == 0
    assert read_plain(out)['meta']['exported']['licence'] == 'not given'
    assert str(out) in capfd.readouterr().out
    assert os.listdir(out.parent) == ['x.safetensors']


@pytest.mark.parametrize('name', SMALL)
def test_every_small_model_is_itself_again(name, tmp_path):
    path = tmp_path / 'model.safetensors'
    torch.manual_seed(1)
    model = init_restorer(name, device='cpu')
    for p in model.parameters():  # some layers are zero at first
        p.data += 0.01 * torch.randn_like(p)
    assert export(model, path, name) is None
    image = np.random.default_rng(0).integers(
        100, 130, (32, 24, 3), dtype=np.uint8)
    options = dict(steps=2) if hasattr(model, 'sampler') else {}
    assert np.array_equal(
        restore(model, image, **options),
        restore(init_restorer(str(path), device='cpu'), image, **options))


@pytest.mark.parametrize('name', CONFIGS)
def test_every_config_fits_into_a_file(name):
    """As JSON, with its test set; samplers and settings are carried."""
    config, left_out = portable(load_config(name))
    assert left_out is None
    again = json.loads(json.dumps(config, allow_nan=False))
    assert again == config
    assert config['model']['type'] == load_config(name).model.type
    if 'sampler' in config['model']:
        assert config['model']['sampler'] == plain(
            load_config(name).model.sampler)


@pytest.mark.parametrize('change, words', [
    ({'test_dataloader.collate_fn': dict(type='default_collate')},
     'other entries'),
    ({'test_dataloader.dataset.type': 'mmagic.BasicImageDataset'},
     "dataset has the type 'mmagic.BasicImageDataset'"),
    ({'test_dataloader': None}, 'no test set')])
def test_other_test_sets_stay_behind(change, words):
    cfg = load_config('quickstart/derain', change)
    config, left_out = portable(cfg)
    assert words in left_out and set(config) == {'model'}


# --------------------------------------------------------------- using it


def test_restored_as_with_config_and_checkpoint(exported, trained, photo,
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
    model = init_restorer(str(exported))
    assert model.sampler.num_steps == 2
    assert type(model.val_sampler).__name__ == 'PosteriorSampler'


def scores(folder: Path) -> dict:
    path, = folder.glob('2*/2*.json')
    return {key: value for key, value in json.loads(path.read_text()).items()
            if 'time' not in key}


def test_tested_as_with_config_and_checkpoint(exported, trained, tmp_path,
                                              monkeypatch):
    assert run_tool('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', tmp_path / 'a') == 0
    monkeypatch.chdir(tmp_path)
    assert run_tool('test', exported) == 0
    alone = tmp_path / 'work_dirs' / 'tiny model'
    assert scores(alone) == scores(tmp_path / 'a')
    assert 'PSNR_Y' in scores(alone)
    pictures = [sorted(folder.rglob('vis_image/*.png'))
                for folder in (tmp_path / 'a', alone)]
    assert [p.name for p in pictures[0]] == [p.name for p in pictures[1]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*pictures))
    # what lies there runs again, as any config
    kept = Config.fromfile(alone / 'tiny model.py')
    assert kept.model.sampler.num_steps == 2
    assert run_tool('test', exported, '--steps', 1, '--work-dir',
                    tmp_path / 'b') == 0
    assert scores(tmp_path / 'b') != scores(alone)


def test_tested_on_somebodys_photos(exported, trained, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'photos').mkdir()
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(
            tmp_path / 'photos' / f'{i}.png')
    for name, model in (('a', [exported]), ('b', [
            trained / 'derain.py', trained / 'iter_2.pth'])):
        assert run_tool('test', *model, '--data', tmp_path / 'photos',
                        '--work-dir', tmp_path / name) == 0
    assert scores(tmp_path / 'a') == scores(tmp_path / 'b')


def test_trained_on_from_it(exported, trained, tmp_path):
    path = tmp_path / 'tiny.safetensors'  # mmengine's options have no spaces
    path.write_bytes(exported.read_bytes())
    assert run_tool('train', trained / 'derain.py', '--work-dir', tmp_path,
                    '--cfg-options', f'load_from={path}',
                    'train_cfg.max_iters=1') == 0


def test_a_published_model_walks_as_its_config_says(tmp_path):
    """The flow denoises better than a posterior without settings would."""
    out = tmp_path / 'denoise.safetensors'
    assert run_tool('export', ROOT / 'weights' / 'bsds_denoise.pth',
                    '--config', 'bsds/denoise', '--out', out) == 0
    model = init_restorer(str(out))
    assert type(model.sampler).__name__ == 'ProbabilityFlowSampler'
    assert model.test_cfg['sigma'] == 'estimate'


def test_the_objective_is_that_of_the_weights(trained, tmp_path):
    """A config may say another: what the samplers undo follows the weights."""
    cfg = load_config(str(trained / 'derain.py'), {
        'model.pixel_loss.exact': True})
    config, out = tmp_path / 'exact.py', tmp_path / 'x.safetensors'
    cfg.dump(str(config))
    assert run_tool('export', trained / 'iter_2.pth', '--config', config,
                    '--out', out) == 0
    model = init_restorer(str(out))
    assert model.objective == 'euler' and model.sampler.debias


# ------------------------------------------------------------------ errors


def test_export_errors(exported, trained, tmp_path, error):
    out = ['--out', tmp_path / 'x.safetensors']
    before = exported.read_bytes()
    assert 'not overwritten' in error('export', trained, '--out', exported)
    assert exported.read_bytes() == before
    assert 'must end in .safetensors' in error('export', trained, '--out',
                                               tmp_path / 'x.pth')
    assert 'no checkpoint' in error('export', tmp_path / 'y.pth', *out)
    assert 'no work folder' in error('export', tmp_path, *out)
    alone = tmp_path / 'alone.pth'
    alone.write_bytes((trained / 'iter_2.pth').read_bytes())
    assert '--config' in error('export', alone, *out)
    assert 'other settings' in error('export', alone, '--config',
                                     'quickstart/derain', *out)
    assert 'cannot write' in error('export', trained, '--out',
                                   '/dev/null/x.safetensors')
    assert not (tmp_path / 'x.safetensors').exists()


def test_a_full_disk_leaves_nothing(trained, tmp_path):
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


def test_models_that_restore_no_images_are_refused(tmp_path):
    cfg = load_config('quickstart/derain', {
        'model.type': 'mmagic.SinGAN'})
    with pytest.raises(ConfigError, match='SinGAN'):
        portable(cfg)


@pytest.mark.parametrize('share', [0, 0.001, 0.01, 0.5, 0.999])
def test_truncated(exported, tmp_path, share, photo, error):
    content = exported.read_bytes()
    path = tmp_path / 'short.safetensors'
    path.write_bytes(content[:int(share * len(content))])
    message = error('restore', photo, '--model', path, '--out', tmp_path)
    assert 'broken' in message or 'does not say' in message


def test_every_flipped_bit_is_noticed(exported, tmp_path):
    content, path = exported.read_bytes(), tmp_path / 'flipped.safetensors'
    for place in np.random.default_rng(0).integers(len(content), size=60):
        flipped = bytearray(content)
        flipped[place] ^= 4
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            read_plain(path)


@pytest.mark.parametrize('texts, words', [
    ({}, 'does not say of which model'), (None, 'does not say'),
    (dict(format='irsde_mm', format_version='2', version='9.1'),
     'made by irsde_mm 9.1'),
    (dict(format='irsde_mm', format_version='1'), 'sha256'),
    (dict(format='irsde_mm', format_version='-1'), 'does not say'),
    (dict(format='pt'), 'does not say')])
def test_other_files(texts, words, tmp_path, photo, error):
    path = tmp_path / 'other.safetensors'
    save_file(dict(a=torch.zeros(2)), path, metadata=texts)
    for tool in (['restore', photo, '--model', path, '--out', tmp_path],
                 ['test', path]):
        assert words in error(*tool)
