"""The likelihood bound as a metric."""
from types import SimpleNamespace

import pytest
import torch
from irsde_mm.errors import ConfigError
from irsde_mm.evaluation import BitsPerDim
from irsde_mm.registry import MODELS
from mmagic.structures import DataSample

MODEL = dict(
    type='irsde_mm.IRSDERestorer',
    generator=dict(type='irsde_mm.ConditionalNAFNet', width=4,
                   enc_blocks=[1], dec_blocks=[1]),
    sde=dict(type='irsde_mm.IRSDE', max_sigma=30 / 255, num_steps=10),
    sampler='fast', timesteps='log_snr',
    pixel_loss=dict(type='irsde_mm.LikelihoodLoss', importance=True),
    data_preprocessor=dict(
        type='mmagic.DataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
        output_channel_order='RGB'))
VP = dict(type='irsde_mm.VPSDE', num_steps=10, beta_end=0.9)


@pytest.fixture
def model():
    return MODELS.build(MODEL)


def batch(n=2, side=12):
    g = torch.Generator().manual_seed(0)

    def image():
        return torch.randint(0, 256, (3, side, side), generator=g).byte()

    return dict(inputs=[image() for _ in range(n)], data_samples=[
        DataSample(gt_img=image(), metainfo=dict(gt_path=f'a/{i}.png'))
        for i in range(n)])


def score(model, data, **options) -> float:
    """Return the mean after a test step, as in the test loop."""
    metric = BitsPerDim(**{'num_times': 4, **options})
    metric.prepare(model, SimpleNamespace(dataset=data['inputs']))
    outputs = model.test_step(data)
    metric.process(data, [sample.to_dict() for sample in outputs])
    return metric.evaluate()['BitsPerDim']


@pytest.mark.parametrize('sde', [MODEL['sde'], VP],
                         ids=lambda sde: sde['type'])
def test_value_is_that_of_the_model(sde, monkeypatch):
    model, seen, data = MODELS.build(dict(MODEL, sde=sde)), [], batch()
    original = model.bits_per_dim
    monkeypatch.setattr(model, 'bits_per_dim', lambda inputs, samples, n: (
        seen.append((inputs, samples.gt_img, n)),
        original(inputs, samples, n))[1])
    mean = score(model, data, centre=8)
    (mu, x0, n), = seen
    assert n == 4 and mu.shape == x0.shape == (2, 3, 8, 8)
    # the center, as RGB in [0, 1]
    torch.testing.assert_close(
        mu[1], data['inputs'][1].flip(0)[:, 2:10, 2:10] / 255)
    torch.testing.assert_close(
        x0[1], data['data_samples'][1].gt_img.flip(0)[:, 2:10, 2:10] / 255)
    samples = DataSample(gt_img=x0)
    samples.set_metainfo(dict(gt_path=['0.png', '1.png']))
    assert mean == pytest.approx(float(original(mu, samples, 4).mean()))


def test_mean_over_images(model):
    both = score(model, batch())
    first, second = (score(model, {
        key: value[i:i + 1] for key, value in batch().items()})
        for i in (0, 1))
    assert first != second
    assert both == pytest.approx((first + second) / 2, rel=1e-5)


def test_a_better_network_takes_fewer_bits(model):
    """With a network that knows the noise, its term of the bound is 0."""
    data = batch(1)
    untrained = score(model, data)
    x0 = model.data_preprocessor(data, True)['data_samples'].gt_img
    predict = model.sde.predict_noise
    model.generator.forward = lambda xt, mu, t: predict(xt, mu, x0, t)
    assert score(model, data) < untrained - 2


def test_models_without_a_likelihood(model):
    other = MODELS.build(dict(
        type='mmagic.BaseEditModel', generator=MODEL['generator'],
        pixel_loss=dict(type='mmagic.L1Loss')))
    with pytest.raises(ConfigError, match='BaseEditModel has no likelihood'):
        BitsPerDim().prepare(other, SimpleNamespace(dataset=[]))


@pytest.mark.parametrize('sde, words', [
    (dict(type='irsde_mm.DenoisingSDE', max_sigma=0.3, sigma=0.1),
     'a process with a known'),
    (dict(type='irsde_mm.VPSDE', schedule='jsd'), 'has no finite log-SNR')])
def test_processes_without_a_known_end(sde, words):
    model = MODELS.build(dict(
        MODEL, sde=dict(sde, num_steps=10), timesteps='discrete',
        pixel_loss=dict(type='irsde_mm.NoiseMatchingLoss')))
    with pytest.raises(ConfigError, match=f'BitsPerDim: .*{words}'):
        score(model, batch())


@pytest.mark.parametrize('options', [dict(num_times=0), dict(centre=0)])
def test_bad_options(options):
    with pytest.raises(ValueError, match='at least 1'):
        BitsPerDim(**options)
