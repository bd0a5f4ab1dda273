"""Broken checkpoints, a full disk, and interrupted writes."""
import os
import resource
import shutil
import subprocess

import pytest
import torch
from conftest import TINY, run_tool
from irsde_mm.model_files.runs import newest_first
from irsde_mm.engine.hooks import checkpoint_hook
from irsde_mm.errors import ConfigError

OPTIONS = [*TINY, 'default_hooks.checkpoint.interval=2',
           'val_dataloader.dataset.indices=1']


def train(folder, iterations: int, *args) -> int:
    return run_tool('train', 'quickstart/derain', '--work-dir', folder, *args,
                    '--cfg-options', *OPTIONS,
                    f'train_cfg.max_iters={iterations}')


@pytest.fixture(scope='module')
def three(tmp_path_factory):
    """A run of 6 iterations with its three checkpoints."""
    folder = tmp_path_factory.mktemp('three') / 'run'
    assert train(folder, 6) == 0
    return folder


@pytest.fixture
def run(three, tmp_path):
    return shutil.copytree(three, tmp_path / 'run')


def empty(path):
    path.write_bytes(b'')


def cut(path):
    path.write_bytes(path.read_bytes()[:-1000])


def no_state(path):
    torch.save([1, 2], path)


def zeros(path):
    path.write_bytes(bytes(path.stat().st_size))


def flip(path):
    """Flip one bit of a weight, in the middle of the file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.grid(at_most=1)
@pytest.mark.parametrize('spoil', [empty, cut, no_state, zeros, flip],
                         ids=lambda f: f.__name__)
def test_resume_from_the_checkpoint_before(run, spoil, capfd, tried):
    spoil(run / 'iter_6.pth')
    with pytest.warns(UserWarning, match='iter_6.* Trying the previous'):
        assert train(run, 8, '--resume') == 0
    out = ''.join(capfd.readouterr())
    assert 'resumed epoch: 0, iter: 4' in out
    assert torch.load(run / 'iter_8.pth', weights_only=True)['meta'][
        'iter'] == 8
    tried['newest checkpoint broken: the one before is used'] += 1


def test_all_broken(run, error, tried):
    for path in run.glob('*.pth'):
        cut(path)
    with pytest.warns(UserWarning):
        message = error('train', 'quickstart/derain', '--work-dir', run,
                        '--resume')
    assert 'no checkpoint in' in message and '3 are broken' in message
    tried['all checkpoints broken: named'] += 1


def test_checkpoints_of_a_resumed_run(run):
    """The last three and the best are kept."""
    best, = run.glob('best_*')
    assert train(run, 10, '--resume') == 0
    assert {p.name for p in run.glob('iter_*')} == {
        'iter_6.pth', 'iter_8.pth', 'iter_10.pth'}
    kept, = run.glob('best_*')  # after iteration 6 or 10
    score = torch.load(run / 'iter_10.pth', weights_only=True)[
        'message_hub']['runtime_info']
    assert score['best_ckpt'] == str(run / kept.name) or kept == best
    assert (run / 'last_checkpoint').read_text() == str(run / 'iter_10.pth')


def test_newest_first(run):
    names = [p.name for p in newest_first(run)]
    assert names == ['iter_6.pth', 'iter_4.pth', 'iter_2.pth']
    (run / 'last_checkpoint').write_text('/moved/away/iter_4.pth')
    assert newest_first(run)[0].name == 'iter_4.pth'
    (run / 'last_checkpoint').write_text('/moved/away/iter_7.pth')
    assert [p.name for p in newest_first(run)] == names


def test_killed_while_writing(run, monkeypatch, tried):
    """Existing files stay; the next start removes the incomplete one."""
    def die(part, path):
        raise SystemExit(9)

    before = {p.name: p.read_bytes() for p in run.glob('*.pth')}
    monkeypatch.setattr(checkpoint_hook, 'replace', die)
    assert train(run, 8, '--resume') == 9
    monkeypatch.undo()
    assert [p.name for p in run.glob('*.part')] == ['iter_8.pth.part']
    assert {p.name: p.read_bytes() for p in run.glob('*.pth')} == before
    assert train(run, 8, '--resume') == 0
    assert not list(run.glob('*.part'))
    tried['killed while writing: nothing lost'] += 1


def largest_file(size: int):
    """Limit the size of the files that this process writes, in bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (
        size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def test_no_room_for_a_checkpoint(run, error, capfd, tried):
    """Training continues with a warning, keeps the existing files, and ends
    with an error. It resumes once there is room."""
    before = {p.name: p.read_bytes() for p in run.glob('*.pth')}
    limit = (run / 'iter_6.pth').stat().st_size // 3
    largest_file(limit)
    try:
        message = error('train', 'quickstart/derain', '--work-dir', run,
                        '--resume', '--cfg-options', *OPTIONS,
                        'train_cfg.max_iters=10')
    finally:
        largest_file(resource.RLIM_INFINITY)
    assert 'the last checkpoint is missing' in message
    assert 'File too large' in message
    assert {p.name: p.read_bytes() for p in run.glob('*.pth')} == before
    assert not list(run.glob('*.part'))
    log = ''.join(p.read_text() for p in run.glob('*/*.log'))
    assert log.count('was not written') == 3  # iterations 8, 10, the best
    assert train(run, 10, '--resume') == 0
    assert (run / 'iter_10.pth').exists()
    tried['no room for a checkpoint: reported, nothing lost'] += 1


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB and a function that enlarges it."""
    folder = tmp_path / 'disk'
    folder.mkdir()

    def mount(*options):
        return subprocess.run(['mount', *options, str(folder)],
                              capture_output=True).returncode

    if os.geteuid() != 0 or mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs'):
        pytest.skip('only root can mount a file system')
    yield folder, lambda: mount('-o', 'remount,size=9m')
    subprocess.run(['umount', '-l', str(folder)], check=True)


@pytest.mark.slow
def test_full_disk(small_disk, error, tried):
    folder, enlarge = small_disk
    run = folder / 'run'
    message = error('train', 'quickstart/derain', '--work-dir', run,
                    '--cfg-options', *OPTIONS, 'train_cfg.max_iters=4',
                    'default_hooks.checkpoint.save_best=None')
    assert 'No space left on device' in message
    assert [p.name for p in run.glob('iter_*')] == ['iter_2.pth']
    enlarge()
    assert train(run, 4, '--resume') == 0
    assert (run / 'iter_4.pth').exists()
    tried['disk full: reported, nothing lost'] += 1


def test_backends_are_refused():
    hook = checkpoint_hook.CheckpointHook(
        backend_args=dict(backend='petrel'))
    with pytest.raises(ConfigError, match='backend_args'):
        hook.before_train(None)


def test_unknown_save_best(tmp_path, error):
    message = error('train', 'quickstart/derain', '--work-dir', tmp_path,
                    '--cfg-options', *TINY,
                    'default_hooks.checkpoint.save_best=PSMR')
    assert ("save_best='PSMR': validation has no such score; "
            'it reports PSNR') in message
