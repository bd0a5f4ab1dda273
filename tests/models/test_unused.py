"""Settings without an effect are reported, and no others."""
import warnings

import pytest
from conftest import ROOT
from irsde_mm.config import complete_model, load_config
from irsde_mm.config.checks import warn_of_unused
from irsde_mm.config.weights import config_of_pipeline
from irsde_mm.model_files.settings import settings_of_training
from irsde_mm.models.restorers.settings import plain
from irsde_mm.models.restorers.unused import trains_on_inputs, unused_settings

CONFIGS = sorted(
    str(path.relative_to(ROOT / 'configs').with_suffix(''))
    for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)


@pytest.mark.grid(at_most=15)
@pytest.mark.parametrize('config', CONFIGS)
def test_our_configs_have_no_unused_setting(config):
    cfg = load_config(config)
    complete_model(cfg)
    assert unused_settings(cfg.model) == []


@pytest.mark.parametrize('config, option, words', [
    ('quickstart/derain', {'test_cfg.sigma': 0.1}, 'sigma=0.1.*IRSDE'),
    ('baselines/derain_sr3', {'test_cfg.sigma': 'estimate'}, 'sigma.*VPSDE'),
    ('bsds/denoise_published', {'sde.sigma': 0.1},
     "sde.sigma=0.1.*'estimate'"),
    ('quickstart/derain', {'test_cfg.sead': 3}, 'test_cfg.sead.*seed'),
    ('quickstart/derain', {'test_cfg.debias': True}, 'test_cfg.debias.*seed'),
    ('baselines/derain_cnn', {'test_cfg.seed': 3}, 'test_cfg.seed.*tile')])
def test_unused_settings(config, option, words):
    cfg = load_config(config, {f'model.{k}': v for k, v in option.items()})
    complete_model(cfg)
    with pytest.warns(UserWarning, match=words):
        warn_of_unused(cfg.model)


def test_used_settings():
    cfg = load_config('bsds/denoise_published', {
        'model.sde.sigma': 0.1, 'model.test_cfg': dict(
            seed=1, sigma=None, tile=256)})
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warn_of_unused(cfg.model)


@pytest.mark.parametrize('config, sigma', [
    ('quickstart/derain', None), ('bsds/denoise_published', 'estimate')])
def test_settings_of_a_checkpoint_are_used(config, sigma):
    cfg = load_config(config).model
    saved = plain(dict(sde=cfg.sde, generator=cfg.generator,
                       objective='euler'))
    model = config_of_pipeline(settings_of_training(saved), saved)
    assert model['test_cfg'].get('sigma') == sigma
    assert unused_settings(model) == []


@pytest.mark.parametrize('config, option, expected', [
    ('bsds/denoise_published', {}, False),
    ('bsds/denoise_published', {'generator.conditional': True}, True),
    ('quickstart/derain', {}, True),
    ('quickstart/derain', {'generator.conditional': False}, True),  # b > 0
    ('baselines/derain_sr3', {}, True),  # b = 0, but a condition
    ('baselines/derain_cnn', {}, True)])
def test_training_on_inputs(config, option, expected):
    cfg = load_config(config, {f'model.{k}': v for k, v in option.items()})
    assert trains_on_inputs(cfg.model) is expected
