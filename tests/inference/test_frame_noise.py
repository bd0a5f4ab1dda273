"""Noise of the frames of a clip."""
import numpy as np
import pytest
import torch
from clips import frames
from irsde_mm.errors import ConfigError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.inference.frame_noise import (KINDS, FrameNoise, Motion,
                                            MovedNoise, identity, permutation,
                                            restore_frames)
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.samplers import PosteriorSampler
from irsde_mm.sde import IRSDE
from irsde_mm.sde.base import draw_noise

SIZES = [(24, 40), (96, 160), (3, 5)]  # of the frames, enlarged, latents


@pytest.fixture
def pipeline() -> RestorationPipeline:
    return RestorationPipeline(
        ConditionalNAFNet(width=4, enc_blocks=[1], middle_blocks=1,
                          dec_blocks=[1]),
        IRSDE(max_sigma=50 / 255), PosteriorSampler(2))


def wavy() -> np.ndarray:
    """Return origins that are not one to one."""
    origin = identity(24, 40)
    return origin + 3 * np.sin(origin[..., ::-1] / 4) + 7.3


@pytest.mark.parametrize('size', SIZES)
def test_permutation(size):
    order = permutation(wavy(), size)
    assert np.array_equal(np.sort(order), np.arange(size[0] * size[1]))
    still = permutation(identity(24, 40), size)
    assert np.array_equal(still, np.arange(size[0] * size[1]))


@pytest.mark.parametrize('size', SIZES[:2])
def test_moved_noise_follows_a_pan(size):
    """The picture moves to the left by 2 pixels: so does the noise."""
    origin = identity(24, 40) + np.float32([2, 0])
    like = torch.empty(3, *size)
    scale = size[0] // 24
    field = draw_noise(like[None], [torch.Generator().manual_seed(1)])[0]
    found = MovedNoise(torch.Generator().manual_seed(1), origin).draw(like)
    assert torch.equal(found, field.roll(-2 * scale, 2))


def test_moved_noise_is_drawn_like_any_other():
    """Each draw is new and keeps its values; other images do not matter."""
    moved = MovedNoise(torch.Generator().manual_seed(1), wavy())
    like = torch.empty(2, 3, 24, 40, dtype=torch.float64)
    first, second = (draw_noise(like, [
        torch.Generator().manual_seed(1), moved]) for _ in 'ab')
    assert first.dtype == torch.float64
    field, noise = first
    assert not torch.equal(field, noise) and not torch.equal(noise, second[1])
    assert torch.equal(field.flatten().sort()[0], noise.flatten().sort()[0])
    order = torch.from_numpy(permutation(wavy(), (24, 40)))
    assert torch.equal(field.flatten(1)[:, order], noise.flatten(1))


def test_motion_of_a_pan():
    """The estimated origins of a clip whose picture moves by a pixel."""
    motion = Motion()
    for i, frame in enumerate(frames(6, (48, 64))):
        motion.follow(frame)
        error = motion.origin - identity(48, 64) - np.float32([i, 0])
        assert np.abs(error[8:-8, 8:-8]).mean() < 0.3


@pytest.mark.parametrize('size', [(1, 1), (3, 90), (33, 700), (12, 40)])
def test_motion_of_any_size(size):
    motion = Motion()
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        motion.__init__()
        for _ in range(3):
            motion.follow(rng.integers(0, 256, (*size, channels), np.uint8))
        assert motion.origin.shape == (*size, 2)
        assert np.isfinite(motion.origin).all()


def drawn(pipeline, kind, clip, seed=None) -> list:
    """Return the first noise of each frame."""
    noise = FrameNoise(pipeline, kind, 'clip.mp4', seed)
    like = torch.empty(1, 3, *clip[0].shape[:2])
    return [draw_noise(like, [noise.source(frame, f'frame {i}')])
            for i, frame in enumerate(clip)]


def test_kinds(pipeline):
    clip = frames(3, (32, 48))
    shared, flow, own = (drawn(pipeline, kind, clip) for kind in KINDS)
    assert all(torch.equal(noise, shared[0]) for noise in shared)
    assert torch.equal(flow[0], shared[0])
    for noise, field in ((flow, shared), (own, own[:1] * 3)):
        assert not torch.equal(noise[1], field[1])
        assert not torch.equal(noise[1], noise[2])
    # a still picture has shared noise
    assert all(torch.equal(noise, shared[0])
               for noise in drawn(pipeline, 'flow', clip[:1] * 3))
    for kind in KINDS:
        assert not torch.equal(drawn(pipeline, kind, clip, 1)[1],
                               drawn(pipeline, kind, clip, 2)[1])
    with pytest.raises(ConfigError, match="noise='none' must be one of"):
        FrameNoise(pipeline, 'none', 'clip')
    with pytest.raises(ConfigError, match='seed=-1'):
        FrameNoise(pipeline, 'shared', 'clip', -1)


def test_frames_are_restored_as_photos(pipeline):
    """With the same noise, alone and in a batch."""
    clip = frames(3, (20, 30))
    noise = FrameNoise(pipeline, 'shared', 'dir/clip.mp4')
    found = restore_frames(pipeline, clip, [
        noise.source(frame, '') for frame in clip], crispness=0.5)
    for image, frame in zip(found, clip):
        expected, = pipeline.restore_batch([frame], ['clip.mp4'],
                                           crispness=0.5)
        assert np.abs(image.astype(int) - expected).max() <= 1
    noise = FrameNoise(pipeline, 'frame', 'clip.mp4', 3)
    found = restore_frames(pipeline, clip[:1], [noise.source(clip[0], 'a')])
    pipeline.seed = 3
    expected = pipeline.restore_batch(clip[:1], ['a'])
    assert np.array_equal(found, expected)
