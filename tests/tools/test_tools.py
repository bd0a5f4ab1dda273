"""The tools as a user runs them, and their errors."""
import csv
import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import GOLDEN, ROOT, TINY, run_tool
from irsde_mm.commands.train import set_amp
from irsde_mm.config import load_config
from irsde_mm.inference.presets import SAMPLERS
from PIL import Image


# ------------------------------------------------------------------ train


def test_train_and_resume(trained, tmp_path, error, capfd):
    import shutil
    folder = tmp_path / 'copy'
    shutil.copytree(trained, folder)
    assert (folder / 'iter_2.pth').exists() and (folder / 'derain.py').exists()
    again = ['quickstart/derain', '--work-dir', folder, '--cfg-options',
             *TINY[:-1], 'val_dataloader.dataset.indices=1',
             'train_cfg.max_iters=4']
    assert '--resume' in error('train', *again)
    assert run_tool('train', *again, '--resume') == 0
    meta = torch.load(folder / 'iter_4.pth', weights_only=True)['meta']
    assert meta['iter'] == 4
    # a run that started from other weights resumes from its own
    start = [*again[:-1], f'load_from={trained}/iter_2.pth',
             'train_cfg.max_iters=6']
    assert run_tool('train', *start, '--resume') == 0
    meta = torch.load(folder / 'iter_6.pth', weights_only=True)['meta']
    assert meta['iter'] == 6
    # a run without a checkpoint starts from them
    start[2] = tmp_path / 'new'
    assert run_tool('train', *start, '--resume') == 0
    assert f'starting from {trained}/iter_2.pth' in capfd.readouterr().out
    # failing commands do not change the run's config
    config = (folder / 'derain.py').read_text()
    error('train', *again, 'model.sde.max_sigma=0.3', '--resume')
    error('test', 'quickstart/derain', folder / 'iter_6.pth', '--work-dir',
          folder, '--cfg-options', *TINY, 'model.sde.max_sigma=0.3')
    assert (folder / 'derain.py').read_text() == config


def test_train_amp(tmp_path):
    assert run_tool('train', 'quickstart/derain', '--work-dir', tmp_path,
                    '--amp', '--cfg-options', *TINY) == 0
    assert 'BFloat16' in (tmp_path / 'derain.py').read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason='uses fp16 on a GPU')
@pytest.mark.parametrize('fast', [False, True])
def test_amp_warns_if_the_cpu_makes_it_slow(fast, monkeypatch, recwarn):
    monkeypatch.setattr('irsde_mm.engine.optim_wrappers.has_fast_bfloat16',
                        lambda: fast)
    cfg = load_config('quickstart/derain')
    set_amp(cfg)
    assert cfg.optim_wrapper.type == 'irsde_mm.BFloat16OptimWrapper'
    assert any('without --amp' in str(w.message) for w in recwarn) != fast


def test_train_mmagic_configs(tmp_path, photo):
    """A model and runtime of mmagic, without our hooks, on built-in data."""
    config = tmp_path / 'mm.py'
    config.write_text(f'''
_base_ = ['{ROOT}/configs/_base_/datasets/builtin_rain.py',
          'mmagic::_base_/default_runtime.py']
default_hooks = dict(checkpoint=dict(_delete_=True, type='CheckpointHook',
                                     interval=5000, by_epoch=False,
                                     save_best='PSNR', rule='greater'))
model = dict(
    type='BaseEditModel',
    generator=dict(type='SRCNNNet', channels=(3, 4, 4, 3), upscale_factor=1),
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(type='DataPreprocessor', mean=[0.] * 3,
                           std=[255.] * 3))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')
optim_wrapper = dict(type='OptimWrapper',
                     optimizer=dict(type='Adam', lr=1e-4))
''')
    assert run_tool('train', config, '--work-dir', tmp_path / 'run') == 0
    assert list((tmp_path / 'run').glob('best_PSNR*.pth'))
    assert run_tool('test', config, tmp_path / 'run' / 'iter_2.pth',
                    '--work-dir', tmp_path / 'test') == 0
    assert run_tool('train', config, '--work-dir', tmp_path / 'run',
                    '--resume', '--cfg-options', 'train_cfg.max_iters=3') == 0
    assert run_tool('restore', photo, '--model', tmp_path / 'run', '--out',
                    tmp_path / 'restored') == 0


@pytest.mark.parametrize('options, words', [
    (['irsde/dehraze'], 'no config'),
    (['irsde/derain'], 'data/rain100h/train.*does not exist.*quickstart'),
    (['quickstart/derain', '--cfg-options', 'model.sde.max_sigma=20'],
     'max_sigma must be in'),
    (['quickstart/derain', '--cfg-options', 'model.sde.type=irsde_mm.SDEX'],
     'SDEX'),
    (['quickstart/derain', '--cfg-options', 'model.sde.depth=3'], 'depth'),
    (['quickstart/derain', '--cfg-options', 'load_from=/nothing.pth'],
     'no checkpoint'),
    (['quickstart/derain', '--resume', '--cfg-options',
      'load_from=/nothing.pth'], 'no checkpoint'),
    (['quickstart/derain', '--resume', '/nothing.pth'], 'no checkpoint'),
    (['quickstart/derain', '--work-dir', '/dev/null/x'], '/dev/null'),
    (['quickstart/derain', '--cfg-options',
      'optim_wrapper.optimizer.type=Adamant'], 'Adamant'),
    (['quickstart/derain', '--cfg-options',
      'param_scheduler.0.type=SawLR'], 'SawLR'),
    (['baselines/quickstart/derain_sr3', '--cfg-options',
      'model.sde.schedule=jsd', 'model.sampler.clamp=None'],
     'alpha_bar = 0.*clamp='),
    (['quickstart/derain_likelihood', '--cfg-options',
      'model.timesteps=discrete'], 'importance=False'),
    (['quickstart/derain', '--cfg-options', 'a', 'b'], 'KEY=VALUE'),
    (['quickstart/derain', '--launcher', 'pytorch'], 'torchrun'),
])
def test_train_errors(options, words, error, tmp_path, monkeypatch):
    import re
    monkeypatch.chdir(tmp_path)
    assert re.search(words, error('train', *options))


def test_datasets_without_lazy_init_are_not_checked():
    """mmagic has datasets without lazy_init, which are left to the Runner."""
    from irsde_mm.config.checks import check_data
    from irsde_mm.errors import DataError
    from mmengine.config import Config

    def config(**dataset):
        return Config(dict(default_scope='mmagic', train_dataloader=dict(
            dataset=dataset)))

    check_data(config(type='SinGANDataset', data_root='nowhere.png',
                          min_size=25, max_size=250, scale_factor_init=0.75),
                   'train', 'val')
    with pytest.raises(DataError, match='nowhere'):
        check_data(config(type='irsde_mm.PairedImageDataset',
                              data_root='nowhere'), 'train')


def test_train_names_data_problems(error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for side in ('input', 'target'):
        for split in ('train', 'test'):
            folder = tmp_path / 'data' / 'rain100h' / split / side
            folder.mkdir(parents=True)
            Image.new('RGB', (8, 8)).save(folder / f'{side}.png')
    text = error('train', 'irsde/derain')
    assert "input.png' has no partner" in text
    assert "target.png' has no partner" in text


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(ValueError, match='no config'):
        run_tool('train', 'irsde/dehraze', '--debug')


# ------------------------------------------------------------------- test


def test_test_scores_and_writes_pictures(trained, tmp_path, capfd):
    assert run_tool('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', tmp_path) == 0
    out = capfd.readouterr()
    assert 'input_PSNR_Y' in out.out + out.err
    scores, = (json.loads(p.read_text()) for p in tmp_path.glob('2*/2*.json'))
    assert scores['PSNR'] > 5 and 10 < scores['input_PSNR_Y'] < 30
    assert len(list(tmp_path.rglob('vis_image/*'))) == 3


def test_test_errors(trained, tmp_path, error):
    config = trained / 'derain.py'
    broken = tmp_path / 'broken.pth'
    broken.write_bytes((trained / 'iter_2.pth').read_bytes()[:5000])
    text = tmp_path / 'notes.pth'
    assert 'no checkpoint' in error('test', config, tmp_path / 'x.pth')
    assert 'broken' in error('test', config, broken)
    for content in ('hello', 'b', 'text', ''):
        text.write_text(content)
        assert 'not a checkpoint of plain weights' in error(
            'test', config, text)
    torch.save({'generator.conv_in.weight': torch.zeros(1)}, text)
    assert "'state_dict'" in error('test', config, text)
    found = error('test', config, trained / 'iter_2.pth', '--work-dir',
                  tmp_path, '--cfg-options', 'model.sde.max_sigma=0.1')
    assert '50/255' in found and '25.5/255' in found
    found = error('test', config, trained / 'iter_2.pth', '--work-dir',
                  tmp_path, '--cfg-options', 'model.sampler.num_steps=101')
    assert 'num_steps=101' in found


class Evil:

    def __reduce__(self):
        return (print, ('executed',))


def test_files_with_code_are_refused(trained, tmp_path, error, capfd):
    evil = tmp_path / 'evil.pth'
    with open(evil, 'wb') as file:
        pickle.dump(dict(state_dict={'a': Evil()}), file)
    assert 'not a checkpoint of plain weights' in error(
        'test', trained / 'derain.py', evil)
    torch.save(dict(state_dict={'a': Evil()}), evil)
    assert 'not a checkpoint of plain weights' in error(
        'test', trained / 'derain.py', evil)
    assert 'executed' not in capfd.readouterr().out


# ---------------------------------------------------------------- restore


def test_restore_a_photo_a_folder_a_pattern(trained, photo, tmp_path, capfd):
    other = photo.with_name('two.jpg')
    Image.new('L', (17, 9), 128).save(other)
    jobs = dict(one=[photo], folder=[photo.parent],
                pattern=[photo.parent / '*.jpg'])
    for name, inputs in jobs.items():
        out = tmp_path / name
        assert run_tool('restore', *inputs, '--model', trained, '--out',
                        out) == 0
    assert {p.name for p in (tmp_path / 'folder').iterdir()} == {
        'my photo.png', 'two.png'}
    assert {p.name for p in (tmp_path / 'pattern').iterdir()} == {'two.png'}
    image = cv2.imread(str(tmp_path / 'one' / 'my photo.png'))
    assert image.shape == (20, 31, 3)
    same = cv2.imread(str(tmp_path / 'folder' / 'my photo.png'))
    assert np.array_equal(image, same)
    assert str(tmp_path / 'one' / 'my photo.png') in capfd.readouterr().out


def test_restore_with_the_newest_run(trained, photo, tmp_path, monkeypatch,
                                     capfd, error):
    monkeypatch.chdir(tmp_path)
    assert '--checkpoint requires --model' in error(
        'restore', photo, '--checkpoint', trained / 'iter_2.pth')
    assert run_tool('restore', photo, '--out', 'any') == 0
    assert 'my photo.png: ' in capfd.readouterr().err  # what auto removed
    assert run_tool('restore', photo, '--out', 'auto', '--task', 'auto') == 0
    assert Path('any/my photo.png').read_bytes() == Path(
        'auto/my photo.png').read_bytes()
    (tmp_path / 'work_dirs').mkdir()
    (tmp_path / 'work_dirs' / 'run').symlink_to(trained)
    (tmp_path / 'work_dirs' / 'new').mkdir()
    for name in ('derain.py', 'iter_2.pth'):
        (tmp_path / 'work_dirs' / 'new' / name).write_bytes(
            (trained / name).read_bytes())
    assert run_tool('restore', photo, '--out', 'out') == 0
    assert 'work_dirs/new' in capfd.readouterr().out


def test_restore_options(trained, photo, tmp_path):
    results = []
    for i, options in enumerate((
            ['--seed', 1], ['--seed', 1], ['--seed', 2], ['--steps', 1],
            ['--sampler', 'sde', '--steps', 3], ['--sampler', 'ode'],
            ['--sampler', 'jump', '--steps', 2], ['--device', 'cpu'],
            ['--seed', 1, '--self-ensemble', 2])):
        assert run_tool('restore', photo, '--model', trained, '--out',
                        tmp_path / str(i), *options) == 0
        results.append(cv2.imread(str(tmp_path / str(i) / 'my photo.png')))
    assert np.array_equal(results[0], results[1])
    for i, j in ((0, 2), (0, 3), (4, 5), (5, 6), (3, 4), (0, 8)):
        assert not np.array_equal(results[i], results[j])


def test_restore_errors(trained, photo, tmp_path, error):
    model = ['--model', trained, '--out', tmp_path / 'out']
    assert 'no image' in error('restore', tmp_path / 'x.png', *model)
    assert 'no image' in error('restore', str(tmp_path / '*.tif'), *model)
    (tmp_path / 'empty').mkdir()
    assert 'contains no images' in error('restore', tmp_path / 'empty', *model)
    assert 'no image' in error('restore', str(tmp_path / '**.png'), *model)
    broken = tmp_path / 'broken.png'
    broken.write_bytes(photo.read_bytes()[:-300])
    assert 'not a readable image' in error('restore', broken, *model)
    alpha = tmp_path / 'alpha.png'
    Image.new('RGBA', (9, 9)).save(alpha)
    assert 'transparent' in error('restore', alpha, *model)
    deep = tmp_path / 'deep.tif'
    Image.fromarray(np.zeros((9, 9), np.float32)).save(deep)
    assert '8 or 16 bits' in error('restore', deep, *model)
    assert 'unknown sampler' in error('restore', photo, *model, '--sampler',
                                      'quick')
    assert 'steps=101' in error('restore', photo, *model, '--steps', 101)
    assert 'one of 1, 2, 4, 8' in error('restore', photo, *model,
                                        '--self-ensemble', 3)
    assert 'cannot be used' in error('restore', photo, *model, '--device',
                                     'abacus')
    assert 'cannot write' in error('restore', photo, '--model', trained,
                                   '--out', '/dev/null/x')
    assert '--checkpoint' in error('restore', photo, '--model',
                                   'quickstart/derain', '--out', tmp_path)
    assert 'not a work directory' in error('restore', photo, '--model',
                                     tmp_path / 'empty', '--out', tmp_path)


def test_restore_overwrites_nothing(trained, photo, tmp_path, error):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'my photo.png').write_text('mine')
    assert 'not overwritten' in error('restore', photo, '--model', trained,
                                      '--out', out)
    assert (out / 'my photo.png').read_text() == 'mine'
    twin = photo.with_suffix('.jpg')
    Image.new('RGB', (9, 9)).save(twin)
    assert 'be written to' in error('restore', photo, twin, '--model', trained,
                                  '--out', tmp_path / 'new')


def test_channel_counts(trained, tmp_path, photo, error):
    """A gray model restores gray photos and refuses color."""
    model = ['--model', grey_model(tmp_path), '--out', tmp_path / 'out']
    assert 'in color' in error('restore', photo, *model)
    grey = tmp_path / 'grey.png'
    Image.new('L', (17, 9), 128).save(grey)
    assert run_tool('restore', grey, *model) == 0
    with Image.open(tmp_path / 'out' / 'grey.png') as result:
        assert result.mode == 'L' and result.size == (17, 9)
    assert '1 channels, but got 3' in error(
        'train', 'quickstart/derain', '--work-dir', tmp_path / 'run',
        '--cfg-options', *TINY, 'model.generator.in_channels=1')


def test_restore_with_a_weights_file(trained, photo, tmp_path, error):
    assert run_tool('restore', photo, '--model', trained / 'iter_2.pth',
                    '--out', tmp_path / 'a') == 0
    assert run_tool('restore', photo, '--model', trained, '--out',
                    tmp_path / 'b', '--sampler', 'balanced') == 0
    a, b = (cv2.imread(str(tmp_path / k / 'my photo.png')) for k in 'ab')
    assert np.array_equal(a, b)
    assert 'no config' in error('restore', photo, '--model',
                                tmp_path / 'nowhere', '--out', tmp_path)


def grey_model(tmp_path):
    """Write a work folder of an untrained model for gray images."""
    from irsde_mm.config.files import load_config
    from irsde_mm.registry import MODELS
    cfg = load_config('quickstart/derain', {
        'model.generator.width': 4, 'model.generator.in_channels': 1,
        'model.sampler.num_steps': 1,
        'model.data_preprocessor': dict(
            _delete_=True, type='mmagic.DataPreprocessor', mean=[0.],
            std=[255.])})
    model = MODELS.build(cfg.model)
    folder = tmp_path / 'grey'
    folder.mkdir()
    cfg.dump(str(folder / 'grey.py'))
    torch.save(dict(state_dict=model.state_dict(), meta={}),
               folder / 'iter_1.pth')
    return folder


# --------------------------------------------------------- convert, others


@pytest.mark.parametrize('name, config', [
    ('unet_nf8_depth2', 'irsde/derain'), ('nafnet_w8', 'quickstart/derain'),
    ('unet_nf8_depth2', 'family/published/goub_derain'),
    ('unet_nf8_depth2', 'family/published/unidb_derain')])
def test_use_converted_weights(name, config, tmp_path, photo, golden):
    """GOUB and UniDB use the U-Net of IR-SDE."""
    out = tmp_path / 'converted'
    assert run_tool('convert_checkpoint', GOLDEN / f'{name}_official.pth',
                    '--config', config, '--out', out) == 0
    written = out / f'{config.split("/")[-1]}.py'
    from irsde_mm.apis import init_restorer
    model = init_restorer(str(out), device='cpu')
    g = golden(name)
    with torch.no_grad():
        y = model.generator(g['x'], g['cond'], g['t'])
    assert (y - g['y']).abs().max() < 1e-5 * g['y'].abs().max()
    process = dict(derain='IRSDE', goub_derain='GOUB', unidb_derain='UniDB')
    assert type(model.sde).__name__ == process[written.stem]
    assert run_tool('restore', photo, '--model', out, '--out',
                    tmp_path / 'restored', '--steps', 2) == 0
    options = ['--cfg-options', 'model.sampler.num_steps=1',
               'val_dataloader.dataset.indices=1',
               'test_dataloader.dataset.indices=1']
    if name == 'nafnet_w8':
        assert run_tool('test', written, out / 'converted.pth', '--work-dir',
                        tmp_path / 't', *options) == 0
        assert run_tool(
            'train', written, '--work-dir', tmp_path / 'tuned', *options,
            f'load_from={out}/converted.pth', 'train_cfg.max_iters=1') == 0


@pytest.mark.parametrize('objective, loss', [
    ('noise', 'NoiseMatchingLoss'), ('exact', 'exact=True')])
def test_conversion_of_other_objectives(tmp_path, objective, loss):
    out = tmp_path / 'new'
    assert run_tool('convert_checkpoint', GOLDEN / 'nafnet_w8_official.pth',
                    '--config', 'quickstart/derain', '--out', out,
                    '--objective', objective) == 0
    text = (out / 'derain.py').read_text()
    assert loss in text
    meta = torch.load(out / 'converted.pth', weights_only=True)['meta']
    assert meta['irsde_mm']['objective'] == objective


@pytest.mark.parametrize('key', [
    None, 'state_dict', 'params_ema', 'params', 'model', 'ema'])
@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_forms_of_published_files(key, prefix, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from convert_checkpoint import published_weights
    from irsde_mm.model_files import convert_state_dict
    for name, arch in (('unet_nf8_depth2', 'unet'), ('nafnet_w8', 'nafnet')):
        plain = torch.load(GOLDEN / f'{name}_official.pth', weights_only=True)
        content = {prefix + key: value for key, value in plain.items()}
        path = tmp_path / f'{name}.pth'
        torch.save({key: content} if key else content, path)
        weights, found = published_weights(str(path), 'auto')
        assert found == arch
        given, config = convert_state_dict(weights, found)
        expected, same = convert_state_dict(plain, arch)
        assert config == same and list(given) == list(expected)
        assert all(torch.equal(given[k], expected[k]) for k in expected)


def test_conversion_errors(tmp_path, error, trained):
    weights = GOLDEN / 'nafnet_w8_official.pth'
    out = ['--out', tmp_path / 'new', '--config']
    assert 'not a parameter' in error('convert_checkpoint', weights, *out,
                                   'irsde/derain', '--arch', 'unet')
    assert 'not a parameter' in error('convert_checkpoint',
                                   trained / 'iter_2.pth', *out,
                                   'irsde/derain')
    assert 'no config' in error('convert_checkpoint', weights, *out, 'x')
    assert 'no checkpoint' in error('convert_checkpoint', tmp_path / 'x',
                                    *out, 'irsde/derain')
    assert 'not overwritten' in error(
        'convert_checkpoint', weights, '--out', tmp_path, '--config',
        'irsde/derain')
    assert not (tmp_path / 'new').exists()


MAXIM_CASE = 'case_2stage_s2like'


@pytest.fixture
def flax(tmp_path):
    """A checkpoint in the format of MAXIM's authors, and its golden
    arrays."""
    with np.load(GOLDEN / 'maxim' / f'{MAXIM_CASE}.npz') as file:
        case = {key: file[key] for key in file}
    arrays = {key.replace('params/', 'opt/target/', 1): value
              for key, value in case.items() if key.startswith('params/')}
    # such a file also holds the optimizer state
    np.savez(tmp_path / 'flax.npz', step=np.array(7), **arrays,
             **{'opt/state/param_states/x/nu': np.zeros(2)})
    return tmp_path / 'flax.npz', case


@pytest.fixture
def maxim_config(tmp_path):
    path = tmp_path / 'small_maxim.py'
    path.write_text('''
_base_ = 'irsde_mm::baselines/quickstart/derain_maxim.py'
model = dict(generator=dict(variant=dict(
    _delete_=True, num_stages=2, width=4, sides=(8, 4))))
''')
    return path


@pytest.mark.slow
def test_use_converted_maxim(flax, maxim_config, tmp_path, photo):
    file, case = flax
    out = tmp_path / 'converted'
    assert run_tool('convert_checkpoint', file, '--config', maxim_config,
                    '--out', out) == 0
    from irsde_mm.apis import init_restorer
    model = init_restorer(str(out), device='cpu')
    img = torch.from_numpy(case['input']).permute(0, 3, 1, 2)
    with torch.no_grad():
        y = model.generator(img)
    assert np.abs(y.permute(0, 2, 3, 1).numpy()
                  - case['output/stage1/2']).max() < 5e-5
    assert run_tool('restore', photo, '--model', out, '--out',
                    tmp_path / 'restored') == 0
    written, weights = out / 'small_maxim.py', out / 'converted.pth'
    assert run_tool('test', written, weights, '--work-dir', tmp_path / 't',
                    '--cfg-options', 'test_dataloader.dataset.indices=1') == 0
    assert run_tool(
        'train', written, '--work-dir', tmp_path / 'tuned', '--cfg-options',
        f'load_from={weights}', 'train_cfg.max_iters=1',
        'train_dataloader.batch_size=1') == 0


def test_maxim_conversion_errors(flax, maxim_config, tmp_path, error):
    """Another variant, missing and extra weights, and other files."""
    file, _ = flax
    with np.load(file) as archive:
        arrays = {key: archive[key] for key in archive}

    def message(config=maxim_config, **changed):
        path = tmp_path / 'changed.npz'
        np.savez(path, **{key: value for key, value in {
            **arrays, **changed}.items() if value is not None})
        return error('convert_checkpoint', path, '--out', tmp_path / 'new',
                     '--config', config)

    wide = tmp_path / 'wide.py'
    wide.write_text(maxim_config.read_text().replace('width=4', 'width=8'))
    found = message(config=wide)
    assert 'variant.width: 4 in the checkpoint, 8 in the model' in found
    found = message(config='baselines/quickstart/derain_maxim')
    assert 'variant.num_stages: 2 in the checkpoint, 1 in the mod' in found
    assert 'no irsde_mm.MAXIM' in message(config='quickstart/derain')
    name = 'stage_1_decoder_block_2/ConvTranspose_0/kernel'
    key = f'opt/target/{name}'
    assert f"lacks the parameter '{name}'" in message(**{key: None})
    assert f"'{name}' is (2, 2, 16, 5)" in message(
        **{key: np.zeros((2, 2, 16, 5), np.float32)})
    assert "'more/bias' is not a parameter" in message(
        **{'opt/target/more/bias': np.zeros(1)})
    assert 'contains Python objects' in message(
        **{key: np.array([{}], dtype=object)})
    args = ['--arch', 'maxim', '--out', tmp_path / 'new', '--config',
            maxim_config]
    (tmp_path / 'cut.npz').write_bytes(file.read_bytes()[:5000])
    np.savez(tmp_path / 'other.npz', weight=np.zeros(3))
    np.save(tmp_path / 'one.npy', np.zeros(3))
    for name, text in (('cut.npz', 'broken'), ('other.npz', 'no arrays under'),
                       ('one.npy', 'not an archive'),
                       ('none', 'no checkpoint'),
                       ('small_maxim.py', 'not an archive')):
        assert text in error('convert_checkpoint', tmp_path / name, *args)
    assert not (tmp_path / 'new').exists()


def test_benchmark_speed(tmp_path, error):
    out = tmp_path / 'speed.json'
    args = ['speed', 'quickstart/derain', '--size', 32, '--steps', 2,
            '--repeats', 1, '--out', out]
    assert run_tool('benchmark', *args) == 0
    found = json.loads(out.read_text())
    rows = found['samplers']
    assert set(rows) == set(SAMPLERS)
    assert all(row['network_call_ms'] > 0 for row in rows.values())
    assert all(0 < row['error'] < 1e-4 and row['held_mb'] > 0
               and row['eager_ratio'] > 0 and row['fast_ratio'] > 0
               for row in found['calls'])
    work = {(row['batch'], row['size']): row['gflop']
            for row in found['calls']}
    assert work[1, 64] == pytest.approx(4 * work[1, 32], rel=0.05)
    assert work[2, 32] == pytest.approx(2 * work[1, 32], rel=0.05)
    assert list(found['restoration_ms']) == ['1', '2', '5', '10', '20']
    assert set(found['training']['rows']) == {'plain', 'config', 'bfloat16'}
    assert all(row['images_per_s'] == pytest.approx(8e3 / row['ms'])
               for row in found['training']['rows'].values())
    assert out.with_suffix('.png').stat().st_size > 1000
    assert 'no sampling' in error('benchmark', 'speed',
                                   'baselines/quickstart/denoise_cnn')
    assert 'not overwritten' in error('benchmark', *args)
    assert '--size' in error('benchmark', 'speed', 'quickstart/derain',
                             '--size', 0)
    assert 'cannot write' in error('benchmark', 'speed', 'quickstart/derain',
                                   '--out', '/dev/null/x.json')
    assert 'use --device cpu' in error(
        'benchmark', 'speed', 'quickstart/derain', '--onnx', '--device',
        'cuda')


def test_benchmark_sampling(tmp_path, trained, error, capfd):
    out, weights = tmp_path / 'new' / 'sampling', trained / 'iter_2.pth'
    args = ['sampling', 'quickstart/derain', weights, '--images', 1]
    assert 'different settings' in error('benchmark', *args, '--out', out)
    args[1] = trained / 'derain.py'
    assert 'unknown sampler' in error('benchmark', *args, '--out', out,
                                      '--samplers', 'quick')
    assert 'calls' in error('benchmark', *args, '--out', out, '--calls', 0)
    assert not out.exists()
    assert run_tool('benchmark', *args, '--out', out, '--calls', 1, 3,
                    '--samplers', 'posterior', 'multistep', 'dpm') == 0
    with open(out / 'sampling.csv') as file:
        rows = list(csv.DictReader(file))
    assert [(row['sampler'], row['calls']) for row in rows] == [
        ('posterior', '1'), ('posterior', '3'), ('multistep', '3'),
        ('dpm', '1'), ('dpm', '3')]
    for row in rows:
        assert 5 < float(row['PSNR']) < 40 and 0 < float(row['SSIM']) < 1
        assert float(row['NIQE']) > 0 < float(row['seconds_per_image'])
    text = capfd.readouterr().out
    assert 'multistep with 1 calls is left out' in text and 'order=1' in text
    assert rows[0]['PSNR'][:4] in (out / 'table.md').read_text()
    assert (out / 'sampling.png').stat().st_size > 10_000
    assert 'not overwritten' in error('benchmark', *args, '--out', out)
    args[1] = 'baselines/quickstart/derain_cnn'
    assert 'no sampler to exchange' in error('benchmark', *args, '--out',
                                             tmp_path / 'other')


@pytest.mark.parametrize('args, expected', [
    (['--sampler', 'fast'], dict(type='irsde_mm.JumpSampler', eta=0.,
                                 num_steps=1)),
    (['--sampler', 'multistep'], dict(type='irsde_mm.MultistepSampler',
                                      num_steps=2)),
    (['--steps', 3], dict(type='irsde_mm.JumpSampler', num_steps=3))])
def test_test_with_another_sampler(trained, tmp_path, args, expected):
    """The saved config names the sampler that was used."""
    from mmengine.config import Config
    assert run_tool('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', tmp_path, *args, '--cfg-options',
                    'test_dataloader.dataset.indices=1') == 0
    kept = Config.fromfile(tmp_path / 'derain.py').model.sampler
    assert {key: kept[key] for key in expected} == expected


@pytest.mark.parametrize('args, words', [
    (['--sampler', 'quick'], 'unknown sampler.*fast.*unipc'),
    (['--steps', 0], 'num_steps'), (['--steps', 101], 'at most 100'),
    (['--sampler', 'multistep', '--steps', 1], 'order=1')])
def test_refused_samplers(trained, photo, tmp_path, error, args, words):
    import re
    for tool in (['test', trained / 'derain.py', trained / 'iter_2.pth',
                  '--work-dir', tmp_path / 'w'],
                 ['restore', photo, '--model', trained, '--out',
                  tmp_path / 'o']):
        message = error(*tool, *args)
        assert re.search(words, message) or '0 is less than 1' in message


def check_startup(found: dict) -> None:
    """Check the ratio of the command's time to 2.5 times that of importing
    torch and the network's."""
    times = found['seconds']
    assert all(value > 0 for value in times.values())
    assert found['ratio'] == pytest.approx(times['irsde restore'] / (
        2.5 * times['import torch'] + times['its network']), rel=1e-3)


def test_benchmark_startup_of_restore(tmp_path, monkeypatch):
    """With commands that do nothing."""
    from benchmarks import startup
    commands = []
    monkeypatch.setattr(startup, 'start', lambda *args: commands.append(args))
    monkeypatch.setattr(startup, 'SIZE', (64, 48))
    out = tmp_path / 'startup.json'
    assert run_tool('benchmark', 'startup', '--repeats', 1, '--out', out) == 0
    assert len(commands) == 3
    check_startup(json.loads(out.read_text()))


@pytest.mark.slow
def test_benchmark_startup(tmp_path, error):
    out = tmp_path / 'startup.json'
    assert run_tool('benchmark', 'startup', 'quickstart/denoise',
                    '--repeats', 1, '--out', out) == 0
    found = json.loads(out.read_text())
    check_startup(found)
    assert found['seconds']['train.py --help'] < found['seconds'][
        'one iteration']
    assert 'no config' in error(
        'benchmark', 'startup', 'quickstart/nothing', '--repeats', 1)
