"""Restorations with an engine that are killed go on: every photo is there
once and intact, and no reader sees half a file."""
import itertools
import os
import random
import re
import signal
import subprocess

import pytest
from restoring import (Reader, draw_photos, kill_at_random, nearly_equal,
                       plain_results, results, start, states,
                       wait_for_results, workers)
from training import finish, kill

PHOTOS = 60
#: At least one of each kind.
KILLS = dict(local=4, torchrun=4, ray=3)
KINDS = ('worker', 'driver', 'all')


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp('source')
    draw_photos(folder, PHOTOS)
    return folder


@pytest.fixture(scope='module')
def expected(source, tmp_path_factory):
    return plain_results(source, tmp_path_factory.mktemp('plain'))


def kill_and_go_on(engine, source, out, kinds, rng, tried) -> int:
    """Kill a job and start it again until it has ended or all kinds of kills
    are done; return their number."""
    done = 0
    process = start(engine, source, out)
    for kind in kinds:
        if not kill_at_random(process, out, kind, rng):
            break
        done += 1
        tried[f'{engine}: SIGKILL of {kind}, gone on'] += 1
        # the other engines replace a worker by themselves
        if engine == 'torchrun' or kind != 'worker':
            process.wait()
            process = start(engine, source, out)
    text = finish(process)
    assert f"{PHOTOS} photo(s) restored in '{out}'" in text
    assert 'Traceback' not in text
    return done


@pytest.mark.slow
@pytest.mark.parametrize('engine', KILLS)
def test_kills(engine, source, expected, tmp_path, tried):
    """With each engine, in as many jobs as needed."""
    rng = random.Random(engine)
    kinds = list(itertools.islice(itertools.cycle(KINDS),
                                  KILLS[engine]))
    rng.shuffle(kinds)
    for attempt in itertools.count():
        out = tmp_path / str(attempt)
        reader = Reader(out, expected)
        reader.start()
        done = kill_and_go_on(engine, source, out, kinds, rng, tried)
        reader.end()
        assert results(out) == expected
        assert states(out) == dict(done=PHOTOS)
        assert not list((out / '.irsde' / 'parts').glob('*'))
        tried[f'{engine}: results seen by a reader, all whole'] += len(
            reader.first)
        kinds = kinds[done:]
        if not kinds:
            return


@pytest.mark.slow
def test_two_jobs_on_one_target(source, expected, tmp_path, tried):
    """The second is refused and names the first, which goes on."""
    first = start('local', source, tmp_path / 'out')
    wait_for_results(first, tmp_path / 'out', 1)
    assert first.poll() is None
    kill(first, signal.SIGSTOP)  # the second needs time to start
    for other in ('local', 'torchrun'):
        text = finish(start(other, source, tmp_path / 'out'), code=2)
        found = re.search(r'another job is at work on .*: process (\d+) on',
                          text)
        assert int(found[1]) in {first.pid, *(
            p.pid for p in workers(first))}
        assert text.count('error: ') == 1 and 'Traceback' not in text
        tried['two jobs on one target: the second refused'] += 1
    kill(first, signal.SIGCONT)
    finish(first)
    assert results(tmp_path / 'out') == expected


@pytest.mark.slow
def test_ctrl_c(source, expected, tmp_path, tried):
    out = tmp_path / 'out'
    process = start('local', source, out)
    wait_for_results(process, out, 2)
    os.killpg(process.pid, signal.SIGINT)
    text = finish(process, code=130)
    assert text.strip().endswith('stopped.') and 'Traceback' not in text
    assert 0 < states(out)['done'] < PHOTOS
    finish(start('local', source, out))
    assert results(out) == expected
    tried['local: Ctrl-C, gone on'] += 1


@pytest.fixture
def small_target(tmp_path):
    """A file system of 256 KB and a function that enlarges it."""
    folder = tmp_path / 'disk'
    folder.mkdir()

    def mount(*options):
        return subprocess.run(['mount', *options, str(folder)],
                              capture_output=True).returncode

    if os.geteuid() != 0 or mount('-t', 'tmpfs', '-o', 'size=256k', 'tmpfs'):
        pytest.skip('only root can mount a file system')
    yield folder / 'out', lambda: mount('-o', 'remount,size=9m')
    subprocess.run(['umount', '-l', str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize('engine', ['local', 'ray'])
def test_full_target(engine, source, expected, small_target, tried):
    """The job stops, no photo has failed, and it goes on with more room."""
    out, enlarge = small_target
    text = finish(start(engine, source, out, '--retries', '1'), code=2)
    assert re.search(r"error: cannot write .*'.*(No space left on device|disk "
                     'is full)', text) and 'Traceback' not in text
    found = results(out)
    assert 0 < len(found) < PHOTOS
    assert found == {name: expected[name] for name in found}
    assert 'failed' not in states(out)
    enlarge()
    finish(start(engine, source, out))
    assert results(out) == expected
    tried[f'{engine}: full target, gone on with more room'] += 1


@pytest.mark.slow
def test_torchrun_restarts_a_killed_process(source, expected, tmp_path, tried,
                                            monkeypatch):
    monkeypatch.setenv('MAX_RESTARTS', '2')
    out = tmp_path / 'out'
    process = start('torchrun', source, out, '--batch-size', '2')
    wait_for_results(process, out, 3)
    workers(process)[-1].kill()
    text = finish(process)
    assert f'{PHOTOS} photo(s) restored' in text
    assert nearly_equal(results(out), expected)
    tried['torchrun: a process killed, all restarted'] += 1
