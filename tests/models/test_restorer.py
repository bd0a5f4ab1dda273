"""IRSDERestorer: training, restoring, settings."""
import copy
import io

import pytest
import torch
from irsde_mm.apis import init_restorer
from irsde_mm.errors import CheckpointError, ConfigError, ImageError
from irsde_mm.inference.presets import (PRESETS, SAMPLERS, build_sampler,
                                        sampler_config)
from irsde_mm.inference.trajectory import run_network
from irsde_mm.models import IRSDERestorer
from irsde_mm.models.restorers.times import draw_times
from irsde_mm.registry import MODELS
from irsde_mm.samplers import (EulerMaruyamaSampler, JumpSampler,
                               ProbabilityFlowSampler)
from irsde_mm.sde import (SDE, CleanOutput, EulerNoiseOutput, NoiseOutput,
                          StraightSDE, VelocityOutput)
from mmagic.structures import DataSample

CONFIG = dict(
    type='irsde_mm.IRSDERestorer',
    generator=dict(type='irsde_mm.ConditionalNAFNet', width=4,
                   enc_blocks=[1], dec_blocks=[1]),
    sde=dict(type='irsde_mm.IRSDE', max_sigma=30 / 255, num_steps=10),
    sampler=dict(type='irsde_mm.PosteriorSampler'),
    pixel_loss=dict(type='irsde_mm.MaximumLikelihoodLoss'),
    data_preprocessor=dict(
        type='mmagic.DataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
        output_channel_order='RGB'))

#: parts with other arguments than those above
REPLACES = ('irsde_mm.VPSDE', 'irsde_mm.RDDM', 'irsde_mm.StraightSDE',
            'irsde_mm.LikelihoodLoss')


def build(**changes) -> IRSDERestorer:
    config = copy.deepcopy(CONFIG)
    for key, value in changes.items():
        if isinstance(value, dict) and value.get('type') not in REPLACES:
            config.setdefault(key, {}).update(value)
        else:
            config[key] = value
    torch.manual_seed(0)
    model = MODELS.build(config)
    for p in model.generator.parameters():
        p.data += 0.05 * torch.randn_like(p)
    return model


def batch(n=2, size=(8, 8)):
    g = torch.Generator().manual_seed(0)
    return dict(
        inputs=[torch.randint(0, 256, (3, *size), generator=g).byte()
                for _ in range(n)],
        data_samples=[DataSample(
            gt_img=torch.randint(0, 256, (3, *size), generator=g).byte(),
            metainfo=dict(gt_path=f'dir/{i}.png')) for i in range(n)])


def check_restoration(model, sampler=None, output=None):
    """Compare a restoration with sampling from the parts of the model."""
    sampler, sde = sampler or model.sampler, model.sde
    output = output or model.pipeline.output
    mu = torch.rand(2, 3, 8, 8)
    g = torch.Generator().manual_seed(4)
    result = model(mu, mode='tensor', sampler=sampler, generator=g)
    assert not result.is_inference()
    g.manual_seed(4)
    mu = sde.from_image(mu)
    xt, start = sde.start(mu, g)

    def denoiser(x, t):
        out = run_network(lambda net, *args, **kwargs: net(*args, **kwargs),
                          model.generator, sde, x, mu, t)
        return output.decode(sde, out, x, mu, t)

    with torch.no_grad():
        expected = sampler.at_most(start).sample(sde, denoiser, xt, mu, start,
                                                 g)
    torch.testing.assert_close(result, sde.to_image(expected), rtol=1e-4,
                               atol=1e-4)


@pytest.mark.parametrize('key, value', [('mean', [127.5] * 3),
                                        ('std', [127.5] * 3)])
def test_images_of_another_range(key, value):
    with pytest.raises(ConfigError, match=f'not scaled to .0, 1.*{key} must'):
        build(data_preprocessor={key: value})


def test_training_follows_the_paper():
    """x_t from (x0, mu, t, noise) by the process; t in 1..T, one per image;
    images as RGB in [0, 1]."""
    model, seen, data = build(), [], batch(4)
    original = model.pixel_loss.forward
    model.pixel_loss.forward = lambda sde, pred, **k: (
        seen.append(k), original(sde, pred, **k))[1]
    data = model.data_preprocessor(data, training=True)
    for _ in range(50):
        loss = model(**data, mode='loss')['loss']
    assert loss.shape == () and loss.requires_grad
    k = seen[0]
    torch.testing.assert_close(
        k['xt'], model.sde.perturb(k['x0'], k['mu'], k['t'], k['noise']))
    assert {int(t) for k in seen for t in k['t']} == set(range(1, 11))
    raw = batch(4)
    torch.testing.assert_close(
        k['mu'][1], raw['inputs'][1].flip(0).float() / 255)
    torch.testing.assert_close(
        k['x0'][1], raw['data_samples'][1].gt_img.flip(0).float() / 255)


def test_restored_images_are_in_the_format_of_mmagic():
    samples = build().val_step(batch())
    assert len(samples) == 2
    pred = samples[1].output.pred_img
    assert pred.shape == (3, 8, 8) and pred.min() >= 0 and pred.max() <= 255
    torch.testing.assert_close(samples[1].input,
                               batch()['inputs'][1].float())


def test_noise_depends_on_the_file_name():
    """It does not depend on batch, order, or global random state."""
    model = build()
    both = model.val_step(batch())
    torch.manual_seed(99)
    data = {k: v[::-1] for k, v in batch().items()}
    swapped = model.val_step(data)
    alone = model.val_step({k: v[1:] for k, v in batch().items()})
    for other in (swapped[0], alone[0]):
        torch.testing.assert_close(both[1].output.pred_img,
                                   other.output.pred_img, rtol=0, atol=1e-3)
    data = {k: v[1:] for k, v in batch().items()}
    data['data_samples'][0].set_metainfo(dict(gt_path='renamed.png'))
    renamed = model.val_step(data)[0].output.pred_img
    assert (renamed - both[1].output.pred_img).abs().max() > 1


def test_restoration_depends_on_the_seed():
    model = build()
    first = model.val_step(batch())[0].output.pred_img
    model.pipeline.seed = 1
    assert not torch.equal(first, model.val_step(batch())[0].output.pred_img)


def test_denoising_without_condition():
    model = build(
        generator=dict(conditional=False),
        sde=dict(type='irsde_mm.DenoisingSDE', sigma=20 / 255),
        sampler=dict(type='irsde_mm.ProbabilityFlowSampler'))
    check_restoration(model, output=NoiseOutput())
    data = model.data_preprocessor(batch(), training=True)
    model(**data, mode='loss')['loss'].backward()


def test_noise_level_from_sample_config_or_estimate():
    """t* = 22 for 25/255, 41 for 50/255 (T = 100)."""
    model = build(
        generator=dict(conditional=False),
        sde=dict(type='irsde_mm.DenoisingSDE', max_sigma=70 / 255,
                 num_steps=100),
        sampler=dict(type='irsde_mm.ProbabilityFlowSampler'))
    starts, start = [], model.sde.start
    model.sde.start = lambda *args: (
        starts.append(start(*args)[1]), start(*args))[1]

    def run(size=(8, 8), **meta):
        starts.clear()
        data = batch(size=size)
        for i, sample in enumerate(data['data_samples']):
            sample.set_metainfo({k: v[i] for k, v in meta.items()})
        return model.val_step(data), list(starts)

    with pytest.raises(ConfigError, match='noise level'):
        run()
    both, times = run(sigma=[25 / 255, 50 / 255])
    assert times == [22, 41], 'each image from its own time'
    same, times = run(sigma=[50 / 255, 50 / 255])
    assert times == [41]
    torch.testing.assert_close(both[1].output.pred_img,
                               same[1].output.pred_img, rtol=0, atol=1e-3)
    model.pipeline.sigma = 15 / 255
    assert run()[1] == [15]
    assert run(sigma=[0.0, 0.0])[1] == [0], 'the sample takes precedence'
    model.pipeline.sigma = 'estimate'
    data = batch(1)
    noisy = 128 + 25 * torch.randn(3, 96, 96)
    data['inputs'], data['data_samples'][0].gt_img = [noisy], noisy
    starts.clear()
    model.val_step(data)
    assert abs(starts[0] - 22) <= 2
    data['inputs'] = [128 + 90 * torch.randn(3, 96, 96)]
    data['data_samples'] = batch(1)['data_samples']
    with pytest.raises(ImageError, match='dir/0.png.*max_sigma'):
        model.val_step(data)
    for size in ((2, 3), (40, 50)):
        flat = data['inputs'][0] = torch.full((3, *size), 77.)
        image = model.val_step(data)[0].output.pred_img
        torch.testing.assert_close(image, flat)  # no noise to remove
    flat[1] += 25 * torch.randn(40, 50)
    starts.clear()
    model.val_step(data)
    assert abs(starts[0] - 22) <= 4


def test_settings_are_complete_and_loadable():
    settings = build().settings
    assert settings['sde'] == dict(
        type='irsde_mm.IRSDE', max_sigma=30 / 255, num_steps=10,
        schedule='cosine', eps=0.005)
    assert settings['objective'] == 'euler'
    assert settings['timesteps'] == 'discrete'
    assert settings['generator']['middle_blocks'] == 1
    file = io.BytesIO()
    torch.save(settings, file)
    file.seek(0)
    assert torch.load(file, weights_only=True) == settings


@pytest.mark.parametrize('changes, words', [
    (dict(sde=dict(max_sigma=10 / 255)), r'max_sigma.*30/255.*10/255'),
    (dict(sde=dict(num_steps=100)), r'num_steps: 10 .*100'),
    (dict(sde=dict(schedule='linear')), "'cosine' .*'linear'"),
    (dict(sde=dict(eps=0.01)), 'eps'),
    (dict(generator=dict(width=8)), 'width: 4 .*8'),
    (dict(sde=dict(type='irsde_mm.DenoisingSDE')), 'type'),
])
def test_conflicting_settings_name_both_values(changes, words):
    saved = build()
    checkpoint = dict(state_dict=saved.state_dict(),
                      meta=dict(irsde_mm=saved.settings))
    build().check_checkpoint(checkpoint)
    with pytest.raises(CheckpointError, match=words):
        build(**changes).check_checkpoint(checkpoint)


@pytest.mark.parametrize('changes, words', [
    (dict(sde=dict(max_sigma=0.3)), 'sde.max_sigma: '),
    (dict(sde=dict(eps=0.01)), 'sde.eps: '),
    (dict(sde=dict(type='irsde_mm.GOUB')), 'sde.type: ')])
def test_training_starts_with_weights_of_another_process(changes, words):
    saved = build()
    checkpoint = dict(state_dict=saved.state_dict(),
                      meta=dict(irsde_mm=saved.settings))
    assert build().check_checkpoint(checkpoint, start=True) == []
    found = build(**changes).check_checkpoint(checkpoint, start=True)
    assert found[0].startswith(words)
    with pytest.raises(CheckpointError, match='width'):
        build(generator=dict(width=8), **changes).check_checkpoint(
            checkpoint, start=True)


def test_explicit_defaults_are_no_conflict():
    saved = build()
    build(sde=dict(eps=0.005, schedule='cosine')).check_checkpoint(dict(
        state_dict=saved.state_dict(), meta=dict(irsde_mm=saved.settings)))


def test_checkpoints_of_older_versions():
    saved = build()
    settings = saved.settings
    settings['generator'].pop('conditional')
    # 0.1 had a single output and another name for the channels
    del settings['output']
    settings['generator']['img_channels'] = settings['generator'].pop(
        'in_channels')
    build().check_checkpoint(dict(state_dict=saved.state_dict(),
                                  meta=dict(irsde_mm=settings)))


@pytest.mark.parametrize('objective, output', [
    ('euler', EulerNoiseOutput), ('exact', NoiseOutput),
    ('noise', NoiseOutput)])
def test_output_follows_the_objective_of_the_weights(objective, output):
    """The objective of the checkpoint counts, not that of the config."""
    saved = build()
    checkpoint = dict(state_dict=saved.state_dict(), meta=dict(
        irsde_mm=dict(saved.settings, objective=objective)))
    model = build(pixel_loss=dict(exact=True))
    model.check_checkpoint(checkpoint)
    assert type(model.pipeline.output) is NoiseOutput
    model.adopt_settings(checkpoint)
    assert type(model.pipeline.output) is output
    assert model.settings['objective'] == objective
    model.forward_train(torch.rand(1, 3, 8, 8), DataSample(
        gt_img=torch.rand(1, 3, 8, 8)))
    # from now on the weights are trained with the config's objective
    assert type(model.pipeline.output) is NoiseOutput


@pytest.mark.parametrize('sampler, output', [
    ('posterior', EulerNoiseOutput), ('multistep', EulerNoiseOutput),
    ('sde', NoiseOutput), ('ode', NoiseOutput)])
def test_euler_steps_take_the_biased_noise(sampler, output):
    """The bias of the published objective cancels in Euler steps only."""
    model = build()
    parts = model.sde, model.output
    sampler = build_sampler(sampler_config(sampler, *parts, steps=3), *parts)
    check_restoration(model, sampler, output())


@pytest.mark.parametrize('output', [
    'CleanOutput', 'ResidualOutput', 'StepOutput', 'VelocityOutput',
    'EulerNoiseOutput', 'PreconditionedOutput'])
def test_every_output_trains_and_restores(output):
    """A checkpoint with another output is refused."""
    model = build(output=dict(type=f'irsde_mm.{output}'),
                  pixel_loss=dict(type='irsde_mm.OutputLoss'))
    model.measure([batch(2)])
    data = model.data_preprocessor(batch(4), training=True)
    model(**data, mode='loss')['loss'].backward()
    assert model.generator.conv_out.weight.grad.abs().sum() > 0
    check_restoration(model)
    checkpoint = dict(state_dict=model.state_dict(),
                      meta=dict(irsde_mm=model.settings))
    assert checkpoint['meta']['irsde_mm']['output']['type'].endswith(output)
    with pytest.raises(CheckpointError, match='output.type'):
        build().check_checkpoint(checkpoint)


def test_two_heads():
    """RDDM predicts residual and noise."""
    model = build(
        generator=dict(out_channels=6),
        sde=dict(type='irsde_mm.RDDM', num_steps=20),
        output=dict(type='irsde_mm.ResidualNoiseOutput'),
        pixel_loss=dict(type='irsde_mm.OutputLoss'),
        sampler=dict(type='irsde_mm.JumpSampler', num_steps=5))
    data = model.data_preprocessor(batch(4), training=True)
    model(**data, mode='loss')['loss'].backward()
    assert (model.generator.conv_out.weight.grad.abs().sum((1, 2, 3)) > 0
            ).all()
    check_restoration(model)


@pytest.mark.parametrize('output', ['NoiseOutput', 'CleanOutput'])
def test_bridge(output):
    """GOUB: T is drawn only if the output is defined there."""
    model = build(
        sde=dict(type='irsde_mm.GOUB', max_sigma=30 / 255, num_steps=10),
        output=dict(type=f'irsde_mm.{output}'),
        pixel_loss=dict(type='irsde_mm.OutputLoss'))
    t = draw_times('discrete', model.sde, model.output, 500, 'cpu')
    assert t.max() == (9 if output == 'NoiseOutput' else 10)
    data, seen = model.data_preprocessor(batch(4), training=True), []
    model.output.weight = lambda sde, t: t.view(-1, 1, 1, 1) / 10
    model.pixel_loss.register_forward_hook(
        lambda module, args, kwargs, loss: seen.append(kwargs),
        with_kwargs=True)
    loss = model(**data, mode='loss')['loss']
    k, = seen
    error = (k['output'] - k['target']).abs().mean((1, 2, 3))
    weight = model.output.weight(model.sde, k['t']).flatten()
    torch.testing.assert_close(loss, (weight * error).mean())
    check_restoration(model)


def test_measured_values_belong_to_the_weights():
    """Checkpoints hold them, and models adopt them."""
    model = build(output=dict(type='irsde_mm.PreconditionedOutput'),
                  pixel_loss=dict(type='irsde_mm.OutputLoss'))
    assert model.settings['output']['sigma_data'] is None
    model.measure([batch(2)])
    sigma = model.settings['output']['sigma_data']
    assert 0.2 < sigma < 1
    checkpoint = dict(state_dict=model.state_dict(),
                      meta=dict(irsde_mm=model.settings))
    other = build(output=dict(type='irsde_mm.PreconditionedOutput'),
                  pixel_loss=dict(type='irsde_mm.OutputLoss'))
    other.check_checkpoint(checkpoint)
    other.adopt_settings(checkpoint)
    assert other.output.sigma_data == sigma


def test_restoring_needs_no_loss():
    model = build(pixel_loss=None)
    check_restoration(model)
    data = model.data_preprocessor(batch(1), training=True)
    with pytest.raises(ConfigError, match=r'model\.pixel_loss'):
        model(**data, mode='loss')


@pytest.mark.parametrize('changes, words', [
    (dict(sde=dict(type='irsde_mm.RDDM')), 'no Euler form.*OutputLoss'),
    (dict(sampler=dict(type='irsde_mm.EulerMaruyamaSampler'), sde=dict(
        type='irsde_mm.RDDM'), pixel_loss=dict(type='irsde_mm.OutputLoss')),
     'takes Euler steps.*RDDM has no Euler form'),
    (dict(sde=dict(type='irsde_mm.StraightSDE'), pixel_loss=dict(
        type='irsde_mm.OutputLoss')), 'NoiseOutput needs a process with'),
    (dict(sde=dict(type='irsde_mm.StraightSDE'), pixel_loss=dict(
        type='irsde_mm.NoiseMatchingLoss')), 'has none; use OutputLoss'),
    (dict(sde=dict(type='irsde_mm.GOUB'), pixel_loss=dict(
        type='irsde_mm.LikelihoodLoss')), 'known distribution at T'),
    (dict(sde=dict(type='irsde_mm.GOUB'), sampler='multistep_log_snr'),
     "grid='uniform'")])
def test_incompatible_parts(changes, words):
    with pytest.raises(ValueError, match=words):
        build(**changes)


def test_copy_restores_with_its_own_weights():
    """The moving average of the weights is such a copy."""
    model = build()
    other = copy.deepcopy(model)
    assert other.pipeline is not model.pipeline
    assert other.pipeline.network is other.generator
    assert other.pipeline.hooks is other
    with torch.no_grad():
        other.generator.conv_out.bias.add_(1)
    a, b = (m.eval().val_step(batch(1))[0].output.pred_img
            for m in (model, other))
    assert not torch.equal(a, b)


def test_continuous_times():
    """Times are uniform in (0, T], and checkpoints name the setting."""
    model, seen = build(timesteps='continuous'), []
    original = model.generator.forward
    model.generator.forward = lambda x, mu, t: (
        seen.append(t), original(x, mu, t))[1]
    data = model.data_preprocessor(batch(4), training=True)
    for _ in range(30):
        assert 0 < model(**data, mode='loss')['loss'] < 10
    t = torch.cat(seen)
    assert 0 < t.min() < 1 and 9 < t.max() <= 10
    assert (t != t.round()).float().mean() > 0.9
    assert model.settings['timesteps'] == 'continuous'
    with pytest.MonkeyPatch.context() as patch:  # rand gives [0, 1)
        patch.setattr(torch, 'rand', lambda *_, **__: torch.zeros(4))
        t = draw_times('continuous', model.sde, model.output, 4, 'cpu')
        assert (t == 10).all()
    with pytest.raises(ConfigError, match='timesteps.*always'):
        build(timesteps='always')


def test_late_times():
    """Times are 1..T, with a density proportional to t."""
    model = build(timesteps='late')
    torch.manual_seed(0)
    t = draw_times('late', model.sde, model.output, 20_000, 'cpu')
    assert t.dtype == torch.int64
    share = t.bincount(minlength=11) / len(t)
    expected = (torch.arange(11)**2).diff(
        prepend=torch.zeros(1, dtype=torch.int64)) / 100
    torch.testing.assert_close(share, expected, atol=0.01, rtol=0)
    data = model.data_preprocessor(batch(2), training=True)
    assert 0 < model(**data, mode='loss')['loss'] < 10


SR3 = dict(
    sde=dict(type='irsde_mm.VPSDE', num_steps=50, beta_start=1e-4,
             beta_end=0.2),
    sampler=dict(type='irsde_mm.PosteriorSampler', clamp=(-1, 1)),
    pixel_loss=dict(type='irsde_mm.NoiseMatchingLoss'),
    timesteps='continuous')


def test_sr3_trains_on_levels():
    """Images in [-1, 1]; the network gets one level per image as time; the
    degraded image is its condition only."""
    model, seen = build_sr3(), []
    original = model.generator.forward
    model.generator.forward = lambda x, mu, t: (
        seen.append((x, mu, t)), original(x, mu, t))[1]
    losses = []
    model.pixel_loss.forward = lambda sde, pred, **k: (
        losses.append(k), (pred.noise - k['noise']).abs().mean())[1]
    data = model.data_preprocessor(batch(4), training=True)
    for _ in range(30):
        model(**data, mode='loss')['loss'].backward()
    k, (xt, mu, level) = losses[0], seen[0]
    torch.testing.assert_close(k['x0'], 2 * data['data_samples'].gt_img - 1)
    torch.testing.assert_close(mu, 2 * data['inputs'] - 1)
    torch.testing.assert_close(
        xt, level * k['x0'] + (1 - level**2).sqrt() * k['noise'])
    levels = torch.cat([s[2].flatten() for s in seen])
    assert 0 < levels.min() < 0.2 and 0.9 < levels.max() < 1
    assert len(set(levels.tolist())) == len(levels)


@pytest.mark.parametrize('name', [*SAMPLERS, *PRESETS])
def test_sr3_with_every_sampler(name):
    model = build_sr3()
    own = dict(num_steps=5, clamp=(-1, 1))
    parts = model.sde, model.output
    sampler = build_sampler(sampler_config(name, *parts, own, 5), *parts)
    assert sampler.clamp == (-1, 1), 'in presets too'
    check_restoration(model, sampler)


def test_sr3_restores_images_from_noise():
    """A network that knows x0 leads to it for any mu; states are images."""
    model, x0, states = build_sr3(), torch.rand(2, 3, 8, 8), []
    model.pipeline.output = CleanOutput()
    model.generator.forward = lambda xt, mu, t: 2 * x0 - 1
    restored = model(torch.zeros(2, 3, 8, 8), callback=lambda progress:
                     states.append(progress.states()[0]))
    torch.testing.assert_close(restored, x0, atol=1e-4, rtol=0)
    pixels = (x0[0].flip(0) * 255).round().byte().permute(1, 2, 0).numpy()
    assert (states[-1] == pixels).all(), 'uint8 BGR'
    assert (states[0] == 0).mean() > 0.1, 'clipped noise'
    assert len(states) == 1 + (model.sampler.num_steps
                               or model.sde.num_steps)


def test_sr3_has_its_published_sampler():
    sde = build_sr3().sde
    assert sampler_config('paper', sde, NoiseOutput()) == dict(
        type='irsde_mm.PosteriorSampler', clamp=(-1., 1.))


def test_sr3_without_signal_needs_a_clamp():
    with pytest.raises(ValueError, match=r'alpha_bar = 0.*clamp=\(-1'):
        build_sr3(sde=dict(schedule='jsd'), sampler=dict(clamp=None))
    check_restoration(build_sr3(sde=dict(schedule='jsd')))


def build_sr3(**changes) -> IRSDERestorer:
    return build(**{key: {**value, **changes.pop(key, {})}
                    if isinstance(value, dict) else changes.pop(key, value)
                    for key, value in SR3.items()})


def likelihood() -> IRSDERestorer:
    return build(timesteps='log_snr', pixel_loss=dict(
        type='irsde_mm.LikelihoodLoss', importance=True))


@pytest.mark.parametrize('make', [lambda: build_sr3(), likelihood],
                         ids=['sr3', 'likelihood'])
def test_checkpoints_need_no_config(make, tmp_path):
    """Process, clamp and objective come from the file."""
    model = make()
    torch.save(dict(state_dict=model.state_dict(),
                    meta=dict(irsde_mm=model.settings)), tmp_path / 'w.pth')
    loaded = init_restorer(str(tmp_path / 'w.pth'), device='cpu')
    mu = torch.rand(1, 3, 8, 8)
    assert loaded.sde.extra_repr() == model.sde.extra_repr()
    assert loaded.sampler.clamp == model.sde.published_clamp
    assert loaded.sampler.num_steps == 10
    assert type(loaded.output) is NoiseOutput
    torch.testing.assert_close(
        loaded(mu, seed=1), model.pipeline(mu, seed=1, sampler='balanced'))


def test_likelihood_training():
    """Times are uniform in log-SNR; the predicted noise has no bias."""
    model = likelihood()
    assert model.settings['objective'] == 'likelihood'
    assert model.settings['timesteps'] == 'log_snr'
    assert type(model.pipeline.output) is NoiseOutput
    t = draw_times('log_snr', model.sde, model.output, 400, 'cpu')
    assert t.dtype == torch.float32 and t.min() > 0.999 and t.max() <= 10
    data = model.data_preprocessor(batch(4), training=True)
    model(**data, mode='loss')['loss'].backward()
    assert model.generator.conv_in.weight.grad.abs().sum() > 0
    build().check_checkpoint(dict(
        state_dict=model.state_dict(), meta=dict(irsde_mm=model.settings)))


@pytest.mark.parametrize('timesteps, importance', [
    ('log_snr', False), ('discrete', True), ('continuous', True)])
def test_weights_match_the_sampling_of_times(timesteps, importance):
    with pytest.raises(ConfigError, match=f'importance={not importance}'):
        build(timesteps=timesteps, pixel_loss=dict(
            type='irsde_mm.LikelihoodLoss', importance=importance))


def test_log_snr_times_need_a_finite_end():
    with pytest.raises(ValueError, match='no finite log-SNR at T'):
        build_sr3(sde=dict(schedule='jsd'), timesteps='log_snr')


def test_validation_uses_the_fast_sampler():
    model, calls = build(), []
    original = model.generator.forward
    model.generator.forward = lambda x, mu, t: (
        calls.append(t), original(x, mu, t))[1]
    model.val_step(batch(1))
    assert len(calls) == 5
    model.test_step(batch(1))
    assert len(calls) == 5 + 10


def test_crispness_of_a_config():
    """test_cfg sets it for testing; validation takes one call."""
    options = dict(output=dict(type='irsde_mm.CleanOutput', residual=True),
                   pixel_loss=dict(type='irsde_mm.NoiseMatchingLoss'),
                   sampler=dict(type='irsde_mm.JumpSampler', num_steps=3))
    plain, dialed = build(**options), build(
        test_cfg=dict(crispness=0.25), **options)
    once = JumpSampler(num_steps=1)
    full, mean, found = (
        torch.stack([sample.output.pred_img.data for sample in samples])
        for samples in (plain.test_step(batch()), plain(
            **plain.data_preprocessor(batch(), False), mode='predict',
            sampler=once), dialed.test_step(batch())))
    inside = ((torch.stack([full, mean]) - 127.5).abs() < 127).all(0)
    torch.testing.assert_close(  # where nothing is clipped
        found[inside], (0.75 * mean + 0.25 * full)[inside], rtol=0, atol=1e-3)
    assert (found != full).any()
    for a, b in zip(plain.val_step(batch()), dialed.val_step(batch())):
        assert torch.equal(a.output.pred_img.data, b.output.pred_img.data)
    assert dialed.settings == plain.settings
    with pytest.raises(ConfigError, match='crispness=3 must be'):
        build(test_cfg=dict(crispness=3))
    dialed.pipeline.sampler = once
    with pytest.raises(ConfigError, match='at least 2 calls'):
        dialed.test_step(batch())


def test_late_start_takes_fewer_steps():
    """With little noise, t* is below the number of steps of the sampler."""
    for sampler in ('posterior', 'multistep'):
        model = build(
            generator=dict(conditional=False),
            sde=dict(type='irsde_mm.DenoisingSDE', sigma=8 / 255),
            sampler=dict(type=SAMPLERS[sampler]['type'], num_steps=8))
        assert model.sde.start_time(8 / 255) == 1
        check_restoration(model)


@pytest.mark.parametrize('name', [*SAMPLERS, *PRESETS])
def test_samplers_by_name(name):
    model = build(sde=dict(num_steps=100))
    sampler = build_sampler(name, model.sde, model.output)
    steps = dict(fast=5, balanced=10, paper=None)
    if name in steps:
        assert sampler.num_steps == steps[name]
    parts = model.sde, model.output
    sampler = build_sampler(sampler_config(name, *parts, steps=4), *parts)
    euler = sampler.needs_euler_form
    check_restoration(model, sampler,
                      NoiseOutput() if euler else EulerNoiseOutput())


def test_presets_follow_the_process():
    """The Denoising-SDE is sampled along its probability flow, a straight
    process along its flow; no preset has more steps than the process."""
    def preset(name, **changes):
        return build_sampler(name, build(**changes).sde, NoiseOutput())

    denoising = dict(sde=dict(type='irsde_mm.DenoisingSDE', num_steps=4))
    assert type(preset('paper', **denoising)) is ProbabilityFlowSampler
    assert type(preset('paper')) is EulerMaruyamaSampler
    fast = preset('fast', **denoising)
    assert (type(fast), fast.eta, fast.num_steps) == (JumpSampler, 0, 4)
    assert preset('fast').eta == 0.7
    parts = StraightSDE(10 / 255), VelocityOutput()
    assert sampler_config('paper', *parts) == dict(
        type='irsde_mm.JumpSampler', eta=0.)
    for name, steps in (('fast', 1), ('balanced', 3)):
        assert sampler_config(name, *parts) == dict(
            type='irsde_mm.JumpSampler', eta=0., num_steps=steps)


def test_presets_follow_the_output():
    """An estimate of x0 that divides by nothing needs fewer calls."""
    sde = build(sde=dict(num_steps=100)).sde
    steps = [[build_sampler(name, sde, output).num_steps
              for name in ('fast', 'balanced')]
             for output in (NoiseOutput(), CleanOutput(residual=True))]
    assert steps == [[5, 10], [1, 3]]


def test_sampler_names_keep_the_number_of_steps():
    given = build().sde, NoiseOutput()
    own = dict(num_steps=7, clamp=(0, 1))
    assert sampler_config('ode', *given, own) == dict(
        type='irsde_mm.ProbabilityFlowSampler', num_steps=7, clamp=(0, 1))
    assert sampler_config('ode', *given, 'fast')['num_steps'] == 5
    assert sampler_config(None, *given, 'fast', 3)['num_steps'] == 3
    with pytest.raises(ConfigError, match='presets fast.*samplers posterior'):
        sampler_config('quick', *given)


def test_test_time_arguments_are_no_conflict():
    saved = build(sde=dict(type='irsde_mm.DenoisingSDE', sigma=0.1))
    build(sde=dict(type='irsde_mm.DenoisingSDE'), generator=dict(
        local_pooling=96)).check_checkpoint(dict(
            state_dict=saved.state_dict(),
            meta=dict(irsde_mm=saved.settings)))


def test_weights_of_another_network():
    state_dict = build(generator=dict(width=8)).state_dict()
    with pytest.raises(CheckpointError, match='has shape'):
        build().check_checkpoint(dict(state_dict=state_dict))
    with pytest.raises(CheckpointError, match='lacks .*convert_checkpoint'):
        build().check_checkpoint(dict(state_dict={'intro.weight': 0}))


def test_sde_is_built_from_the_registry():
    assert isinstance(build().sde, SDE)
