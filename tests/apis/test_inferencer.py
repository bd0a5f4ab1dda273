"""RestorationInferencer: inputs, outputs, and errors."""
import shutil

import numpy as np
import pytest
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.apis.results import spread
from irsde_mm.errors import (CheckpointError, ConfigError, DataError,
                             ImageError, IRSDEError, OutputError)
from irsde_mm.sde import NoiseOutput
from PIL import Image

RNG = np.random.default_rng(0)
A, B = (RNG.integers(0, 256, (20, 31, 3), dtype=np.uint8) for _ in 'ab')


@pytest.fixture(scope='module')
def tool(trained) -> RestorationInferencer:
    return RestorationInferencer(str(trained), device='cpu')


def call(tool, inputs, **options) -> list:
    return tool(inputs, show_progress=False, **options)['predictions']


def test_kinds_of_inputs(tool, trained, photo):
    image = np.asarray(Image.open(photo))[..., ::-1]
    with Image.open(photo) as picture:
        found = call(tool, [photo, str(photo.parent / '*.png'), image,
                            picture], seed=3)
    assert [r.name for r in found] == [str(photo), 'image_2', 'image_3']
    expected = restore(init_restorer(str(trained), device='cpu'), photo,
                       seed=3)
    for result in found:
        assert np.array_equal(result.image, expected)
        assert result.error is result.path is result.spread is None
    result, = call(tool, str(photo.parent), seed=4)
    assert not np.array_equal(result.image, expected)


def test_kinds_of_models(trained, photo):
    weights = str(trained / 'iter_2.pth')
    results = [call(RestorationInferencer(*model, device='cpu'), photo,
                    sampler='fast')[0].image for model in (
        [str(trained / 'derain.py'), weights], [weights])]
    assert np.array_equal(*results)
    with pytest.raises(CheckpointError, match='--checkpoint.*weights='):
        RestorationInferencer('quickstart/derain')
    with pytest.raises(ConfigError, match="no config 'derian'"):
        RestorationInferencer('derian')
    with pytest.raises(ConfigError, match='at least 128'):
        RestorationInferencer(str(trained), tile=1)
    with pytest.raises(ConfigError, match="'abacus' cannot be used"):
        RestorationInferencer(str(trained), device='abacus')


def test_results_are_in_the_order_of_the_inputs(tool, tmp_path):
    sizes = [(20, 31), (40, 9), (24, 32), (20, 31)]
    images = [np.full((*size, 3), 60 * i, np.uint8)
              for i, size in enumerate(sizes)]
    found = call(tool, images, out_dir=str(tmp_path), compare=True)
    assert [r.image.shape[:2] for r in found] == sizes
    assert {p.name for p in tmp_path.iterdir()} == {
        f'image_{i}{end}.png' for i in range(1, 5) for end in ('', '_compare')}
    for i, result in enumerate(found, 1):
        assert result.path == tmp_path / f'image_{i}.png'
        with Image.open(result.path) as picture:
            assert np.array_equal(np.asarray(picture)[..., ::-1],
                                  result.image)


def test_one_bad_image_does_not_stop_the_others(tool, photo, tmp_path):
    broken = tmp_path / 'broken.png'
    broken.write_bytes(photo.read_bytes()[:-300])
    good, bad, form = call(tool, [photo, broken, np.zeros((3, 3))])
    assert good.error is None and good.image.shape == (20, 31, 3)
    assert isinstance(bad.error, ImageError) and bad.image is None
    assert 'broken.png' in str(bad.error) and '(3, 3)' in str(form.error)
    with pytest.raises(ImageError, match='broken.png'):
        call(tool, broken)
    with pytest.raises(DataError, match='2 problem'):
        call(tool, [broken, np.zeros((3, 3))])


@pytest.mark.parametrize('mode, colors', [
    ('RGB', 3), ('L', 1), ('P', 3), ('1', 1), ('I;16', 1), ('CMYK', 3)])
def test_pil_images_are_read_as_files(tool, tmp_path, mode, colors):
    picture = Image.new(mode, (9, 7), 40 if colors == 1 else None)
    picture.save(tmp_path / 'x.tif')
    one, other = call(tool, [picture, tmp_path / 'x.tif'], seed=1)
    assert np.array_equal(one.image, other.image)


def test_refused_pil_images(tool):
    for picture, words in (
            (Image.new('RGBA', (9, 9)), 'transparent'),
            (Image.new('F', (9, 9)), 'mode F'),
            (Image.new('RGB', (0, 9)), '0 pixels')):
        with pytest.raises(ImageError, match=f'the PIL image .*{words}'):
            call(tool, picture)
    with pytest.raises(ImageError, match='max_pixels'):
        call(tool, Image.new('RGB', (9, 9)), max_pixels=80)


def test_exif_orientation_of_pil_images(tool):
    picture = Image.fromarray(A)
    picture.getexif()[0x0112] = 6
    result, = call(tool, picture, seed=1)
    expected, = call(tool, np.rot90(A, -1)[..., ::-1].copy(), seed=1)
    assert np.array_equal(result.image, expected.image)


@pytest.mark.parametrize('inputs, words', [
    ([], 'empty'), (None, 'NoneType'), ([None], 'NoneType'), (3, 'int'),
    ('nowhere.png', 'no image'), (np.zeros((0, 9, 3), np.uint8), '0, 9, 3'),
    (A.astype(np.float32), 'float32'), (A[..., :1], '20, 31, 1')])
def test_refused_inputs(tool, inputs, words):
    with pytest.raises(DataError, match=words):
        call(tool, inputs)


@pytest.mark.parametrize('option, words', [
    (dict(sampler='quick'), 'unknown sampler'), (dict(steps=0), 'steps=0'),
    (dict(steps=101), 'at most 100'), (dict(steps='2'), "steps='2'"),
    (dict(seed=-1), 'seed=-1'), (dict(seed=2**63), 'seed=9'),
    (dict(seed=1.5), 'seed=1.5'), (dict(samples=0), 'samples=0'),
    (dict(samples=2.), 'samples=2.0'), (dict(batch_size=0), 'batch_size=0'),
    (dict(max_pixels=0), 'max_pixels=0'),
    (dict(crispness=1.6), 'crispness=1.6'),
    (dict(crispness='1'), "crispness='1'"),
    (dict(crispness=float('nan')), 'crispness=nan'),
    (dict(crispness=0.5, steps=1), 'at least 2 calls')])
def test_refused_options(tool, option, words):
    with pytest.raises(ConfigError, match=words):
        call(tool, A, **option)


def test_regression_model(tmp_path):
    """It has a single result and no states."""
    import torch
    model = init_restorer('baselines/quickstart/derain_cnn', device='cpu')
    path = tmp_path / 'cnn.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    tool = RestorationInferencer('baselines/quickstart/derain_cnn', str(path),
                                 'cpu')
    seen = []
    result, = call(tool, A, callback=seen.append)
    assert np.array_equal(result.image, restore(model, A))
    assert [(p.done, p.step, p.steps) for p in seen] == [(1, 1, 1)]
    seen.clear()
    restore(model, A, callback=seen.append)
    assert [(p.step, p.steps) for p in seen] == [(1, 1)]
    assert np.array_equal(seen[0].states()[0], result.image)
    with pytest.raises(ConfigError, match='supports tile only when'):
        tool.pipeline(A, tile=128)
    with pytest.raises(ConfigError, match='does not support start'):
        restore(model, A, start=(torch.zeros(1, 3, 20, 31), 5))
    for option in (dict(samples=2), dict(trajectory=True), dict(steps=3),
                   dict(crispness=0.5)):
        with pytest.raises(ConfigError, match='not a diffusion model'):
            call(tool, A, **option)
    with pytest.raises(ConfigError, match='no states to mix'):
        tool.interpolate(A, B)
    with pytest.raises(ConfigError, match='it has no self-ensemble'):
        RestorationInferencer('baselines/quickstart/derain_cnn', str(path),
                              'cpu', self_ensemble=2)


def test_samples_have_consecutive_seeds(tool):
    result, = call(tool, A, seed=5, samples=3)
    for i, sample in enumerate(result.samples):
        alone, = call(tool, A, seed=5 + i)
        assert np.array_equal(sample, alone.image)
    assert result.spread.shape == (20, 31)
    assert result.spread.dtype == np.float32
    assert np.array_equal(result.spread, spread(result.samples))
    first, = call(tool, A)
    assert np.array_equal(call(tool, A, samples=2)[0].samples[0], first.image)


def test_spread_is_the_deviation_in_gray_levels():
    images = np.stack([A, B, A // 2]).astype(np.float64)
    expected = np.sqrt(images.var(axis=0, ddof=1).mean(axis=-1))
    np.testing.assert_allclose(spread([A, B, A // 2]), expected, rtol=1e-5)
    assert not spread([A, A]).any()


def test_warning_about_equal_samples(tool, monkeypatch):
    """An ODE from a start without noise has a single result."""
    monkeypatch.setattr(tool.pipeline.sde, 'start', lambda mu, *_: (mu, 100))
    with pytest.warns(UserWarning, match='all draws are identical'):
        result, = call(tool, A, sampler='ode', samples=2)
    assert not result.spread.any()


def test_states_from_the_start_to_the_result(tool):
    result, = call(tool, A, trajectory=True, steps=30, seed=1)
    times = [t for t, _ in result.states]
    assert len(times) == 8 and times[0] == 100 and times[-1] == 0
    assert times == sorted(times, reverse=True)
    assert np.array_equal(result.states[-1][1], result.image)
    few, = call(tool, A, trajectory=True, steps=2, seed=1)
    assert [t for t, _ in few.states] == [100, 50, 0]
    # the start is the photo with noise of the process's last deviation
    mu = A.astype(float)
    noise = few.states[0][1] - mu
    inside = (few.states[0][1] > 0) & (few.states[0][1] < 255)
    assert noise[inside].std() > 3 and few.states[0][1].shape == A.shape


def test_crispness_of_every_draw(tool, tmp_path):
    result, = call(tool, A, seed=5, samples=2, crispness=0.3, compare=True,
                   trajectory=True, out_dir=str(tmp_path))
    for i, sample in enumerate(result.samples):
        assert np.array_equal(sample, restore(
            tool.pipeline, A, seed=5 + i, crispness=0.3))
        assert not np.array_equal(sample, restore(
            tool.pipeline, A, seed=5 + i))
    assert np.array_equal(result.states[-1][1], result.image)
    assert np.array_equal(np.asarray(Image.open(result.path))[..., ::-1],
                          result.image)
    assert result.spread.any()


def test_progress_and_states_with_a_mean_of_draws(trained, monkeypatch):
    """All trajectories are counted; states are those of the sample."""
    tool = RestorationInferencer(str(trained), device='cpu')
    tool.pipeline.output = NoiseOutput()
    seen = []
    options = dict(steps=3, samples=2, trajectory=True, seed=1)
    result, = call(tool, A, crispness=0.5, **options, callback=lambda p: (
        seen.append((p.step, p.steps))))
    assert seen == [(min(i, 30), 30) for i in (
        *range(16), *range(15, 31), 30)]
    plain, = call(tool, A, **options)
    assert len(result.states) == 4
    for (t, state), (s, expected) in zip(result.states[:-1], plain.states):
        assert t == s and np.array_equal(state, expected)


def test_crispness_of_an_interpolation(tool):
    """It applies to the images, not to the ends that are mixed."""
    options = dict(number=3, steps=4, show_progress=False)
    none, full, default = (tool.interpolate(A, B, crispness=s, **options)
                           for s in (0, 1, None))
    for a, b, c in zip(none, full, default):
        assert np.array_equal(b, c) and not np.array_equal(a, b)
    with pytest.raises(ConfigError, match='at least 2 calls'):
        tool.interpolate(A, B, crispness=0.5, time=1, **options)


def test_progress_counts_images_and_steps(tool):
    seen = []
    call(tool, [A, B, np.zeros((9, 9, 3), np.uint8)], steps=3, samples=2,
         callback=lambda p: seen.append((
             p.done, p.total, p.step, p.steps, len(p.states()),
             p.states()[0].shape, p.states()[0].dtype)))
    assert [s[:4] for s in seen if s[4] == 2] == [
        (0, 3, i, 6) for i in (0, 1, 2, 3, 3, 4, 5, 6)] + [(2, 3, 6, 6)]
    assert seen[-1][:5] == (3, 3, 6, 6, 1)
    assert {s[5:] for s in seen} == {((20, 31, 3), np.dtype('uint8')),
                                     ((9, 9, 3), np.dtype('uint8'))}


def test_files_are_not_overwritten(tool, tmp_path):
    out = str(tmp_path)
    (tmp_path / 'image_1_states.gif').write_text('mine')
    with pytest.raises(OutputError, match='not overwritten'):
        call(tool, A, out_dir=out, trajectory=True)
    assert [p.name for p in tmp_path.iterdir()] == ['image_1_states.gif']
    with pytest.raises(OutputError, match='cannot write'):
        call(tool, A, out_dir='/dev/null/x')
    (tmp_path / 'image_1_to_image_1_3.png').write_text('mine')
    with pytest.raises(OutputError, match='not overwritten'):
        tool.interpolate(A, B, out_dir=out, show_progress=False)


def scenes(folder, *names) -> list:
    """Write photos to the given paths."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(A[:9, :9]).save(path)
    return [folder / name for name in names]


def written(folder) -> set:
    return {path.relative_to(folder).as_posix()
            for path in folder.rglob('*') if path.is_file()}


GOPRO = [f'test/{scene}/{kind}/{i}.png' for scene in ('S1', 'S2')
         for kind in ('blur', 'sharp') for i in (1, 2)]


@pytest.mark.parametrize('inputs, results', [
    (['test/**/blur/*.png'],
     'S1/blur/1 S1/blur/2 S2/blur/1 S2/blur/2'),
    (['test/S1/blur', 'test/S2/blur'],
     'S1/blur/1 S1/blur/2 S2/blur/1 S2/blur/2'),
    (['test/S1/blur/1.png', 'test/S1/sharp/1.png', 'test/S1/sharp/2.png'],
     'blur/1 sharp/1 sharp/2'),
    (['test/S1/blur/1.png', 'test/S2/sharp/2.png'], '1 2'),  # no conflict
    (['test/S1/*/1.png', 'other.png'],
     'test/S1/blur/1 test/S1/sharp/1 other')])
def test_photos_of_equal_names_keep_their_folders(tool, tmp_path, inputs,
                                                  results):
    scenes(tmp_path / 'in', *GOPRO, 'other.png')
    found = call(tool, [str(tmp_path / 'in' / name) for name in inputs],
                 out_dir=str(tmp_path / 'out'), sampler='fast')
    assert written(tmp_path / 'out') == {
        f'{name}.png' for name in results.split()}
    for result in found:
        end = result.path.relative_to(tmp_path / 'out')
        assert result.name.endswith(str(end))


def test_folders_of_samples_and_pictures(tool, tmp_path):
    photos = scenes(tmp_path, 'a/x.png', 'b/x.png')
    out = tmp_path / 'out'
    options = dict(out_dir=str(out), samples=2, compare=True, sampler='fast')
    call(tool, photos, **options)
    assert written(out) == {f'{folder}/x_{kind}.png' for folder in 'ab'
                            for kind in ('1', '2', 'compare', 'spread')}
    with pytest.raises(OutputError, match='a/x_1.png.*not overwritten'):
        call(tool, photos, **options)
    with pytest.raises(OutputError, match='would be written to'):  # one folder
        call(tool, scenes(tmp_path, 'c/x.png', 'c/x.jpg'), **options)
    (tmp_path / 'new').mkdir()
    (tmp_path / 'new' / 'a').write_text('mine')
    with pytest.raises(OutputError, match='cannot write'):
        call(tool, photos, out_dir=str(tmp_path / 'new'))


def test_samples_with_the_name_of_another_photo(tool, tmp_path):
    photos = scenes(tmp_path, 'a/x.png', 'b/x_1.png')
    call(tool, [photos[0], photos[1]], out_dir=str(tmp_path / 'out'),
         samples=2, sampler='fast', compare=True)
    assert len(written(tmp_path / 'out')) == 8


def test_message_about_nested_folders(tool, tmp_path):
    scenes(tmp_path / 'in', 'a/x.png', 'b/x.png')
    with pytest.raises(DataError, match=r"no images .*use '.*in/\*\*/\*' to "):
        call(tool, str(tmp_path / 'in'))
    scenes(tmp_path / 'in', 'y.png')
    (tmp_path / 'in' / 'empty').mkdir()
    with pytest.warns(UserWarning, match="2 subf.*in/a'.*in/\\*\\*/\\*'"):
        assert len(call(tool, str(tmp_path / 'in'), sampler='fast')) == 1
    assert len(call(tool, str(tmp_path / 'in' / '**' / '*'),
                    sampler='fast')) == 3


def test_interpolate(tool, tmp_path):
    options = dict(seed=2, show_progress=False)
    frames = tool.interpolate(A, B, 5, out_dir=str(tmp_path), **options)
    assert len(frames) == 5 and frames[0].shape == A.shape
    assert len(list(tmp_path.iterdir())) == 6
    again = tool.interpolate(B, A, 5, **options)
    for one, other in zip(frames, reversed(again)):
        assert np.abs(one.astype(int) - other).max() <= 1
    same = tool.interpolate(A, A, 3, **options)
    assert all(np.array_equal(same[0], frame) for frame in same)
    assert np.array_equal(same[0], frames[0])


def test_mixed_states_are_states_of_the_mixed_image(tool):
    """Both have the same noise, which mixing does not change."""
    import torch
    pipeline, t = tool.pipeline, 40
    xa, xb = (pipeline.state_at(degraded, clean, t, seed=1)
              for degraded, clean in ((A, B), (B, A)))
    mua, mub = (pipeline.as_inputs([image])[0] for image in (A, B))
    noise = torch.randn(mua.shape, generator=torch.Generator().manual_seed(1))
    expected = pipeline.sde.perturb(torch.lerp(mub, mua, 0.3),
                                    torch.lerp(mua, mub, 0.3), t, noise)
    torch.testing.assert_close(torch.lerp(xa, xb, 0.3), expected)


@pytest.mark.parametrize('a, b, option, words', [
    (A, A[:9], {}, '31x20 and 31x9'), (A, B, dict(number=1), 'number=1'),
    (A, B, dict(time=0), 'time=0'), (A, B, dict(time=101), '1 to 100'),
    ([A, B], B, {}, 'one image'), (A, None, {}, 'NoneType'),
    (A, B, dict(seed=-1), 'seed=-1')])
def test_refused_interpolations(tool, a, b, option, words):
    with pytest.raises(IRSDEError, match=words):
        tool.interpolate(a, b, show_progress=False, **option)


def test_stream(tool, photo):
    """A result is yielded before the next photo is restored."""
    shutil.copy(photo, photo.with_name('two.png'))
    steps = []
    stream = tool.stream(photo.parent, batch_size=1, show_progress=False,
                         callback=lambda p: steps.append(p.names))
    assert next(stream).image.shape == (20, 31, 3)
    assert {tuple(names) for names in steps} == {(str(photo), )}
    assert next(stream).name.endswith('two.png') and not list(stream)
