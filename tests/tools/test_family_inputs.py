"""Settings that a process of the family cannot use: one line, before any
network call."""
import pytest
import torch
from conftest import SDES, build_sde
from irsde_mm.errors import ConfigError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.samplers import PosteriorSampler
from irsde_mm.sde import CleanOutput


@pytest.fixture
def network() -> ConditionalNAFNet:
    """A network that must not be called."""
    net = ConditionalNAFNet(width=4, enc_blocks=[1], dec_blocks=[1])
    net.register_forward_pre_hook(
        lambda *args: pytest.fail('the network was called'))
    return net


@pytest.mark.parametrize('config, option, words', [
    ('unidb_derain', 'sde.gamma=0', 'gamma must be positive'),
    ('unidb_sr', 'sde.gamma=-1', 'gamma must be positive'),
    ('resshift_derain', 'sde.kappa=0', 'kappa must be positive'),
    ('resshift_sr', 'sde.kappa=-2.0', 'kappa must be positive'),
    ('resshift_derain', 'sde.min_noise=3', 'does not rise'),
    ('resshift_derain', 'sde.etas_end=1.5', 'etas_end must be in (0, 1]'),
    ('rddm_derain', 'sde.sum_scale=2', 'sum_scale must be in (0, 1]'),
    ('i2sb_derain', 'sde.beta_max=0', 'beta_max must be in (0, 1]'),
    ('goub_derain', 'test_cfg.sigma=0.1', 'GOUB starts in the degraded image'),
    ('unidb_derain', 'test_cfg.sigma=0.1', 'UniDB starts in the degraded'),
    ('i2sb_sr', 'test_cfg.sigma=0.1', 'I2SB starts in the degraded image'),
    ('goub_derain', 'timesteps=log_snr', 'known distribution at T'),
    ('i2sb_derain', 'timesteps=log_snr', 'known distribution at T'),
])
def test_one_line_before_training(config, option, words, tmp_path, error):
    assert words in error('train', f'family/{config}', '--work-dir',
                          tmp_path / 'run', '--cfg-options',
                          f'model.{option}')
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.parametrize('sigma', [0.1, 1., 'estimate'])
def test_no_start_noise_for_a_bridge(sigma, network):
    """When the pipeline is built, and where an image has its own level."""
    refused = set()
    for cls in SDES:
        sde = build_sde(cls).float()
        parts = dict(network=network, sde=sde, output=CleanOutput(),
                     sampler=PosteriorSampler(2))
        if not sde.starts_in_mu:
            RestorationPipeline(**parts, sigma=sigma)
            continue
        refused.add(cls.__name__)
        with pytest.raises(ConfigError, match='starts in the degraded image'):
            RestorationPipeline(**parts, sigma=sigma)
        pipeline = RestorationPipeline(**parts)
        if sigma != 'estimate':
            with pytest.raises(ConfigError, match='remove sigma'):
                pipeline.restore(torch.rand(1, 3, 8, 8), sigmas=[sigma])
    assert refused == {'GOUB', 'UniDB', 'I2SB', 'StraightBridge',
                       'StraightFlow'}
