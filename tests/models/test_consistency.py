"""Consistency training: targets, their limit, and the hook."""
import pytest
import torch
from conftest import OUTPUTS, ROOT, build_sde, run_tool
from irsde_mm.errors import ConfigError
from irsde_mm.models import ConsistencyLoss, IRSDERestorer
from irsde_mm.models.losses.consistency import earlier
from irsde_mm.sde import IRSDE
from irsde_mm.sde.predictions import with_x0
from mmagic.structures import DataSample

L2 = dict(type='mmagic.MSELoss')
NAFNET = dict(type='irsde_mm.ConditionalNAFNet', width=4, enc_blocks=[1],
              middle_blocks=1, dec_blocks=[1])


def value(loss, sde, x0_pred, x0, mu, t, noise):
    """Return the loss of an estimate of x0."""
    xt = sde.perturb(x0, mu, t, noise)
    return loss(sde, with_x0(sde, x0_pred, xt, mu, t), output=x0_pred,
                target=x0, xt=xt, x0=x0, mu=mu, t=t, noise=noise)


def test_earlier_times():
    t = torch.tensor([1, 25, 26, 100])
    assert earlier(t, 100, 1).tolist() == [0, 0, 0, 0]
    assert earlier(t, 100, 4).tolist() == [0, 0, 1, 75]
    assert earlier(t, 100, 1000).tolist() == [0, 24, 25, 99]
    torch.testing.assert_close(earlier(torch.tensor([0.3, 50.5]), 100, 10),
                               torch.tensor([0., 40.5]))


def test_number_of_steps_grows():
    loss = ConsistencyLoss(start_steps=2, end_steps=32)
    numbers = []
    for progress in (0, .25, .5, .75, 1):
        loss.progress = progress
        numbers.append(loss.num_steps)
    assert numbers == [2, 4, 8, 16, 32]


def test_target_is_on_the_same_path(sde, images):
    x0, mu, noise = images
    loss, seen = ConsistencyLoss(L2, 4, 4), []

    def estimate(xs, mu, s):
        seen.append((xs, s))
        return with_x0(sde, 0.5 * xs, xs, mu, s)

    loss.estimate = estimate
    t = torch.tensor([20, 90])
    goal = loss.goal(sde, x0, mu, t, noise)
    (xs, s), = seen
    assert s.tolist() == [1, 65]
    torch.testing.assert_close(xs, sde.perturb(x0, mu, s, noise))
    torch.testing.assert_close(goal[0], x0[0])  # s = 0 is the clean image
    torch.testing.assert_close(goal[1], 0.5 * xs[1])


def test_oracle_has_no_loss(sde, images):
    x0, mu, noise = images
    loss, t = ConsistencyLoss(L2, 3, 3), torch.tensor([20, 90])
    loss.estimate = lambda xs, mu, s: with_x0(sde, x0, xs, mu, s)
    assert value(loss, sde, x0, x0, mu, t, noise) == 0
    assert value(loss, sde, x0 + 0.1, x0, mu, t, noise) > 1e-3


def test_one_step_is_regression(sde, images):
    x0, mu, noise = images
    loss, t = ConsistencyLoss(L2, 1, 1), torch.tensor([20, 90])
    loss.estimate = lambda *_: pytest.fail('no network call is needed')
    pred = torch.rand_like(x0)
    torch.testing.assert_close(
        value(loss, sde, pred, x0, mu, t, noise),
        (sde.to_image(pred) - sde.to_image(x0)).square().mean())


def test_gradients_reach_only_the_estimate(images):
    x0, mu, noise = images
    sde, loss = build_sde(IRSDE), ConsistencyLoss(L2, 4, 4)
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    average = torch.ones((), dtype=torch.float64, requires_grad=True)
    loss.estimate = lambda xs, mu, s: with_x0(sde, average * xs, xs, mu, s)
    value(loss, sde, weight * x0 / 2, x0, mu, torch.tensor([50, 90]),
          noise).backward()
    assert weight.grad != 0 and average.grad is None


def one_call_spread(num_steps: int) -> float:
    """Standard deviation of one-call results, relative to that of the data,
    if each estimate minimizes the loss over linear estimates k_t x_t."""
    sde, T, sd = IRSDE(50 / 255, num_steps=64).double(), 64, 0.3
    g = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 1, 1, 300, 300, generator=g,
                            dtype=torch.float64)
    x0, mu = sd * x0, torch.zeros_like(x0)
    loss, k = ConsistencyLoss(L2, num_steps, num_steps), {}
    loss.estimate = lambda xs, mu, s: with_x0(
        sde, k.get(s.item(), 0.) * xs, xs, mu, s)
    for t in range(T // num_steps, T + 1, T // num_steps):
        time = torch.tensor([t])
        xt = sde.perturb(x0, mu, time, noise)
        # the loss is a parabola in k
        low, middle, high = (value(loss, sde, c * xt, x0, mu, time, noise)
                             for c in (-1, 0, 1))
        k[t] = ((low - high) / (2 * (low + high - 2 * middle))).item()
    return k[T] * xt.std().item() / sd


def test_limit_is_a_sample_of_the_data():
    """Regression returns the mean, which has hardly any spread; with many
    steps one call returns images with the spread of the data."""
    one, few, more, many = map(one_call_spread, (1, 4, 16, 64))
    assert one < 0.05 < few < more < many
    assert many > 0.8


# ----------------------------------------------------------- in a restorer


def restorer(**options) -> IRSDERestorer:
    return IRSDERestorer(**dict(dict(
        generator=NAFNET, sde=dict(type='irsde_mm.IRSDE', max_sigma=0.2),
        output=dict(type='irsde_mm.CleanOutput', residual=True),
        sampler='fast', pixel_loss=dict(type='irsde_mm.ConsistencyLoss')),
        **options))


def test_training_step():
    model, x0 = restorer(), torch.rand(2, 3, 8, 8)
    average = restorer()
    average.load_state_dict(model.state_dict())
    model.pixel_loss.estimate = average.estimate
    model.forward_train(torch.rand(2, 3, 8, 8), DataSample(gt_img=x0))[
        'loss'].backward()
    assert any(p.grad is not None and p.grad.any()
               for p in model.parameters())
    assert all(p.grad is None for p in average.parameters())
    assert model.objective == 'consistency'
    assert set(model.state_dict()) == set(restorer(
        pixel_loss=None).state_dict())


def test_needs_the_hook():
    with pytest.raises(ConfigError, match='irsde_mm.ConsistencyHook'):
        restorer().forward_train(torch.rand(1, 3, 8, 8), DataSample(
            gt_img=torch.rand(1, 3, 8, 8)))


@pytest.mark.parametrize('output', OUTPUTS, ids=lambda cls: cls.__name__)
def test_outputs_that_divide_by_the_signal(output):
    options = dict(output=dict(type=f'irsde_mm.{output.__name__}'))
    if output.needs_signal:
        with pytest.raises(ConfigError, match='CleanOutput.residual=True'):
            restorer(**options)
    elif output.channels == 1:
        restorer(**options)


@pytest.mark.parametrize('steps', [(0, 4), (4, 2), (2., 4), (1, True)])
def test_invalid_numbers_of_steps(steps):
    with pytest.raises(ValueError, match='start_steps <= end_steps'):
        ConsistencyLoss(L2, *steps)


# --------------------------------------------------------------- the hook

SETTINGS = [
    'model.generator.width=4', 'train_dataloader.batch_size=2',
    'model.pixel_loss.distance._delete_=True',
    'model.pixel_loss.distance.type=mmagic.L1Loss',
    'model.pixel_loss.start_steps=2', 'model.pixel_loss.end_steps=8',
    'val_cfg=None', 'val_dataloader=None', 'val_evaluator=None',
    'default_hooks.checkpoint.save_best=None',
    'default_hooks.checkpoint.interval=3']


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """A config that trains on the built-in photos."""
    path = tmp_path_factory.mktemp('config') / 'consistency.py'
    base = ROOT / 'configs' / '_base_'
    path.write_text(f'''_base_ = [
    '{base}/models/quickstart_consistency.py',
    '{base}/datasets/builtin_rain.py',
    '{base}/schedules/quickstart_consistency.py',
    '{base}/default_runtime.py']
''')
    return path


def train(config, folder, iterations, *options):
    return run_tool('train', config, '--work-dir', folder, *options,
                    '--cfg-options', *SETTINGS,
                    f'train_cfg.max_iters={iterations}',
                    'param_scheduler.1.end=6', 'param_scheduler.1.begin=1',
                    'param_scheduler.0.end=1')


def test_resumes_exactly(config, tmp_path):
    """The target and the number of steps are those of an uninterrupted
    run."""
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    assert train(config, whole, 6) == 0
    parts.mkdir()
    (parts / 'iter_3.pth').write_bytes((whole / 'iter_3.pth').read_bytes())
    assert train(config, parts, 6, '--resume') == 0
    a, b = (torch.load(folder / 'iter_6.pth', weights_only=False)
            for folder in (whole, parts))
    assert a['meta']['irsde_mm']['objective'] == 'consistency'
    for part in ('state_dict', 'ema_state_dict'):
        assert all(torch.equal(a[part][key], b[part][key]) for key in a[part])
    assert not any(key.startswith('pixel_loss') for key in a['state_dict'])
    with pytest.raises(AssertionError):  # raw and averaged weights differ
        for key, weights in a['state_dict'].items():
            assert torch.equal(weights, a['ema_state_dict'][f'module.{key}'])


def test_target_is_the_average(config, tmp_path, monkeypatch):
    from irsde_mm.engine import ConsistencyHook
    seen = []
    before = ConsistencyHook.before_train_iter

    def record(self, runner, *args, **kwargs):
        before(self, runner, *args, **kwargs)
        loss = runner.model.pixel_loss
        assert loss.estimate.__self__ is self.ema_model.module
        seen.append((loss.progress, loss.num_steps))

    monkeypatch.setattr(ConsistencyHook, 'before_train_iter', record)
    assert train(config, tmp_path / 'run', 4) == 0
    assert seen == [(0, 2), (0.25, 3), (0.5, 4), (0.75, 6)]


def test_refusals_before_training(config, tmp_path, error):
    options = ['--work-dir', tmp_path / 'run', '--cfg-options', *SETTINGS]
    assert 'needs averaged weights; replace EMAHook' in error(
        'train', config, *options, 'custom_hooks.0.type=EMAHook')
    assert "must be a list of dicts with a 'type'" in error(
        'train', config, *options, 'custom_hooks=[EMAHook]')
    assert 'the model has no ConsistencyLoss' in error(
        'train', config, *options, 'model.pixel_loss._delete_=True',
        'model.pixel_loss.type=mmagic.L1Loss')


