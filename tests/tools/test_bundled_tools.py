"""Training and scores of the bundled models."""
import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.apis.inference import diffusion_pipeline, init_restorer
from irsde_mm.config import load_config
from irsde_mm.errors import DataError
from irsde_mm.io.photos import read_photo
from irsde_mm.io.plain_json import from_json
from irsde_mm.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image


def write_photos(folder: Path, number: int, size=(80, 64),
                 extension: str = 'png') -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(number):
        small = Image.fromarray(rng.integers(40, 216, (5, 6, 3),
                                             dtype=np.uint8))
        small.resize(size, Image.Resampling.BICUBIC).save(
            folder / f'{i}.{extension}')
    return folder


@pytest.fixture(scope='module')
def others():
    run_tool('benchmark', '--help')  # puts tools/ on the path
    from benchmarks import other_degradations
    return other_degradations


def test_other_degradations_share_nothing_with_training(others):
    tree = ast.parse(inspect.getsource(others))
    names = {alias.name for node in ast.walk(tree)
             if isinstance(node, ast.Import) for alias in node.names} | {
        node.module for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)}
    assert names and not any(name.startswith('irsde_mm') for name in names)


@pytest.mark.parametrize('task', ['derain', 'deblur', 'denoise', 'dehaze',
                                  'inpaint', 'sr'])
def test_other_degradations(others, task, tmp_path):
    photo = read_photo(write_photos(tmp_path / 'x', 1) / '0.png')
    first, again, second = (
        others.OTHERS[task](photo.copy(), np.random.default_rng(seed))
        for seed in (1, 1, 2))
    scale = 4 if task == 'sr' else 1
    assert first.dtype == np.uint8
    assert first.shape == (64 // scale, 80 // scale, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    if task == 'inpaint':
        hole = (first == 255).all(-1)
        assert 0 < hole.mean() < 0.5
        assert np.array_equal(first[~hole], photo[~hole])
    elif task != 'sr':
        assert 0.5 < np.abs(first - photo.astype(float)).mean() < 80
    if task == 'denoise':
        residual = first - photo.astype(float)
        assert residual.std() == pytest.approx(25, rel=0.1)
    if task == 'deblur':
        assert np.abs(np.diff(first, axis=0)).mean() < np.abs(
            np.diff(photo, axis=0)).mean()


def test_scores(trained, tmp_path, error):
    """The figures are those of the photos restored one by one."""
    exported, out = tmp_path / 'derain.safetensors', tmp_path / 'x.json'
    assert run_tool('export', trained, '--out', exported) == 0
    data = write_photos(tmp_path / 'data', 3)
    assert run_tool('benchmark', 'bundled', exported, '--data', data,
                    '--images', 2, '--steps', 2, '--out', out,
                    '--device', 'cpu') == 0
    rows = {row['photos']: row for row in from_json(out.read_text())}
    assert list(rows) == ['as trained', 'other means', 'clean']
    pipeline = diffusion_pipeline(init_restorer(str(exported), device='cpu'),
                                  '')
    found = []
    for name in ('0.png', '1.png'):
        clean = read_photo(data / name)
        restored, = pipeline.restore_batch(
            [clean], [name], sampler=pipeline.choose_sampler(None, 2))
        found.append(10 * np.log10(255**2 / np.square(
            restored - clean.astype(float)).mean()))
    row = rows['clean']
    assert row['images'] == 2 and row['input_PSNR'] == 100
    assert row['input_LPIPS'] == pytest.approx(0, abs=1e-6)
    assert row['restored_PSNR'] == pytest.approx(np.mean(found))
    assert row['lowest_PSNR'] == pytest.approx(min(found))
    assert row['smallest_gain'] == pytest.approx(min(found) - 100)
    for kind in ('as trained', 'other means'):
        assert 5 < rows[kind]['input_PSNR'] < 50
        assert rows[kind]['input_LPIPS'] > 0.001
    assert '--images must be at least 1' in error(
        'benchmark', 'bundled', exported, '--data', data, '--images', 0)


def test_photos_of_training(tmp_path, monkeypatch):
    """Photos are collected once, links to BSDS500 and reduced others."""
    run_tool('train_bundled', '--help')
    import train_bundled
    monkeypatch.chdir(tmp_path)
    bsds = write_photos(tmp_path / 'bsds', 2, (48, 40), 'jpg')
    photos = write_photos(tmp_path / 'photos', 2, (1000, 900))
    Image.new('RGB', (400, 330)).save(photos / '0.jpg')
    train_bundled.collect(str(bsds), str(photos))
    folder = tmp_path / 'data' / 'bundled'
    sizes = {path.name: Image.open(path).size for path in folder.iterdir()}
    assert sizes == {
        'bsds_0.jpg': (48, 40), 'bsds_1.jpg': (48, 40),
        'photo_0.png.png': (500, 450), 'photo_1.png.png': (500, 450),
        'photo_0.jpg.png': (300, 248)}
    # a run that was stopped while writing
    (folder / 'photo_0.jpg.png').unlink()
    (folder / '.photo_0.jpg.png').write_bytes(b'half')
    kept = (folder / 'photo_1.png.png').stat().st_mtime_ns
    train_bundled.collect(str(bsds), str(photos))
    assert {path.name for path in folder.iterdir()} == set(sizes)
    assert (folder / 'photo_1.png.png').stat().st_mtime_ns == kept
    with pytest.raises(DataError):
        train_bundled.collect(str(bsds), str(tmp_path / 'missing'))


def test_refusals(tmp_path, monkeypatch, error):
    monkeypatch.chdir(tmp_path)
    assert 'bundled/nothing' in error('train_bundled', 'nothing')
    out = tmp_path / 'work_dirs' / 'bundled'
    out.mkdir(parents=True)
    (out / 'auto.safetensors').write_text('')
    assert 'not overwritten' in error(
        'train_bundled', 'dehaze_process', 'auto')
    assert "train 'auto' first" in error('train_bundled', 'derain', 'auto')
    assert "train 'sr_cnn' first" in error('train_bundled', 'sr')
    assert 'run python tools/prepare_weights.py lpips' in error(
        'train_bundled', 'deblur', 'denoise')
    for option in ('model.sampler=fast', 'model={}'):
        assert 'would not reach' in error(
            'train_bundled', 'derain', '--cfg-options', option)
    assert not (tmp_path / 'data').exists()


def test_weights_fit_the_models_that_start_from_them():
    """A network may have more blocks than that of its start, never fewer:
    training refuses weights that it does not use."""
    run_tool('train_bundled', '--help')  # puts tools/ on the path
    import train_bundled
    configs, checked = train_bundled.TOOLS.parent / 'configs/bundled', 0
    for path in sorted(configs.glob('*.py')):
        cfg = load_config(f'bundled/{path.stem}')
        key, start = train_bundled.start_of(cfg)
        if key != 'load_from':
            continue
        with DefaultScope.overwrite_default_scope('mmagic'):
            model = MODELS.build(cfg.model)
            weights = MODELS.build(load_config(f'bundled/{start}').model)
        result = model.load_state_dict(weights.state_dict(), strict=False)
        assert not result.unexpected_keys, path
        assert all('.encoders.' in key or '.decoders.' in key
                   for key in result.missing_keys), result.missing_keys
        checked += 1
    assert checked > 4


@pytest.mark.slow
def test_train_and_export(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / 'data/bsds500/train', 2, (300, 280), 'jpg')
    write_photos(tmp_path / 'data/bsds500/val', 2, (96, 80), 'jpg')
    photos = write_photos(tmp_path / 'photos', 2, (500, 400))
    command = ('train_bundled', 'dehaze_process', 'dehaze_cnn', 'dehaze',
               '--photos', photos,
               '--cfg-options', 'train_cfg.max_iters=3',
               'train_dataloader.batch_size=2', 'default_hooks.compile=None')
    assert run_tool(*command) == 0
    runs = tmp_path / 'work_dirs/bundled'
    start = Config.fromfile(runs / 'dehaze_cnn/dehaze_cnn.py').load_from
    assert start == str(Path('work_dirs/bundled/dehaze_process/iter_3.pth'))
    # the regression is a part of the file of dehaze
    assert {path.name for path in runs.glob('*.safetensors')} == {
        'dehaze_process.safetensors', 'dehaze.safetensors'}
    initial = Config.fromfile(runs / 'dehaze/dehaze.py'
                              ).model.initial_checkpoint
    assert initial == str(Path('work_dirs/bundled/dehaze_cnn/iter_3.pth'))
    model = init_restorer(str(runs / 'dehaze.safetensors'), device='cpu')
    assert model.degradation
