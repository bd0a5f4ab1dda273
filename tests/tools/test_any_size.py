"""Photos of any size, in tiles and in batches, through the tools."""
import json

import cv2
import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.apis import init_restorer, restore_batch
from irsde_mm.apis.inference import as_pipeline
from irsde_mm.errors import DataError
from irsde_mm.inference import image_pipeline
from PIL import Image


def open_model(name, **options):
    return as_pipeline(init_restorer(str(name), device='cpu', **options))


def test_restore_checks_memory_first(trained, tmp_path, error, monkeypatch):
    large, out = tmp_path / 'large.jpg', tmp_path / 'out'
    Image.new('RGB', (300, 200)).save(large)
    job = ['restore', large, '--model', trained, '--out', out, '--steps', 1]
    monkeypatch.setattr(image_pipeline, 'MAX_WHOLE_PIXELS', 2**15)
    monkeypatch.setattr(image_pipeline, 'free_memory',
                        lambda device: 2 * 2**20)
    text = error(*job)
    assert '0.1 megapixels' in text and 'GiB' in text
    assert '--tile' in text and '--force' in text
    assert run_tool(*job, '--force') == 0
    # a whole image takes more memory than tiles
    whole, tiles = (open_model(trained, tile=tile).call_bytes(1000, 1200)
                    for tile in ('off', None))
    assert 4 < whole / tiles < 6


def test_memory_of_a_model_without_tiles():
    model = open_model('baselines/quickstart/inpaint_pconv')
    assert model.call_bytes(1000, 1200) > 1000 * 1200 * 3 * 4


def test_restore_in_tiles(trained, tmp_path, error):
    """Tiles change the network's input alone, and only on request."""
    photo, out = tmp_path / 'photo.png', tmp_path / 'out'
    Image.fromarray(np.random.default_rng(0).integers(
        0, 256, (150, 201, 3), dtype=np.uint8)).save(photo)
    results = []
    for tile in ('off', 'auto', 128):
        assert run_tool('restore', photo, '--model', trained, '--out',
                        out / str(tile), '--tile', tile) == 0
        results.append(cv2.imread(str(out / str(tile) / 'photo.png')))
    whole, auto, tiles = results
    assert np.array_equal(whole, auto), 'a small photo is not cut'
    assert 0 < np.abs(whole.astype(int) - tiles).max() <= 25
    assert 'at least 128' in error('restore', photo, '--model', trained,
                                   '--out', out, '--tile', 64)
    assert "'half'" in error('test', trained / 'derain.py', trained /
                             'iter_2.pth', '--work-dir', out, '--tile',
                             'half')
    assert run_tool('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', out / 'test', '--tile', 256) == 0
    assert 'tile=256' in (out / 'test' / 'derain.py').read_text()
    assert 'tiles' in error('test', 'baselines/quickstart/inpaint_pconv',
                        trained / 'iter_2.pth', '--work-dir', out,
                        '--tile', 128)


def test_restore_in_batches(trained, tmp_path, error):
    """Results do not depend on the batch size."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i, size in enumerate([(20, 31), (24, 32), (20, 31), (40, 9),
                              (23, 30), (20, 31)]):
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(
            folder / f'{i}.png')
    results = []
    for n in ([], ['--batch-size', 1], ['--batch-size', 2]):
        out = tmp_path / f'out{len(results)}'
        assert run_tool('restore', folder, '--model', trained, '--out', out,
                        *n) == 0
        results.append([cv2.imread(str(out / f'{i}.png')).astype(int)
                        for i in range(6)])
    for batched in (results[0], results[2]):
        for one, other in zip(results[1], batched):
            assert one.shape == other.shape
            assert np.abs(one - other).max() <= 1, 'float rounding'
    assert 'batch_size=0' in error('restore', folder, '--model', trained,
                                   '--out', folder, '--batch-size', 0)


def test_batches_by_size(trained):
    model = open_model(trained)
    sizes = [(20, 31), (9, 9), (24, 32), (1024, 512), (17, 25)]
    assert model.in_batches(sizes) == [[0, 2, 4], [1], [3]]
    assert model.in_batches(sizes, 2) == [[0, 2], [4], [1], [3]]
    assert model.in_batches([(512, 1024)] * 3) == [[0, 1], [2]]
    baseline = open_model('baselines/quickstart/derain_cnn')
    assert baseline.in_batches([*sizes, (20, 31)]) == [
        [0, 5], [1], [2], [3], [4]]
    with pytest.raises(DataError, match='different sizes'):
        restore_batch(model, [np.zeros((9, 9, 3), np.uint8),
                              np.zeros((9, 17, 3), np.uint8)])


def test_benchmark_memory(tmp_path, error):
    out = tmp_path / 'memory.json'
    args = ['memory', 'quickstart/derain', '--steps', 1, '--out', out,
            '--megapixels']
    assert '--megapixels' in error('benchmark', *args, 0.1, 0)
    assert run_tool('benchmark', *args, 0.03) == 0
    row, = json.loads(out.read_text())['sizes']
    assert row['height'] * row['width'] == pytest.approx(3e4, rel=0.01)
    assert row['peak_mb'] > row['before_mb'] > 100
    # 416 bytes per pixel, measured with the quickstart network
    assert row['network_mb'] == pytest.approx(416 * 3e-2, rel=0.02)
    assert out.with_suffix('.png').stat().st_size > 10_000


@pytest.mark.slow
def test_memory_grows_with_the_image(tmp_path):
    """The network's part is constant, the rest is at most ten images."""
    out = tmp_path / 'memory.json'
    assert run_tool('benchmark', 'memory', 'quickstart/derain', '--tile', 256,
                    '--megapixels', 2, 8, '--out', out) == 0
    small, large = json.loads(out.read_text())['sizes']
    assert large['network_mb'] <= 1.1 * small['network_mb']
    assert large['image_tensors'] <= 10 and large['peak_mb'] <= 3000


@pytest.mark.slow
def test_memory_of_a_process_on_latents(tmp_path):
    """With the published sizes, 8 megapixels fit into 3 GB."""
    out = tmp_path / 'memory.json'
    assert run_tool('benchmark', 'memory', 'irsde/refusion_latent_dehaze',
                    '--steps', 1, '--megapixels', 8, '--out', out) == 0
    row, = json.loads(out.read_text())['sizes']
    assert row['height'] * row['width'] == pytest.approx(8e6, rel=0.01)
    assert row['before_mb'] < row['peak_mb'] <= 3000
