"""--cfg-options: each takes effect or is refused by name."""
import pytest
from irsde_mm.config import complete_config, load_config
from irsde_mm.errors import ConfigError

DENOISE = 'quickstart/denoise'


def test_variables_reach_derived_fields():
    cfg = load_config('irsde/derain', {'patch_size': 64})
    assert cfg.patch_size == cfg.train_dataloader.dataset.min_size == 64
    assert cfg.train_dataloader.dataset.pipeline[2].gt_patch_size == 64
    cfg = load_config('quickstart/deblur', {'region': 96, 'patch_size': 32})
    crop, *_, patch, _ = cfg.train_dataloader.dataset.pipeline
    assert tuple(crop.crop_size) == (96, 96) and patch.gt_patch_size == 32
    cfg = load_config(DENOISE, {'degradation.0.sigma': '50/255'})
    for step in (cfg.degradation[0], cfg.train_dataloader.dataset.pipeline[-2],
                 cfg.test_dataloader.dataset.pipeline[0]):
        assert step.sigma == 50 / 255


def test_variables_of_a_child_and_of_its_base(tmp_path):
    (tmp_path / 'base.py').write_text(
        "width = 8\nsteps = [dict(n=1), dict(n=2)]\n"
        'model = dict(width=width, steps=steps)\n')
    path = tmp_path / 'child.py'
    path.write_text("_base_ = './base.py'\nwidth = _base_.width * 2\n"
                    "work_dir = f'runs/{width}'\n")
    assert load_config(str(path)).work_dir == 'runs/16'
    cfg = load_config(str(path), {'width': 5, 'steps.1.n': 7})
    assert (cfg.work_dir, cfg.width, cfg.model.width) == ('runs/5', 5, 5)
    assert [step.n for step in cfg.model.steps] == [1, 7]


def test_unchanged_value_is_not_an_error():
    assert load_config('irsde/derain', {'region': 256}).region == 256


@pytest.mark.parametrize('options, message', [
    ({'trian_cfg.max_iters': 10},
     r"trian_cfg\.max_iters=10: nothing reads.*'train_cfg'"),
    ({'optim_wraper.optimizer.lr': 9}, "=9: .*'optim_wrapper'"),
    ({'nonsense': 'x'}, "nonsense='x': nothing reads 'nonsense'"),
    ({'patch_size': 32}, r'patch_size=32 has no effect.*--data.*set '
     r'train_dataloader\.dataset\.pipeline\.0\.crop_size'),
    ({'degradation.3.sigma': 1}, r'degradation\.3\.sigma=1: Index 3'),
    ({'param_scheduler.end': 20},
     r'list of 2; choose one, as in param_scheduler\.0\.end'),
    ({'param_scheduler.7.end': 20}, r'param_scheduler\.7\.end=20: Index 7'),
    ({'optim_wrapper.optimizer.lr.x': 1},
     r"lr\.x=1: 'optim_wrapper\.optimizer\.lr' is 0\.005"),
])
def test_refused_by_name(options, message):
    with pytest.raises(ConfigError, match=message):
        load_config(DENOISE, options)


def test_fields_that_only_data_reads():
    """Rain100H's degradation is used with --data alone."""
    options = {'degradation.0.layers': (1, 2)}
    with pytest.raises(ConfigError, match='which only --data reads'):
        load_config('irsde/derain', options)
    cfg = load_config('irsde/derain', options, reads=('degradation', ))
    assert cfg.degradation[0].layers == (1, 2)


def test_fractions():
    cfg = load_config(DENOISE, {
        'model.sde.max_sigma': '10/255', 'model.sde.type': '1/2',
        'model.data_preprocessor.mean': ['1/2', '-.5 / 1e1', 'x/2']})
    assert cfg.model.sde.max_sigma == 10 / 255
    assert cfg.model.sde.type == '1/2', 'a string replaces a string'
    assert cfg.model.data_preprocessor.mean == [.5, -.05, 'x/2']


def test_every_test_set():
    cfg = load_config('irsde/denoise', {
        'test_dataloader.num_workers': 0, 'test_dataloader.1.num_workers': 3,
        'test_evaluator.metrics.0.crop_border': 7})
    assert [x.num_workers for x in cfg.test_dataloader] == [0, 3, 0]
    assert all(x.metrics[0].crop_border == 7 for x in cfg.test_evaluator)


def test_worker_options_without_workers():
    cfg = load_config('irsde/derain', {
        'train_dataloader.num_workers': 0,
        'train_dataloader.prefetch_factor': 4})
    complete_config(cfg)
    assert not {'persistent_workers', 'prefetch_factor',
                'worker_init_fn'} & set(cfg.train_dataloader)
    cfg = load_config('irsde/derain')
    complete_config(cfg)
    assert cfg.train_dataloader.persistent_workers
