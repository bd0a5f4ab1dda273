"""Values that are measured once on the training data and saved."""
import random
import shutil
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT, TINY, run_tool
from irsde_mm.apis import init_restorer, restore
from irsde_mm.apis.inference import as_pipeline
from irsde_mm.config import load_config
from irsde_mm.engine.hooks import SettingsHook, settings_hook
from irsde_mm.errors import CheckpointError
from irsde_mm.registry import MODELS
from mmengine.registry import DATASETS, DefaultScope

CONFIG = f'''
_base_ = [{str(ROOT / 'configs' / 'quickstart' / 'derain.py')!r}]
model = dict(
    generator=dict(width=4),
    output=dict(_delete_=True, type='irsde_mm.PreconditionedOutput'),
    pixel_loss=dict(_delete_=True, type='irsde_mm.OutputLoss'))
'''


def train(config, folder, iterations, *args) -> int:
    options = ('--cfg-options', ) if '--cfg-options' not in args else ()
    return run_tool('train', config, '--work-dir', folder, *args, *options,
                    *TINY, 'val_dataloader.dataset.indices=1',
                    f'train_cfg.max_iters={iterations}')


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """A config, and the folders of a whole and a resumed run of 4
    iterations."""
    config = tmp_path_factory.mktemp('config') / 'preconditioned.py'
    config.write_text(CONFIG)
    whole, resumed = (tmp_path_factory.mktemp(n) for n in ('once', 'twice'))
    assert train(config, whole, 4) == 0
    assert train(config, resumed, 2) == 0
    assert train(config, resumed, 4, '--resume') == 0
    return SimpleNamespace(config=config, whole=whole, resumed=resumed)


def load(folder, iterations) -> dict:
    return torch.load(folder / f'iter_{iterations}.pth', weights_only=True)


def sigma_of(checkpoint: dict) -> float:
    return checkpoint['meta']['irsde_mm']['output']['sigma_data']


def test_sigma_data_of_the_training_data(runs):
    cfg = load_config(runs.config)
    with DefaultScope.overwrite_default_scope('mmagic'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    differences = []
    for i in range(10 * len(dataset)):
        item = dataset[i % len(dataset)]
        differences.append((item['data_samples'].gt_img.float()
                            - item['inputs'].float()) / 255)
    square = torch.cat([d.flatten() for d in differences]).square().mean()
    assert sigma_of(load(runs.whole, 4)) == pytest.approx(
        float(square.sqrt()), rel=0.2)


def test_resumed_run_is_identical(runs):
    first, last, whole = (load(runs.resumed, 2), load(runs.resumed, 4),
                          load(runs.whole, 4))
    assert sigma_of(first) == sigma_of(last) == sigma_of(whole)
    assert last['meta']['irsde_mm'] == whole['meta']['irsde_mm']
    for part in ('state_dict', 'ema_state_dict'):
        for key, value in whole[part].items():
            assert torch.equal(last[part][key], value), key


def test_start_from_another_process(runs, tmp_path, error):
    """A new training warns; resuming and testing are refused."""
    weights, other = runs.whole / 'iter_4.pth', 'model.sde.eps=1e-5'
    assert train(runs.config, tmp_path / 'new', 1, '--cfg-options', other,
                 f'load_from={weights}') == 0
    log, = (tmp_path / 'new').glob('*/*.log')
    assert ('trained with other settings: sde.eps: 0.005 (1.275/255) in the '
            'checkpoint, 1e-05' in log.read_text())
    saved = load(tmp_path / 'new', 1)['meta']['irsde_mm']
    assert saved['sde']['eps'] == 1e-5
    for args in (('train', runs.config, '--resume', weights),
                 ('test', runs.config, weights)):
        assert 'sde.eps' in error(
            *args, '--work-dir', tmp_path / args[0], '--cfg-options', other)


def test_start_of_a_deeper_network(runs, tmp_path, error):
    """A new training may add blocks; other uses and fewer are refused."""
    weights = runs.whole / 'iter_4.pth'
    deeper = ['--cfg-options', 'model.generator.enc_blocks=[1,2,2]',
              'model.generator.middle_blocks=3', f'load_from={weights}']
    args = (runs.config, tmp_path / 'new', 1, *deeper)
    assert train(*args, 'optim_wrapper.optimizer.lr=0.') == 0
    log, = (tmp_path / 'new').glob('*/*.log')
    assert ('generator.middle_blocks: 1 in the checkpoint, 3 in the model'
            in log.read_text())
    old, new = (load(folder, n)['ema_state_dict']
                for folder, n in ((runs.whole, 4), (tmp_path / 'new', 1)))
    start = load(runs.whole, 4)['state_dict']
    for key, value in load(tmp_path / 'new', 1)['state_dict'].items():
        if key in start:
            assert torch.equal(value, start[key]), key
        elif key.endswith(('beta', 'gamma')):
            assert not value.any(), key
    assert len(new) > len(old)
    for args in (('train', runs.config, '--resume', weights),
                 ('test', runs.config, weights)):
        assert 'enc_blocks' in error(
            *args, '--work-dir', tmp_path / args[0], *deeper[:3])
    assert 'middle_blocks' in error(  # fewer blocks
        'train', runs.config, '--work-dir', tmp_path / 'less', '--cfg-options',
        f"load_from={tmp_path / 'new/iter_1.pth'}")


def test_resumed_run_does_not_measure(runs, tmp_path, monkeypatch):
    shutil.copytree(runs.whole, tmp_path / 'run')
    monkeypatch.setattr(settings_hook, 'samples_of', None)
    assert train(runs.config, tmp_path / 'run', 4, '--resume') == 0


def test_restore_with_the_measured_value(runs, photo, tmp_path):
    alone = tmp_path / 'alone.pth'
    shutil.copy(runs.whole / 'iter_4.pth', alone)
    sigma = sigma_of(load(runs.whole, 4))
    results = []
    for model, checkpoint in ((runs.whole, None), (alone, None),
                              (runs.config, alone)):
        restorer = init_restorer(str(model), checkpoint and str(checkpoint),
                                 device='cpu')
        assert as_pipeline(restorer).output.sigma_data == sigma
        results.append(restore(
            restorer, photo, sampler=dict(type='irsde_mm.JumpSampler'),
            steps=2, seed=1))
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


def test_config_value_unlike_the_checkpoint(runs, tmp_path, capfd):
    shutil.copytree(runs.whole, tmp_path / 'run')
    assert run_tool(
        'train', runs.config, '--work-dir', tmp_path / 'run', '--resume',
        '--cfg-options', *TINY, 'model.output.sigma_data=0.5') == 2
    assert 'output.sigma_data' in capfd.readouterr().err


# --------------------------------------------------------- without training


@pytest.fixture
def runner():
    """The parts of a Runner that the hook uses, with random data."""
    cfg = load_config('quickstart/derain', {
        'model.generator.width': 4,
        'model.output': dict(
            _delete_=True, type='irsde_mm.PreconditionedOutput')})
    with DefaultScope.overwrite_default_scope('mmagic'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        model = MODELS.build(cfg.model)
    return SimpleNamespace(
        model=model, seed=7, logger=SimpleNamespace(
            info=lambda text: None),
        train_dataloader=SimpleNamespace(dataset=dataset))


def draws() -> tuple:
    return random.random(), np.random.rand(), torch.rand(()).item()


def seed_everything() -> None:
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)


def test_measuring_keeps_the_random_state(runner):
    seed_everything()
    expected = draws()
    seed_everything()
    SettingsHook().before_train(runner)
    assert draws() == expected
    value = runner.model.output.sigma_data
    runner.model.output.sigma_data = None
    SettingsHook().before_train(runner)  # other random state, same value
    assert runner.model.output.sigma_data == value > 0


def test_given_value_is_kept(runner):
    runner.model.output.sigma_data = 0.25
    runner.train_dataloader = None
    SettingsHook().before_train(runner)
    assert runner.model.measured == dict(sigma_data=0.25)


def test_models_without_settings():
    runner = SimpleNamespace(model=torch.nn.Linear(1, 1), _train_loop={})
    checkpoint = dict(meta={})
    hook = SettingsHook()
    hook.before_train(runner)
    hook.before_save_checkpoint(runner, checkpoint)
    hook.after_load_checkpoint(runner, checkpoint)
    assert checkpoint == dict(meta={})


def test_other_weights_are_not_tested():
    """mmengine loads the weights that match and only logs the others."""
    model = torch.nn.ModuleDict(dict(
        generator=torch.nn.Linear(2, 1), disc=torch.nn.Linear(1, 1)))
    runner = SimpleNamespace(model=model, _train_loop=None)
    weights = model.state_dict()
    model['generator'].register_buffer('mask', torch.zeros(1))
    load = partial(SettingsHook().after_load_checkpoint, runner)
    published = {name: value for name, value in weights.items()
                 if name != 'disc.bias'}
    for given in (weights, published):
        load(dict(state_dict=given))
        load(given)
    lacking = {name: value for name, value in weights.items()
               if name != 'generator.bias'}
    with pytest.raises(CheckpointError, match=r"lacks 1 of .*generator\.bias"):
        load(dict(state_dict=lacking))
    with pytest.raises(CheckpointError, match='shape'):
        load(dict(state_dict=dict(weights, **{
            'generator.weight': torch.zeros(1, 3)})))
    runner._train_loop = {}
    load(dict(state_dict=lacking))
    runner.model, runner._train_loop = model['disc'], None
    with pytest.raises(CheckpointError, match=r"lacks 2 of .*'weight'"):
        load(dict(state_dict={}))


def test_weights_of_another_config(tmp_path, error):
    assert 'Use the config of the checkpoint' in error(
        'test', 'baselines/quickstart/derain_cnn',
        ROOT / 'irsde_mm' / 'weights' / 'derain.safetensors', '--work-dir',
        tmp_path / 'run')
