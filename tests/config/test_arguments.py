"""Misspelt arguments are refused before anything is built."""
import pytest
from irsde_mm.config import complete_config, complete_model, load_config
from irsde_mm.config.arguments import check_arguments
from irsde_mm.config.files import PACKAGED, read_config
from irsde_mm.config.names import ADDED_HOOKS
from irsde_mm.config.unread import check_file
from irsde_mm.errors import ConfigError
from mmengine.utils import get_installed_path

MMAGIC = [f'{get_installed_path("mmagic")}/.mim/configs/{name}.py'
          for name in ('restormer/restormer_official_gopro',
                       'edsr/edsr_x2c64b16_1xb16-300k_div2k',
                       'basicvsr/basicvsr_2xb4_reds4',
                       'styleganv2/stylegan2_c2_8xb4_ffhq-1024x1024')]
CONFIGS = [path for path in sorted(PACKAGED.rglob('*.py'))
           if '_base_' not in path.parts]


@pytest.mark.grid(at_most=12)
@pytest.mark.filterwarnings('error::UserWarning:irsde_mm')
@pytest.mark.parametrize('path', [*CONFIGS, *MMAGIC], ids=str)
def test_valid_configs(path):
    cfg = read_config(path)
    complete_model(cfg)
    complete_config(cfg)
    check_arguments(cfg)
    check_file(path)


@pytest.mark.parametrize('key, value, meant', [
    ('optim_wrapper.optimiser', dict(lr=1), 'optimizer'),
    ('optim_wrapper.optimizer.learning_rate', 1, 'lr'),
    ('train_cfg.max_iter', 10, 'max_iters'),
    ('model.sde.max_sgima', 0.1, 'max_sigma'),
    ('model.test_cfg.tiel', 256, 'tile'),
    ('model.generator.widht', 8, 'width'),
    ('train_dataloader.num_worker', 1, 'num_workers'),
    ('train_dataloader.dataset.indeces', [1], 'indices'),
    ('env_cfg.cudnn_benchmrk', True, 'cudnn_benchmark'),
    ('randomness.sed', 1, 'seed'),
    ('param_scheduler.0.ends', 3, 'end'),
    # without the check it would fail at the first save
    ('default_hooks.checkpoint.intervall', 3, 'interval'),
    ('default_hooks.gaurd', None, 'guard'),
    ('default_hooks.gaurd', dict(patience=3), 'guard'),
    ('val_evaluator.metrics.0.crop_bordr', 4, 'crop_border'),
])
def test_refused_by_name(key, value, meant):
    cfg = load_config('quickstart/denoise', {key: value})
    complete_config(cfg)
    with pytest.raises(ConfigError) as caught:
        check_arguments(cfg)
    assert str(caught.value).startswith(f'{key}={value!r}: ')
    assert meant in str(caught.value)


def test_other_hooks_can_be_switched_off():
    cfg = load_config('quickstart/denoise', {
        f'default_hooks.{name}': None
        for name in (*ADDED_HOOKS, 'pictures', 'my_own_watcher')})
    complete_config(cfg)
    check_arguments(cfg)
