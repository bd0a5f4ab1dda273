"""Calibration and restoring with intervals, from photos to files."""
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import VERSION_1, run_tool
from irsde_mm.apis import RestorationInferencer
from irsde_mm.errors import ConfigError
from irsde_mm.model_files import bundled_model, open_pipeline
from irsde_mm.model_files.exported import read_parts, write_calibrated
from PIL import Image

PHOTOS = 12  # 10 for the quantiles, 2 for the scale


def write_photos(folder: Path, number: int, size: tuple = (31, 24)) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(number):
        small = Image.fromarray(rng.integers(0, 256, (4, 4, 3),
                                             dtype=np.uint8))
        small.resize(size).save(folder / f'{i}.png')
    return folder


@pytest.fixture(scope='module')
def clean(tmp_path_factory) -> Path:
    return write_photos(tmp_path_factory.mktemp('data') / 'clean', PHOTOS)


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    assert run_tool('export', trained, '--out', path) == 0
    return path


@pytest.fixture(scope='module')
def calibrated(exported, clean) -> Path:
    path = exported.with_name('calibrated.safetensors')
    assert run_tool('calibrate', exported, '--data', clean, '--device', 'cpu',
                    '--out', path) == 0
    return path


@pytest.fixture(scope='module')
def inferencer(calibrated) -> RestorationInferencer:
    return RestorationInferencer(str(calibrated), device='cpu')


def test_the_file_differs_only_in_the_calibration(calibrated, exported,
                                                  inferencer):
    (weights, texts), (old, before) = map(read_parts, map(str, (
        calibrated, exported)))
    assert all((weights[key] == value).all() for key, value in old.items())
    assert texts.pop('calibration') and texts.pop('sha256')
    before.pop('sha256')
    assert texts == before
    found = inferencer.pipeline.calibration
    assert found.photos == 10 and found.highest == 0.909
    assert found.sampler == 'JumpSampler(clamp=None, eta=0.7, num_steps=2)'
    assert RestorationInferencer(
        str(exported), device='cpu').pipeline.calibration is None


@pytest.mark.slow
def test_order_and_work_directory(calibrated, trained, clean, tmp_path):
    """A work directory in place of its exported file, and the photos in two
    folders: the same calibration."""
    for i, path in enumerate(sorted(clean.iterdir())):
        folder = tmp_path / 'ab'[i % 2]
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder)
    out = tmp_path / 'new' / 'x.safetensors'
    assert run_tool('calibrate', trained, '--data', tmp_path / 'b',
                    tmp_path / 'a', '--out', out, '--device', 'cpu') == 0
    assert read_parts(str(out))[1]['calibration'] == read_parts(
        str(calibrated))[1]['calibration']


def test_command_line(calibrated, clean, inferencer, tmp_path):
    out = tmp_path / 'out'
    photo = clean / '3.png'
    assert run_tool('restore', photo, '--model', calibrated, '--out', out,
                    '--device', 'cpu', '--interval', '0.9') == 0
    images = {path.stem: np.asarray(Image.open(path))
              for path in out.iterdir()}
    assert set(images) == {'3', '3_lower', '3_upper', '3_width'}
    result, = inferencer(photo, interval=0.9,
                         show_progress=False)['predictions']
    for name, array in (('3', result.image), ('3_lower', result.lower),
                        ('3_upper', result.upper),
                        ('3_width', result.upper - result.lower)):
        assert array.dtype == np.uint8
        assert np.array_equal(images[name], array[..., ::-1])
    assert (result.lower <= result.image).all()
    assert (result.image <= result.upper).all()
    assert images['3_width'].any()


def test_existing_files_are_kept(calibrated, clean, tmp_path, error):
    (tmp_path / '3_width.png').write_text('mine')
    assert '3_width.png' in error(
        'restore', clean / '3.png', '--model', calibrated, '--out', tmp_path,
        '--interval', '0.9')
    assert (tmp_path / '3_width.png').read_text() == 'mine'
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_batch_equals_single(inferencer, clean):
    photos = sorted(clean.iterdir())[:5]
    together = inferencer(photos, interval=0.8, batch_size=5,
                          show_progress=False)['predictions']
    for path, one in zip(photos, together):
        alone, = inferencer(path, interval=0.8,
                            show_progress=False)['predictions']
        # the network's rounding may depend on the batch
        for a, b, limit in ((one.image, alone.image, 1),
                            (one.lower, alone.lower, 2),
                            (one.upper, alone.upper, 2)):
            assert np.abs(a.astype(int) - b).max() <= limit
            assert (a != b).mean() < 0.01


def test_levels_are_nested(inferencer, clean):
    narrow, wide = (inferencer(clean / '0.png', interval=level,
                               show_progress=False)['predictions'][0]
                    for level in (0.6, 0.9))
    assert (wide.lower <= narrow.lower).all()
    assert (narrow.upper <= wide.upper).all()
    assert (wide.upper > narrow.upper).any()


def test_a_photo_unlike_the_others_gives_a_warning(inferencer, clean):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 31, 3),
                                               dtype=np.uint8)
    with pytest.warns(UserWarning, match='image_1.*unlike the photos'):
        result, = inferencer(pixels, interval=0.9,
                             show_progress=False)['predictions']
    assert result.doubt and result.lower is not None


@pytest.mark.parametrize('options, words', [
    (['--interval', '0.3'], 'from 0.5 to 0.99'),
    (['--interval', '0.95'], 'the 10 photos .* up to 0.909, .* needs 19'),
    (['--interval', '0.9', '--steps', '1'],
     'holds for JumpSampler.*num_steps=2.*, not for .*num_steps=1'),
    (['--interval', '0.9', '--sampler', 'posterior'],
     'not for PosteriorSampler'),
    (['--interval', '0.9', '--crispness', '0.5'],
     'interval does not support crispness')])
def test_refused_intervals(calibrated, photo, tmp_path, error, options,
                           words):
    import re
    assert re.search(words, error(
        'restore', photo, '--model', calibrated, '--out', tmp_path / 'o',
        *options))
    assert not (tmp_path / 'o').exists()


def test_interval_without_calibration(photo, inferencer, tmp_path, error):
    for model in ('--task=derain', ):
        assert 'python tools/calibrate.py MODEL' in error(
            'restore', photo, model, '--out', tmp_path / 'o', '--interval',
            '0.9')
    with pytest.raises(ConfigError, match='between two photos'):
        inferencer.interpolate(photo, photo, interval=0.9)


def test_refused_calibrations(exported, clean, tmp_path, error):
    def refused(model, *options, data=clean, out=tmp_path / 'x.safetensors'):
        text = error('calibrate', model, '--data', data, '--out', out,
                     *options)
        assert not (tmp_path / 'x.safetensors').exists()
        return text

    assert 'needs at least 23 photos (19 for the quantiles and 4' in refused(
        exported, '--level', '0.95')
    assert 'level=1.0 must be a level' in refused(exported, '--level', '1')
    assert 'not overwritten' in refused(exported, out=exported)
    assert 'must end in .safetensors' in refused(exported,
                                                 out=tmp_path / 'x.pth')
    assert 'does not exist' in refused('nothing')
    assert 'no effect' in refused(exported, '--config', 'quickstart/derain')
    assert 'does not exist' in refused(exported, data=tmp_path / 'nowhere')
    assert 'twice' in refused(exported, '--data', clean, clean)
    assert 'cannot be used' in refused(exported, '--steps', '1000')
    pairs = tmp_path / 'pairs'
    shutil.copytree(clean, pairs / 'input')
    shutil.copytree(clean, pairs / 'target')
    (pairs / 'target' / '3.png').unlink()
    assert "3.png' has no partner" in refused(exported, data=pairs)
    (tmp_path / 'part' / 'train').mkdir(parents=True)
    assert 'neither val/ nor test/' in refused(exported,
                                               data=tmp_path / 'part')


def test_model_of_mmagic(exported, clean, tmp_path, error):
    from irsde_mm.apis import init_restorer
    from irsde_mm.apis.export import export
    path = tmp_path / 'cnn.safetensors'
    export(init_restorer('quickstart/../baselines/quickstart/derain_cnn',
                         device='cpu'), path, 'x')
    assert 'is not a pipeline of components of irsde_mm' in error(
        'calibrate', path, '--data', clean, '--out', tmp_path / 'x.safetensors'
    )


def test_pairs_and_sampler(exported, clean, tmp_path):
    """Pairs in folders; another sampler must be named when restoring."""
    pairs = tmp_path / 'pairs' / 'val'
    shutil.copytree(clean, pairs / 'input')
    shutil.copytree(clean, pairs / 'target')
    (tmp_path / 'pairs' / 'train').mkdir()
    out = tmp_path / 'x.safetensors'
    assert run_tool('calibrate', exported, '--data', tmp_path / 'pairs',
                    '--steps', '1', '--out', out, '--device', 'cpu') == 0
    restore = RestorationInferencer(str(out), device='cpu')
    result, = restore(clean / '0.png', steps=1, interval=0.9,
                      show_progress=False)['predictions']
    assert result.upper is not None
    with pytest.raises(ConfigError, match='num_steps=1'):
        restore(clean / '0.png', interval=0.9)


def test_super_resolution(tmp_path):
    """The input has another size than the result."""
    data = write_photos(tmp_path / 'data', PHOTOS, (44, 32))
    out = tmp_path / 'sr.safetensors'
    assert run_tool('calibrate', bundled_model('sr'), '--data', data, '--out',
                    out, '--device', 'cpu') == 0
    restore = RestorationInferencer(str(out), device='cpu')
    image = np.asarray(Image.open(data / '0.png').reduce(4))
    result, = restore(image, interval=0.9, show_progress=False)['predictions']
    assert result.lower.shape == result.image.shape == (32, 44, 3)


def test_file_of_version_01(inferencer, clean, tmp_path):
    path = tmp_path / 'x.safetensors'
    source = VERSION_1 / 'denoise.safetensors'
    assert read_parts(str(source))[1]['format_version'] == '1'
    calibration = inferencer.pipeline.calibration
    write_calibrated(source, path, calibration)
    pipeline = open_pipeline(path, 'cpu')
    assert pipeline.calibration.settings() == calibration.settings()
    image = np.asarray(Image.open(clean / '0.png'))
    assert np.array_equal(pipeline(image), open_pipeline(source, 'cpu')(image))
    again = tmp_path / 'again.safetensors'  # replaces the calibration
    write_calibrated(path, again, calibration)
    assert read_parts(str(again))[1] == read_parts(str(path))[1]


def test_benchmark(exported, clean, tmp_path, error):
    out = tmp_path / 'x.json'
    assert 'halves need at least 46' in error(
        'benchmark', 'coverage', exported, '--data', clean)
    clean = write_photos(tmp_path / 'more', 46)
    assert run_tool('benchmark', 'coverage', exported, '--data', clean,
                    '--unseen', 'density=0.02,0.03', '--device', 'cpu',
                    '--out', out) == 0
    from irsde_mm.io.plain_json import from_json
    figures = from_json(out.read_text())['figures']
    assert len(figures) == 12
    for figure in figures:
        assert 0 <= figure['lowest'] <= figure['coverage'] <= 1
    by_kind = {kind: [f['coverage'] for f in figures
                      if f['degradation'] == kind and f['scale'] == 'features']
               for kind in ('seen', 'unseen')}
    assert by_kind['seen'] == sorted(by_kind['seen'])
    assert sum(by_kind['unseen']) < sum(by_kind['seen'])


def test_picture_of_the_docs(inferencer, capsys):
    import draw_uncertainty
    from irsde_mm.registry import TRANSFORMS
    TRANSFORMS.import_from_location()
    with pytest.warns(UserWarning, match='unlike'):
        images = draw_uncertainty.row(inferencer, 'rocket', (150, 120))
    assert {image.shape for image in images} == {(200, 260, 3)}
    assert {image.dtype for image in images} == {np.dtype('uint8')}
    for i, image in enumerate(images):
        assert not any(np.array_equal(image, other) for other in images[:i])
    assert 'inside, mean width' in capsys.readouterr().out
