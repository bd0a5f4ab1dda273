"""RestorationPipeline: from a photo to a photo with torch only."""
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from conftest import ROOT, VERSION_1
from irsde_mm.apis import bundled_models, init_restorer, restore
from irsde_mm.errors import (CheckpointError, ConfigError, DataError,
                             ImageError, IRSDEError)
from irsde_mm.inference import (Hooks, NetworkCalls, Progress, Refinement,
                                RestorationPipeline)
from irsde_mm.inference.arrays import Upscale
from irsde_mm.networks import ConditionalNAFNet, RegressionNetwork
from irsde_mm.samplers import JumpSampler, PosteriorSampler
from irsde_mm.sde import IRSDE, VPSDE, CleanOutput, ResidualOutput
from PIL import Image

RNG = np.random.default_rng(0)
A, B = (RNG.integers(0, 256, (20, 31, 3), dtype=np.uint8) for _ in 'ab')
T = 20


def network(channels: int = 3) -> ConditionalNAFNet:
    torch.manual_seed(1)
    net = ConditionalNAFNet(in_channels=channels, width=4, enc_blocks=[1],
                            middle_blocks=1, dec_blocks=[1])
    for p in net.parameters():  # some layers are initialized to zero
        p.data += 0.01 * torch.randn_like(p)
    return net.requires_grad_(False).eval()


def build(sampler='balanced', channels: int = 3,
          **options) -> RestorationPipeline:
    """Build an untrained pipeline, whose estimate of x0 is close to mu."""
    return RestorationPipeline(network(channels), IRSDE(0.1, num_steps=T),
                               sampler, ResidualOutput(), **options)


@pytest.fixture(scope='module')
def pipeline() -> RestorationPipeline:
    return build()


def as_tensor(image: np.ndarray) -> torch.Tensor:
    """Return the image as RGB in [0, 1]."""
    return torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1) / 255


def as_array(image: torch.Tensor) -> np.ndarray:
    return (image * 255).round().byte().permute(1, 2, 0).numpy()[..., ::-1]


# ------------------------------------------------------------------ inputs


def test_array_path_and_tensor_give_the_same(pipeline, tmp_path):
    path = tmp_path / 'a.png'
    Image.fromarray(A[..., ::-1]).save(path)
    expected = pipeline(A, seed=3)
    assert expected.shape == A.shape and expected.dtype == np.uint8
    assert not np.array_equal(expected, A)
    for given in (path, str(path)):
        assert np.array_equal(pipeline(given, seed=3), expected)
    found = pipeline(as_tensor(A), seed=3)
    assert found.shape == (3, 20, 31) and found.dtype == torch.float32
    assert found.min() >= 0 and found.max() <= 1
    assert np.array_equal(as_array(found), expected)
    batch = pipeline(torch.stack([as_tensor(A), as_tensor(B)]), seed=3)
    assert batch.shape == (2, 3, 20, 31)
    assert np.abs(as_array(batch[0]).astype(int) - expected).max() <= 1


def test_channel_order_of_the_network():
    """The result of a BGR network is that of an RGB one, reversed."""
    rgb, bgr = build(), build(order='BGR')
    reverse = bgr(A[..., ::-1].copy(), seed=1)
    assert np.array_equal(rgb(A, seed=1), reverse[..., ::-1])
    assert not np.array_equal(rgb(A, seed=1), bgr(A, seed=1))
    assert np.array_equal(as_array(bgr(as_tensor(A), seed=1)),
                          bgr(A, seed=1))


def test_file_name_seeds_the_noise(pipeline, tmp_path):
    results = []
    for folder, name in (('x', 'a'), ('y', 'a'), ('x', 'b')):
        path = tmp_path / folder / f'{name}.png'
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(A[..., ::-1]).save(path)
        results.append(pipeline(path))
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert np.array_equal(pipeline(A), pipeline(A))
    other = build(seed=5)
    assert not np.array_equal(other(A), pipeline(A))
    assert np.array_equal(other(A, seed=7), pipeline(A, seed=7))


def test_gray_images(tmp_path):
    gray = build(channels=1)
    assert gray.channels == 1
    result = gray(A[..., :1], seed=1)
    assert result.shape == (20, 31, 1)
    path = tmp_path / 'gray.png'
    Image.fromarray(A[..., 0]).save(path)
    assert np.array_equal(gray(path, seed=1), result)
    tensor = torch.from_numpy(A[..., :1].copy()).permute(2, 0, 1) / 255
    assert np.array_equal((gray(tensor, seed=1) * 255).round().byte()[0],
                          result[..., 0])
    Image.fromarray(A).save(path)
    with pytest.raises(ImageError, match='in color'):
        gray(path)
    with pytest.raises(DataError, match=r'\(height, width, 1\)'):
        gray(A)


def test_upscaling():
    large = build(upscale=Upscale(4))
    assert large.upscale == 4
    result = large(A, seed=1)
    assert result.shape == (80, 124, 3)
    found = large(as_tensor(A), seed=1)
    assert found.shape == (3, 80, 124)
    assert np.abs(as_array(found).astype(int) - result).max() <= 1
    # the input of the network is the upscaled photo
    smooth = as_array(torch.nn.functional.interpolate(
        as_tensor(A)[None], scale_factor=4, mode='bicubic')[0].clamp(0, 1))
    inputs, sizes = large.as_inputs([A])
    assert sizes == [(80, 124)]
    seen = as_array(inputs[0].clamp(0, 1))
    assert np.abs(seen.astype(int) - smooth).max() <= 1


# ------------------------------------------------------------------ options


def test_steps_and_samplers(pipeline):
    assert pipeline.sampler.num_steps == 3
    assert pipeline.choose_sampler(steps=4).num_steps == 4
    assert pipeline.choose_sampler('fast').num_steps == 1
    assert isinstance(pipeline.choose_sampler('posterior'), PosteriorSampler)
    own = JumpSampler(num_steps=2)
    assert pipeline.choose_sampler(own) is own
    results = [pipeline(A, seed=1, **options) for options in (
        {}, dict(steps=3), dict(sampler='balanced'), dict(steps=2),
        dict(sampler=dict(type='irsde_mm.JumpSampler', num_steps=2)),
        dict(sampler=own))]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
    assert np.array_equal(results[4], results[5])
    assert not np.array_equal(results[0], results[3])
    assert pipeline.sampler.num_steps == 3, 'the pipeline is unchanged'
    assert pipeline.max_calls(None) == 3
    assert pipeline.max_calls(PosteriorSampler()) == T


def test_seeds_and_draws(pipeline):
    first, second = (pipeline(A, seed=seed) for seed in (1, 2))
    assert not np.array_equal(first, second)
    assert np.array_equal(
        pipeline.restore_batch([A], seed=1, draw=1)[0], second)


def test_images_of_a_batch_are_independent(pipeline):
    together = pipeline.restore_batch([A, B[:19, :32]], ['a.png', 'b.png'])
    for image, name, result in zip((A, B[:19, :32]), 'ab', together):
        alone, = pipeline.restore_batch([image], [f'{name}.png'])
        assert np.abs(alone.astype(int) - result).max() <= 1


def test_tiles():
    image = np.tile(A, (8, 9, 1))
    seen = []

    class Watched(ConditionalNAFNet):
        def forward(self, xt, mu, t):
            seen.append(tuple(xt.shape[-2:]))
            return super().forward(xt, mu, t)

    torch.manual_seed(1)
    net = Watched(width=4, enc_blocks=[1], middle_blocks=1, dec_blocks=[1])
    pipe = RestorationPipeline(
        net.requires_grad_(False).eval(), IRSDE(0.1, num_steps=T), 'fast',
        calls=NetworkCalls(fold=False))
    whole = pipe(image, seed=1)
    assert set(seen) == {image.shape[:2]} and len(seen) == 5
    seen.clear()
    tiled = pipe(image, seed=1, tile=128)
    assert max(max(size) for size in seen) <= 128 and len(seen) > 5
    assert np.abs(tiled.astype(int) - whole).mean() < 1
    assert pipe.calls.tile == 'auto', 'the setting is unchanged'


def test_progress(pipeline):
    seen = []

    def watch(progress):
        assert isinstance(progress, Progress)
        image, = progress.states()
        seen.append((progress.step, progress.steps, progress.t, image))

    result = pipeline(A, steps=4, seed=1, callback=watch)
    assert [item[:2] for item in seen] == [(i, 4) for i in range(5)]
    times = [item[2] for item in seen]
    assert times == sorted(times, reverse=True)
    assert times[0] == T and times[-1] == 0
    assert all(item[3].shape == A.shape and item[3].dtype == np.uint8
               for item in seen)
    assert np.array_equal(seen[-1][3], result)
    assert np.array_equal(result, pipeline(A, steps=4, seed=1))


def test_callback_can_stop_sampling(pipeline):
    def stop(progress):
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline(A, callback=stop)
    assert np.array_equal(pipeline(A, seed=1), build()(A, seed=1))


# ------------------------------------------------------------------- models


def test_outputs_and_processes():
    for sde, output in ((IRSDE(0.1, num_steps=T), CleanOutput()),
                        (VPSDE(num_steps=T), None)):
        pipe = RestorationPipeline(network(), sde, 'fast', output)
        assert pipe(A, seed=1).shape == A.shape


def test_moving_to_a_device(pipeline):
    moved = build().to('cpu')
    assert moved.device == torch.device('cpu')
    assert np.array_equal(moved(A, seed=1), pipeline(A, seed=1))
    path = VERSION_1 / 'inpaint.safetensors'
    model = RestorationPipeline.from_file(path).to('cpu')
    for module in (model.network, model.hooks.initial):
        assert {p.device.type for p in module.parameters()} == {'cpu'}


@pytest.mark.parametrize('name', bundled_models())
def test_bundled_models(name):
    """All ways to open a bundled model give the same result."""
    pipe = RestorationPipeline.from_bundled(name, 'cpu')
    expected = pipe(A, steps=2, seed=1)
    path = bundled_models()[name]
    for other in (RestorationPipeline.from_file(path, 'cpu'),
                  RestorationPipeline.from_file(str(path)).to('cpu'),
                  init_restorer(name, device='cpu'),
                  init_restorer(str(path), device='cpu')):
        assert isinstance(other, RestorationPipeline)
        assert np.array_equal(restore(other, A, steps=2, seed=1), expected)
    assert expected.shape == (20 * pipe.upscale, 31 * pipe.upscale, 3)
    assert not pipe.network.training
    assert not any(p.requires_grad for p in pipe.network.parameters())


def test_refinement_starts_from_the_initial_network():
    pipe = RestorationPipeline.from_file(VERSION_1 / 'inpaint.safetensors',
                                         'cpu')
    assert isinstance(pipe.hooks, Refinement)
    degraded = as_tensor(A)[None]
    with torch.no_grad():
        expected = pipe.hooks.initial(degraded).clamp(0, 1)
    torch.testing.assert_close(pipe.hooks.condition(degraded), expected)
    plain = RestorationPipeline(pipe.network, pipe.sde, pipe.sampler,
                                pipe.output)
    assert type(plain.hooks) is Hooks
    assert not np.array_equal(plain(A, seed=1), pipe(A, seed=1))


def test_checkpoint_without_config(trained):
    """It opens with the averaged weights."""
    pipe = RestorationPipeline.from_file(trained / 'iter_2.pth', 'cpu')
    assert type(pipe.output).__name__ == 'CleanOutput'
    model = init_restorer(str(trained / 'derain.py'),
                          str(trained / 'iter_2.pth'), 'cpu')
    options = dict(sampler='fast', seed=1)
    assert np.array_equal(pipe(A, **options), restore(model, A, **options))


# ----------------------------------------------------------------- threads


def test_two_threads_share_a_pipeline():
    """With different sizes and options at the same time."""
    pipe = RestorationPipeline.from_file(VERSION_1 / 'inpaint.safetensors',
                                         'cpu')
    jobs = [(A, dict(seed=1, steps=6)), (np.tile(B, (2, 1, 1)), dict(
        seed=2, sampler='balanced'))]
    expected = [pipe(image, **options) for image, options in jobs]
    meet = threading.Barrier(len(jobs))
    results = [[] for _ in jobs]

    def together(progress):
        if progress.step == 1:  # both have started
            meet.wait(60)

    def run(i):
        image, options = jobs[i]
        for _ in range(3):
            results[i].append(pipe(image, callback=together, **options))

    threads = [threading.Thread(target=run, args=(i, )) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found, image in zip(results, expected):
        assert len(found) == 3
        assert all(np.array_equal(result, image) for result in found)


# ------------------------------------------------------------------- errors


@pytest.mark.parametrize('image, options, words', [
    (A, dict(steps=0), 'steps=0 is less than 1'),
    (A, dict(steps=2.5), 'steps=2.5 must be a whole number'),
    (A, dict(steps=T + 1), f'at most {T}'),
    (A, dict(seed=-1), 'seed=-1'), (A, dict(seed='1'), "seed='1'"),
    (A, dict(sampler='quick'), "unknown sampler 'quick'"),
    (A, dict(sampler=dict(type='irsde_mm.IRSDE')), 'of kind Sampler|cannot'),
    (A, dict(sampler=dict(type='irsde_mm.JumpSampler', eta='x')), 'sampler'),
    (A, dict(tile=5), 'at least 128'), (A, dict(tile='large'), "'large'"),
    (A[..., 0], {}, 'an image array must be'),
    (A.astype(np.float32), {}, 'float32'),
    (A[:0], {}, r'\(0, 31, 3\)'),
    (as_tensor(A)[0], {}, 'an image tensor must be'),
    (as_tensor(A)[:1], {}, r'\(1, 20, 31\)'),
    (as_tensor(A).byte(), {}, 'uint8'),
    ('nowhere.png', {}, 'nowhere.png')])
def test_errors_are_one_line(pipeline, image, options, words):
    with pytest.raises(IRSDEError, match=words) as error:
        pipeline(image, **options)
    assert '\n' not in str(error.value)


def test_photos_too_different_for_a_batch(pipeline):
    with pytest.raises(DataError, match='different sizes'):
        pipeline.restore_batch([A, A[:9]])


@pytest.mark.parametrize('options, error, words', [
    (dict(sampler='quick'), ConfigError, 'unknown sampler'),
    (dict(sampler=dict(type='irsde_mm.JumpSampler', num_steps=T + 1)),
     ValueError, f'at most {T}'),
    (dict(seed=-1), ConfigError, 'seed=-1'),
    (dict(sigma=2.), ConfigError, 'sigma=2.0'),
    (dict(sigma='much'), ConfigError, "sigma='much'"),
    (dict(order='GBR'), ConfigError, "order='GBR'")])
def test_bad_constructor_arguments(options, error, words):
    with pytest.raises(error, match=words):
        build(**options)


def test_missing_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint found at 'x.saf"):
        RestorationPipeline.from_file('x.safetensors')
    with pytest.raises(ConfigError, match="no bundled model 'derian'.*derain"):
        RestorationPipeline.from_bundled('derian')
    with pytest.raises(ConfigError, match="device 'abacus'"):
        RestorationPipeline.from_bundled('derain', 'abacus')
    torch.save(dict(state_dict=dict(a=torch.zeros(1)), meta={}), 'x.pth')
    with pytest.raises(CheckpointError, match='load mmagic models with'):
        RestorationPipeline.from_file('x.pth')


# ----------------------------------------------------------------- imports

ALONE = '''
import sys
import numpy as np
import irsde_mm.apis, irsde_mm.inference, irsde_mm.model_files
import irsde_mm.networks, irsde_mm.samplers, irsde_mm.sde
import irsde_mm.io.photos, irsde_mm.io.reader, irsde_mm.io.weights
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.inference import RestorationPipeline
from irsde_mm.commands import restore as command

photo = sys.argv[1]
model = RestorationPipeline.from_bundled('derain', 'cpu')
assert restore(model, photo, steps=2).shape == (20, 31, 3)
tool = RestorationInferencer('sr', device='cpu')
tool(photo, steps=2, samples=2, compare=True, trajectory=True,
     out_dir=sys.argv[2], show_progress=False)
init_restorer(sys.argv[3])
heavy = ('mmengine', 'mmcv', 'mmagic', 'diffusers', 'torchvision',
         'transformers', 'pandas', 'matplotlib', 'gradio', 'lmdb')
found = sorted({name.partition('.')[0] for name in sys.modules}
               & set(heavy))
assert not found, found
'''


def test_restoring_needs_only_torch(photo, tmp_path, trained):
    """Bundled models, a checkpoint, and images of the results."""
    done = subprocess.run(
        [sys.executable, '-c', ALONE, photo, tmp_path / 'out',
         trained / 'iter_2.pth'], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / 'out').iterdir())) == 6




# ----------------------------------------------------------- self-ensemble


def test_self_ensemble_is_that_of_the_networks():
    """It changes the results of all networks, and those of a batch are those
    of single images."""
    regression = RegressionNetwork(network())
    pipe = build(hooks=Refinement(regression, NetworkCalls()))
    plain = pipe(A, seed=1)
    for pad_mode in ('constant', 'reflect'):
        pipe.network.pad_mode = regression.network.pad_mode = pad_mode
        pipe.self_ensemble = 4
        assert pipe.self_ensemble == regression.network.self_ensemble == 4
        mean = pipe(A, seed=1)
        assert not np.array_equal(mean, plain)
    pipe = build()
    pipe.self_ensemble = 4
    smaller = A[:19]
    both = pipe.restore_batch([A, smaller], ['a', 'b'])
    for result, image, name in zip(both, (A, smaller), 'ab'):
        alone, = pipe.restore_batch([image], [name])
        assert np.abs(result.astype(int) - alone).max() <= 1


@pytest.mark.parametrize('copies', [0, 3, 16, 'all', None])
def test_invalid_self_ensemble(pipeline, copies):
    with pytest.raises(ConfigError, match='self_ensemble must be one of'):
        pipeline.self_ensemble = copies
    assert pipeline.self_ensemble == 1


def test_networks_without_self_ensemble_are_refused():
    pipe = build()
    pipe.network = torch.nn.Conv2d(3, 3, 1)
    with pytest.raises(ConfigError, match='none of the networks'):
        pipe.self_ensemble = 2
