"""Several processes, and the results of a test in the work folder."""
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from conftest import ROOT, TINY, run_tool
from irsde_mm import processes
from irsde_mm.errors import ConfigError
from irsde_mm.registry import MODELS
from mmengine.config import Config
from PIL import Image

SCRIPTS = sorted((ROOT / 'tools').glob('*.sh'))


def launch(script, *args, **environ):
    """Run a shell script and return its output."""
    done = subprocess.run(
        ['bash', ROOT / 'tools' / script, *map(str, args)], text=True,
        capture_output=True, timeout=300, cwd=environ.pop('cwd', None),
        env={**os.environ, 'PYTHON': sys.executable,
             'PYTHONWARNINGS': 'ignore', **environ})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def results(folder: Path):
    """Return the mean scores and the per-image rows of a test."""
    means, = (json.loads(p.read_text()) for p in folder.glob('2*/2*.json'))
    rows, = (json.loads(p.read_text())
             for p in folder.glob('2*/per_image.json'))
    table, = (pd.read_csv(p, float_precision='round_trip')
              for p in folder.glob('2*/per_image.csv'))
    for row, (_, line) in zip(rows, table.iterrows()):
        assert {k: v for k, v in row.items() if v != ''} == dict(line.dropna())
    return {k: v for k, v in means.items() if 'time' not in k}, rows


def pictures(folder: Path) -> dict:
    return {p.name: p.read_bytes() for p in folder.rglob('vis_image/*')}


# ---------------------------------------------------------------- results


def test_results_of_every_image(trained, tmp_path):
    assert run_tool('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', tmp_path) == 0
    means, rows = results(tmp_path)
    assert [row['image'] for row in rows] == [
        'chelsea.png', 'coffee.png', 'rocket.png']
    assert set(pictures(tmp_path)) == {
        'chelsea_0.png', 'coffee_1.png', 'rocket_2.png'}
    for key, mean in means.items():
        assert mean == pytest.approx(sum(row[key] for row in rows) / 3)
    assert {'PSNR', 'SSIM_Y', 'input_PSNR_Y'} <= set(means)


def two_sets(tmp_path) -> Path:
    """Write a config of an mmagic model with mmagic's metrics and drawing
    hook, and two test sets of three images with the same file names."""
    for part, side in (('a', 40), ('b', 48)):
        for i, image in enumerate(('my photo.png', 'photo.x.png', 'v1.png')):
            folder = tmp_path / part
            folder.mkdir(exist_ok=True)
            Image.effect_noise((side, 32), 10 + i).convert('RGB').save(
                folder / image)
    config = tmp_path / 'mm.py'
    config.write_text(f'''
_base_ = '{ROOT}/configs/quickstart/derain.py'
default_hooks = dict(
    logger=dict(_delete_=True, type='LoggerHook'),
    results=dict(_delete_=True, type='irsde_mm.ResultsHook'))
custom_hooks = [dict(type='BasicVisualizationHook', interval=1)]
model = dict(
    _delete_=True, type='BaseEditModel',
    generator=dict(type='SRCNNNet', channels=(3, 4, 4, 3), upscale_factor=1),
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(type='DataPreprocessor', mean=[0.] * 3,
                           std=[255.] * 3))
noise = dict(type='irsde_mm.GaussianNoise', sigma=25 / 255, fixed=True)
test_dataloader = [
    dict(batch_size=1, num_workers=0,
         sampler=dict(type='DefaultSampler', shuffle=False),
         dataset=dict(
             type='irsde_mm.CleanImageDataset',
             data_root=f'{tmp_path}/{{part}}', pipeline=[
                 dict(type='LoadImageFromFile', key='gt'), noise,
                 dict(type='PackInputs')])) for part in 'ab']
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(type='mmagic.PSNR', prefix=part),
        dict(type='irsde_mm.SSIM', prefix=part)]) for part in 'ab']
''')
    weights = tmp_path / 'weights.pth'
    net = MODELS.build(dict(type='mmagic.SRCNNNet', channels=(3, 4, 4, 3),
                            upscale_factor=1))
    torch.save(dict(state_dict={f'generator.{k}': v for k, v
                                in net.state_dict().items()}), weights)
    return config


def test_sets_do_not_overwrite_each_other(tmp_path):
    config = two_sets(tmp_path)
    assert run_tool('test', config, tmp_path / 'weights.pth', '--work-dir',
                    tmp_path / 'out') == 0
    means, rows = results(tmp_path / 'out')
    assert set(means) == {f'{part}/{key}' for part in 'ab'
                          for key in ('PSNR', 'SSIM', 'input_SSIM')}
    assert [row['set'] for row in rows] == list('aaabbb')
    for part in 'ab':
        for key in ('PSNR', 'SSIM', 'input_SSIM'):
            scores = [row[key] for row in rows if row['set'] == part]
            assert means[f'{part}/{key}'] == pytest.approx(sum(scores) / 3)
    drawn = pictures(tmp_path / 'out')
    assert set(drawn) == {
        'a_my_photo_0.png', 'a_photo_x_1.png', 'a_v1_2.png',
        'b_my_photo_3.png', 'b_photo_x_4.png', 'b_v1_5.png'}
    assert len(set(drawn.values())) == 6


# --------------------------------------------------------------- processes


def equal(one: Path, two: Path):
    """Check that two tests have left identical results."""
    assert results(one) == results(two)
    assert pictures(one) == pictures(two)


SPY = """
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

@HOOKS.register_module()
class SpyHook(Hook):

    def before_train(self, runner):
        self.seen, perturb = [], runner.model.module.sde.perturb
        def spy(x0, mu, t, noise):
            self.seen.append((x0, t, noise))
            return perturb(x0, mu, t, noise)
        runner.model.module.sde.perturb = spy

    def after_train(self, runner):
        torch.save((runner.model.module.state_dict(), self.seen),
                   f'{get_rank()}.pt')
"""


@pytest.mark.slow
def test_two_processes_train_and_test(tmp_path):
    """Ranks have equal weights and different data and noise. A test gives the
    results of one process, although the sampler pads the three photos."""
    (tmp_path / 'spy.py').write_text(SPY)
    config = tmp_path / 'derain.py'
    config.write_text(f"""
_base_ = '{ROOT}/configs/quickstart/derain.py'
custom_imports = dict(imports=['spy'])
custom_hooks = _base_.custom_hooks + [dict(type='SpyHook')]
""")
    options = ['--cfg-options', *TINY]
    launch('dist_train.sh', config, 2, '--work-dir', 'run', *options,
           cwd=tmp_path, PYTHONPATH=str(tmp_path))
    (weights, seen), (others, other) = (
        torch.load(tmp_path / f'{rank}.pt') for rank in (0, 1))
    assert len(seen) == len(other) == 2  # iterations
    assert all(torch.equal(weights[key], others[key]) for key in weights)
    for a, b in zip(seen, other):
        assert not torch.equal(a[0], b[0])
        assert not torch.equal(a[2], b[2])
    assert not all(torch.equal(a[1], b[1]) for a, b in zip(seen, other))
    for n in (1, 2):
        out = launch('dist_test.sh', 'quickstart/derain',
                     tmp_path / 'run' / 'iter_2.pth', n, '--work-dir',
                     tmp_path / str(n), *options, cwd=tmp_path)
        assert out.count('images and scores') == n
    equal(tmp_path / '1', tmp_path / '2')


@pytest.mark.slow
def test_models_with_their_own_wrapper_train_on_cpus(tmp_path):
    launch('dist_train.sh', 'baselines/quickstart/inpaint_deepfillv2', 2,
           '--work-dir', 'run', '--cfg-options', 'train_cfg.max_iters=2',
           'train_cfg.val_begin=9', 'train_dataloader.batch_size=1',
           cwd=tmp_path)
    assert (tmp_path / 'run' / 'iter_2.pth').exists()


# the parts of srun and scontrol that the scripts use, on this machine
SRUN = """#!/usr/bin/env bash
echo "srun $*" >> "$(dirname "$0")/calls"
while [[ $1 == --* ]]; do
    [[ $1 == --ntasks=* ]] && export SLURM_NTASKS="${1#*=}"
    shift
done
export SLURM_NODELIST='node[1-2]'
for ((i = 0; i < SLURM_NTASKS; i++)); do
    SLURM_PROCID=$i SLURM_LOCALID=$i "$@" & pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
"""
SCONTROL = """#!/usr/bin/env bash
[[ "$*" == 'show hostnames node[1-2]' ]] && echo 127.0.0.1 && echo other
"""


@pytest.fixture
def slurm(tmp_path):
    folder = tmp_path / 'bin'
    folder.mkdir()
    for name, text in (('srun', SRUN), ('scontrol', SCONTROL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    return dict(PATH=f"{folder}:{os.environ['PATH']}", MASTER_PORT=str(port),
                OMP_NUM_THREADS='1', GPUS='2', GPUS_PER_NODE='0')


@pytest.mark.slow
def test_slurm_processes_test_as_one(slurm, tmp_path):
    config = two_sets(tmp_path)
    weights = tmp_path / 'weights.pth'
    launch('dist_test.sh', config, weights, 1, '--work-dir', 'one',
           cwd=tmp_path)
    launch('slurm_test.sh', 'part', 'name', config, weights, '--work-dir',
           'two', cwd=tmp_path, SRUN_ARGS='--exclusive --mem=0', **slurm)
    call = (tmp_path / 'bin' / 'calls').read_text()
    assert call.startswith('srun --partition=part --job-name=name --ntasks=2 '
                           '--cpus-per-task=5 ')
    assert '--exclusive --mem=0' in call and '--gres' not in call
    equal(tmp_path / 'one', tmp_path / 'two')


@pytest.mark.slow
def test_slurm_processes_restore_together(slurm, photo, tmp_path):
    for i in range(8):
        shutil.copy(photo, photo.with_name(f'{i}.png'))
    out = launch('slurm_restore.sh', 'part', 'name', photo.parent, 'out',
                 '--task', 'derain', '--steps', '2', '--batch-size', '1',
                 cwd=tmp_path, **slurm)
    assert out.count("9 photo(s) restored in 'out'") == 1
    assert 'Traceback' not in out
    assert len(list((tmp_path / 'out').glob('*.png'))) == 9


@pytest.mark.parametrize('script', ['slurm_train.sh', 'slurm_test.sh',
                                    'slurm_restore.sh'])
def test_slurm_scripts_request_gpus(script, slurm, tmp_path):
    launch(script, 'p', 'n', 'config', 'with space', **dict(
        slurm, PYTHON='true', GPUS='4', GPUS_PER_NODE='2'))
    call = (tmp_path / 'bin' / 'calls').read_text()
    assert '--gres=gpu:2 --ntasks-per-node=2 ' in call
    assert 'config' in call and 'with space' in call


@pytest.mark.parametrize('path', SCRIPTS, ids=lambda p: p.name)
def test_usage(path):
    """Missing and invalid arguments are refused before anything starts."""
    for args in ([], ['irsde/derain'], ['a', 'b', 'many'], ['a', '0'],
                 ['a', 'b', '-1']):
        if path.name == 'dist_train.sh' and len(args) > 2:
            args = args[1:]
        done = subprocess.run(['bash', path, *args], text=True,
                              capture_output=True)
        assert done.returncode == 2 and done.stdout == '', args
        assert done.stderr.startswith('usage: ')
        assert ('SOURCE' if 'restore' in path.name
                else 'CONFIG') in done.stderr


LATE = """
import os, time
import torch
from irsde_mm import processes
from mmengine.config import Config
rank, attempt = int(os.environ['RANK']), processes.restarted()
if attempt and rank:
    time.sleep(2)
processes.join_processes(Config(dict(launcher='pytorch')))
total = torch.ones(1)
torch.distributed.all_reduce(total)
if not attempt:
    if rank:
        os._exit(3)
    time.sleep(60)
print(f'they are {total.item():.0f}', flush=True)
processes.leave_group()
"""


@pytest.mark.slow
def test_restarted_processes_meet_again(tmp_path):
    """An early process waits for a late one, not at the old address."""
    script = tmp_path / 'late.py'
    script.write_text(LATE)
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--max-restarts', '1', '--nproc-per-node', '2', script],
        text=True, capture_output=True, timeout=120,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count('they are 2') == 2


CYCLE = """
import gc
from pathlib import Path
import torch
from irsde_mm import processes
from mmengine.config import Config

def threads():
    return [path.read_text() for path in Path('/proc/self/task').glob('*/comm')
            if 'gloo' in path.read_text()]

gc.disable()
processes.join_processes(Config(dict(launcher='pytorch')))
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
model.of = [model]
del model
before = len(threads())
processes.leave_group()
print(f'{before > 0} {len(threads())}')
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='threads are in /proc')
def test_no_thread_outlives_a_process_group(tmp_path):
    """The group is closed even if a model in a reference cycle holds it."""
    script = tmp_path / 'cycle.py'
    script.write_text(CYCLE)
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc-per-node', '1', script], text=True, capture_output=True,
        timeout=120,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ['True', '0']


def test_missing_launchers_are_named(monkeypatch):
    for name in ('RANK', 'SLURM_PROCID'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    for launcher, tool in (('pytorch', 'dist_train.sh'),
                           ('slurm', 'slurm_train.sh')):
        with pytest.raises(ConfigError, match=tool):
            processes.join_processes(Config(dict(launcher=launcher)))
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '2')
    with pytest.raises(ConfigError, match='2 processes.* only 1 '):
        processes.join_processes(Config(dict(launcher='pytorch')))
