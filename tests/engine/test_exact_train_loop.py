"""Order of data and random numbers, and resuming at any iteration."""
import random
import shutil
import signal

import numpy as np
import pytest
import torch
from conftest import TINY, run_tool
from irsde_mm.engine.draws import DataOrder, SeededDataset, seed_all, seeded
from irsde_mm.engine.exact_train_loop import use_data_order
from irsde_mm.engine.hooks import PreemptionHook
from irsde_mm.errors import ConfigError
from mmengine.dataset import InfiniteSampler
from torch.utils.data import DataLoader, Dataset


def drawn() -> tuple:
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_seeds_are_functions_of_the_key():
    def after(*key):
        seed_all(*key)
        return drawn()

    assert after(0, 1, 2) == after(0, 1, 2)
    others = [after(*key) for key in ((0, 1, 3), (1, 1, 2), (0, 2, 2), (0, 1))]
    for one, other in zip(others, others[1:] + [after(0, 1, 2)]):
        assert not set(one) & set(other)


def test_seeded_block_restores_the_generators():
    seed_all(1)
    expected = drawn()
    seed_all(1)
    with seeded(5, 6):
        first = drawn()
    assert drawn() == expected
    with pytest.raises(ZeroDivisionError), seeded(5, 6):
        assert drawn() == first != expected
        1 / 0


def taken(order: DataOrder, count: int) -> list:
    iterator = iter(order)
    return [next(iterator) for _ in range(count)]


@pytest.mark.parametrize('shuffle', [True, False])
def test_order_from_any_place(shuffle):
    order = DataOrder(7, shuffle)
    order.start_at(3, 0, 0)
    whole = taken(order, 30)
    for place in (1, 7, 20):
        order.start_at(3, 0, place)
        assert taken(order, 10) == whole[place:place + 10]
    indices = [index for index, _ in whole]
    for epoch in range(4):  # every sample once per epoch
        assert sorted(indices[7 * epoch:7 * epoch + 7]) == list(range(7))
    assert (indices[:7] != indices[7:14]) == shuffle
    assert len({key for _, key in whole}) == 30


def test_seed_and_stream_change_the_order():
    def first(seed, stream):
        order = DataOrder(50)
        order.start_at(seed, stream, 0)
        return taken(order, 50)

    assert first(0, 0) == first(0, 0)
    assert first(0, 0) != first(1, 0) != first(0, 1) != first(0, 0)


def test_processes_share_an_order(monkeypatch):
    parts = []
    for rank in range(2):
        monkeypatch.setattr('irsde_mm.engine.draws.get_dist_info',
                            lambda rank=rank: (rank, 2))
        order = DataOrder(5)
        order.start_at(0, 0, 3)
        parts.append(taken(order, 10))
    monkeypatch.undo()
    order.start_at(0, 0, 6)
    assert [x for pair in zip(*parts) for x in pair] == taken(order, 20)


class Noisy(Dataset):
    metainfo = dict(name='noisy')

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return (index, *drawn())


def test_samples_depend_on_neither_workers_nor_start():
    def batches(workers, place, count):
        order = DataOrder(5)
        order.start_at(0, 0, place)
        loader = iter(DataLoader(
            SeededDataset(Noisy()), batch_size=2, sampler=order,
            num_workers=workers, collate_fn=list))
        return [next(loader) for _ in range(count)]

    whole = batches(0, 0, 8)
    assert batches(2, 0, 8) == whole
    assert batches(2, 6, 3) == whole[3:6]
    assert len({sample for batch in whole for sample in batch}) == 16
    assert SeededDataset(Noisy()).metainfo == dict(name='noisy')


@pytest.mark.parametrize('change', [
    dict(sampler=dict(type='irsde_mm.Odd')), dict(batch_sampler=dict())])
def test_refused_samplers(change):
    with pytest.raises(ConfigError, match='IterBasedTrainLoop'):
        use_data_order(dict(sampler=dict(type='InfiniteSampler'), **change)
                       if 'batch_sampler' in change else change)


@pytest.mark.parametrize('name', [
    'InfiniteSampler', 'DefaultSampler', 'mmengine.InfiniteSampler',
    InfiniteSampler])
def test_standard_samplers_are_replaced(name):
    loader = use_data_order(dict(sampler=dict(type=name, shuffle=False),
                                 dataset=dict(type='irsde_mm.BuiltinPhotos')))
    assert isinstance(loader['sampler'], DataOrder)
    assert not loader['sampler'].shuffle


# ------------------------------------------------------------------ resume


@pytest.fixture
def run(trained, tmp_path):
    """Function that changes the checkpoint in a copy of the trained folder
    and returns the copy."""
    folder = tmp_path / 'run'
    shutil.copytree(trained, folder)

    def change(edit):
        path = folder / 'iter_2.pth'
        checkpoint = torch.load(path, weights_only=True)
        edit(checkpoint)
        torch.save(checkpoint, path)
        return folder

    return change


def resume(folder, iterations, *options):
    return run_tool('train', 'quickstart/derain', '--work-dir', folder,
                    '--resume', '--cfg-options', *TINY,
                    f'train_cfg.max_iters={iterations}', *options)


def test_resume_loads_no_earlier_data(run, monkeypatch):
    """The first batch is that of iteration 400,001."""
    seen, item = [], SeededDataset.__getitem__

    def look(self, draw):
        seen.append(draw)
        return item(self, draw)

    def edit(checkpoint):
        checkpoint['meta']['iter'] = 400_000

    folder = run(edit)
    monkeypatch.setattr(SeededDataset, '__getitem__', look)
    assert resume(folder, 400_002) == 0
    draws = [draw for draw in seen if isinstance(draw, tuple)]
    assert [key[-1] for _, key in draws] == list(range(800_000, 800_004))
    assert (folder / 'iter_400002.pth').exists()


def test_changed_conditions_are_named(run, capfd):
    def edit(checkpoint):
        info = checkpoint['message_hub']['runtime_info']
        info['conditions'].update(processes=4, batch_size=16)

    assert resume(run(edit), 3) == 0
    out = ''.join(capfd.readouterr())
    assert ('differ from an uninterrupted one: processes: 4 before, 1 now; '
            'batch_size: 16 before, 2 now') in out


def test_resume_in_the_last_validation(run, capfd):
    assert resume(run(lambda checkpoint: None), 2) == 0
    out = ''.join(capfd.readouterr())
    assert 'Iter(val) [3/3]' in out and 'Iter(train)' not in out


def test_signal_in_validation(tmp_path, monkeypatch, capfd):
    """It saves the weights, not the averages that validation uses."""
    def train(name, *options):
        return run_tool('train', 'quickstart/derain', '--work-dir',
                        tmp_path / name, '--cfg-options', *TINY,
                        'val_dataloader.dataset.indices=1', *options)

    assert train('whole') == 0
    after_val_iter = PreemptionHook.after_val_iter

    def interrupted(self, runner, *args, **kwargs):
        signal.raise_signal(signal.SIGTERM)
        after_val_iter(self, runner, *args, **kwargs)

    monkeypatch.setattr(PreemptionHook, 'after_val_iter', interrupted)
    assert train('stopped', 'train_cfg.max_iters=4',
                 'train_cfg.val_interval=2') == 75
    text = ''.join(capfd.readouterr())
    assert 'stopped by SIGTERM after iteration 2' in text
    assert 'Traceback' not in text
    whole, stopped = (
        torch.load(tmp_path / name / 'iter_2.pth', weights_only=True)
        for name in ('whole', 'stopped'))
    for part in ('state_dict', 'ema_state_dict'):
        assert whole[part].keys() == stopped[part].keys()
        for key, value in whole[part].items():
            assert torch.equal(value, stopped[part][key]), key
    assert any(not torch.equal(value, whole['ema_state_dict'][f'module.{key}'])
               for key, value in whole['state_dict'].items())
