"""The suite that compares the processes has the settings of their configs."""
import pytest
from conftest import ROOT
from irsde_mm.config import load_config

SUITE = ROOT / 'tools' / 'benchmarks' / 'family.py'


@pytest.fixture(scope='module')
def tasks():
    return load_config(str(SUITE)).tasks


@pytest.mark.grid(at_most=4)
@pytest.mark.parametrize('task, process', [
    (task, process) for task in ('derain', 'sr') for process in (
        'GOUB', 'UniDB', 'I2SB', 'ResShift', 'RDDM', 'straight')
    if (task, process) != ('sr', 'UniDB')])
def test_settings_of_the_papers(task, process, tasks):
    entry = tasks[task].models[f'{process}, paper, 1 call']
    model = load_config(entry.config, entry.options.to_dict()).model
    config = load_config(f'family/{process.lower()}_{task}').model
    for key in ('generator', 'sde', 'output', 'pixel_loss', 'timesteps'):
        assert model[key] == config[key], key


@pytest.mark.parametrize('task', ['derain', 'sr'])
def test_equal_budgets(task, tasks):
    entries = tasks[task].models.values()
    assert len(entries) == dict(derain=57, sr=49)[task]
    assert len({entry.options['train_cfg.max_iters'] for entry in entries}
               ) == 1
    base = load_config(f'bsds/{task}').model
    for name, entry in tasks[task].models.items():
        if ', x0, 1 call' in name:
            model = load_config(entry.config, entry.options.to_dict()).model
            assert model.output == base.output, name
            assert model.pixel_loss == base.pixel_loss, name
