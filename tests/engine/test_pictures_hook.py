"""Pictures of validation: pixels, backends, and no effect on training."""
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from irsde_mm.config import load_config
from irsde_mm.engine.hooks import PicturesHook
from irsde_mm.engine.hooks.pictures_hook import images_of
from irsde_mm.io.grids import GAP, TEXT, at_most, to_rgb
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

SIDE, CROP, STATES = 64, 60, 3  # wider than the captions


class Watch(Hook):
    """Hook that keeps the outputs of a validation, the random state after
    it, and the number of network calls."""

    def before_train(self, runner):
        self.calls = 0
        runner.model.generator.register_forward_pre_hook(self._count)

    def before_val(self, runner):
        self.outputs, self.calls = [], 0

    def _count(self, module, args):
        self.calls += 1

    def after_val_iter(self, runner, batch_idx, data_batch=None,
                       outputs=None):
        self.outputs += outputs

    def after_val(self, runner):
        self.random = torch.get_rng_state()
        self.numpy = np.random.get_state()[1].copy()


def run(folder, hook, backends=('LocalVisBackend', ), **options):
    """Train 4 iterations with two validations; return the runner and the
    Watch hook."""
    cfg = load_config('quickstart/derain')
    cfg.merge_from_dict({
        'model.generator.width': 4, 'model.val_sampler': dict(
            type='irsde_mm.PosteriorSampler', num_steps=2),
        'train_cfg.max_iters': 4, 'train_cfg.val_interval': 2,
        'train_dataloader.batch_size': 2,
        'train_dataloader.num_workers': 0, 'val_dataloader.num_workers': 0,
        'default_hooks.pictures': hook, **options})
    # a loop whose data depends on draws between iterations
    cfg.train_cfg.type = 'IterBasedTrainLoop'
    cfg.visualizer.vis_backends = [dict(type=name) for name in backends]
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    cfg.default_hooks.checkpoint.save_best = None
    cfg.work_dir = str(folder)
    runner, watch = Runner.from_cfg(cfg), Watch()
    runner.register_hook(watch, 'VERY_LOW')
    runner.train()
    return runner, watch


def pictures(**options):
    return dict(dict(type='irsde_mm.PicturesHook', images=2, side=SIDE,
                     crop=CROP, states=STATES), **options)


@pytest.fixture(scope='module')
def wandb():
    """A replacement for the package that records what is logged."""
    logged = []
    return SimpleNamespace(
        logged=logged, init=lambda **kwargs: None, join=lambda: None,
        config=SimpleNamespace(update=lambda *args, **kwargs: None),
        run=SimpleNamespace(log_code=lambda **kwargs: None),
        Image=np.array, log=lambda values, commit: logged.append(values))


@pytest.fixture(scope='module')
def watched(tmp_path_factory, wandb):
    folder = tmp_path_factory.mktemp('watched')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, 'wandb', wandb)
        return run(folder, pictures(), (
            'LocalVisBackend', 'TensorboardVisBackend', 'WandbVisBackend'))


def read(runner, name):
    path = f'{runner._log_dir}/vis_data/vis_image/{name}.png'
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_grid_of_restored_images(watched):
    runner, watch = watched
    grid = read(runner, 'validation_4')
    y = TEXT + 2 * GAP
    for sample in watch.outputs[:2]:
        x = GAP
        for image in (sample.input, sample.output.pred_img, sample.gt_img):
            expected = at_most(to_rgb(image), SIDE)
            h, w = expected.shape[:2]
            assert (grid[y:y + h, x:x + w] == expected).all()
            x += max(w, SIDE) + GAP
        y += h + GAP
    assert grid.shape == (y, x, 3), 'two images'


def test_strip_of_a_trajectory(watched):
    """It starts with noise around the center of the grid's first image."""
    runner, watch = watched
    strip = read(runner, 'trajectory_4')
    assert strip.shape[1] == 2 * GAP + STATES * (CROP + GAP) + GAP
    bottom = strip.shape[0] - 2 * GAP
    noisy, _, last = (strip[bottom - CROP:bottom, x:x + CROP]
                      for x in range(2 * GAP, strip.shape[1] - CROP,
                                     CROP + GAP))
    sample = watch.outputs[0]
    top, left = ((n - CROP) // 2 for n in sample.input.shape[-2:])
    part = sample.input[:, top:top + CROP, left:left + CROP]
    mu = to_rgb(part).astype(float)
    sigma = 50  # max_sigma of the config; pixels are clipped to 0..255
    assert 0.3 * sigma < (noisy - mu).std() < 1.2 * sigma
    assert abs((noisy - mu).mean()) < 10, 'around the degraded image'
    assert (last != noisy).any()


def test_picture_files(watched):
    folder = Path(watched[0]._log_dir) / 'vis_data' / 'vis_image'
    names = {path.name for path in folder.iterdir()}
    assert names == {f'{what}_{i}.png' for i in (2, 4)
                     for what in ('validation', 'trajectory')}


def test_tensorboard(watched):
    from tensorboard.backend.event_processing.event_accumulator import \
        EventAccumulator
    events = EventAccumulator(f'{watched[0]._log_dir}/vis_data').Reload()
    assert {'validation', 'trajectory'} <= set(events.Tags()['images'])
    for name in ('validation', 'trajectory'):
        assert [e.step for e in events.Images(name)] == [2, 4]
        assert events.Images(name)[0].width == read(
            watched[0], f'{name}_2').shape[1]
    assert [e.step for e in events.Scalars('PSNR')] == [2, 4]


def test_wandb(watched, wandb):
    images = [values['validation'] for values in wandb.logged
              if 'validation' in values]
    assert len(images) == 2
    assert (images[1] == read(watched[0], 'validation_4')).all()
    assert sum('trajectory' in values for values in wandb.logged) == 2


def test_pictures_do_not_change_training(watched, tmp_path):
    runner, watch = watched
    plain, without = run(tmp_path, pictures(images=0, trajectories=0))
    assert not list(tmp_path.rglob('vis_image'))
    assert torch.equal(watch.random, without.random)
    assert (watch.numpy == without.numpy).all()
    for key, value in plain.model.state_dict().items():
        assert torch.equal(value, runner.model.state_dict()[key]), key
    for a, b in zip(watch.outputs, without.outputs):
        assert torch.equal(a.output.pred_img, b.output.pred_img)
    assert watch.calls == without.calls + 2, 'one trajectory of two steps'


def test_grid_of_a_model_without_states(tmp_path):
    runner, _ = run(tmp_path, pictures(trajectories=2), **{
        'model': dict(_delete_=True, type='BaseEditModel',
                      generator=dict(
                          type='irsde_mm.RegressionNetwork', network=dict(
                              type='irsde_mm.ConditionalNAFNet', width=4,
                              enc_blocks=[1], dec_blocks=[1])),
                      pixel_loss=dict(type='L1Loss'),
                      data_preprocessor=dict(
                          type='DataPreprocessor', mean=[0.] * 3,
                          std=[255.] * 3))})
    grid = read(runner, 'validation_4')
    assert grid.shape[1] == 3 * SIDE + 4 * GAP
    assert not list(tmp_path.rglob('trajectory*'))


def test_full_disk_does_not_stop_training(watched):
    def add_image(*args):
        raise OSError(28, 'No space left on device')

    hook, logged = PicturesHook(images=1, trajectories=0), []
    runner = SimpleNamespace(
        model=watched[0].model, iter=5, logger=SimpleNamespace(
            error=logged.append), visualizer=SimpleNamespace(
                add_image=add_image))
    hook.before_val_epoch(runner)
    hook.after_val_iter(runner, 0, outputs=watched[1].outputs)
    hook.after_val_epoch(runner)
    assert len(logged) == 1 and 'No space left' in logged[0]


def test_non_images_are_left_out(watched):
    sample = watched[1].outputs[0].new()
    sample.set_data(dict(input=torch.rand(5, 8, 8), gt_img=255 * torch.ones(
        2, 1, 8, 8)))
    found = images_of(sample)
    assert list(found) == ['restored', 'clean']
    assert found['clean'].shape == (1, 8, 8), 'the first of two frames'


@pytest.mark.parametrize('wrong', [
    dict(images=-1), dict(trajectories=-2), dict(states=1), dict(side=0),
    dict(crop=0)])
def test_arguments_out_of_range(wrong):
    value, = wrong.values()
    with pytest.raises(ValueError, match=f'>= 1, but got .*{value}'):
        PicturesHook(**wrong)
