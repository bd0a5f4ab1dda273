"""Killed and resumed runs give the results of uninterrupted ones."""
import random
import signal
import statistics
import time

import psutil
import pytest
from training import (assert_equal, finish, kill, kill_at_random, lines,
                      outcome, shard_config, start, wait_for_lines)

RUNS = {}


@pytest.fixture
def uninterrupted(tmp_path_factory):
    """Function that returns the outcome of an uninterrupted run; each kind is
    trained once."""

    def outcome_of(**kind):
        key = tuple(sorted(kind.items()))
        if key not in RUNS:
            folder = tmp_path_factory.mktemp('whole')
            finish(start(folder, **kind))
            RUNS[key] = outcome(folder)
        return RUNS[key]

    return outcome_of


def kill_and_resume(folder, kills: int, seed: int, **kind) -> int:
    """Kill and resume a run at random moments until it has ended; return the
    number of kills."""
    rng = random.Random(seed)
    done = 0
    process = start(folder, '--resume', **kind)
    while done < kills and kill_at_random(process, folder, rng):
        done += 1
        process = start(folder, '--resume', **kind)
    finish(process)
    return done


def kill_three_times(folder, whole, **kind) -> int:
    """Kill and resume a kind of run three times, in as many runs as needed,
    and compare the outcomes."""
    done, attempt = 0, 0
    while done < 3:
        done += kill_and_resume(folder / str(attempt), 3 - done, seed=attempt,
                                **kind)
        assert_equal(outcome(folder / str(attempt)), whole)
        attempt += 1
    return done


@pytest.mark.slow
@pytest.mark.parametrize('kind', [
    dict(workers=0, processes=1), dict(workers=2, processes=2)], ids=str)
def test_kills(kind, uninterrupted, tmp_path, tried):
    tried[f'SIGKILL: resumed bit for bit ({kind})'] += kill_three_times(
        tmp_path, uninterrupted(**kind), **kind)


@pytest.fixture(scope='module')
def shards(tmp_path_factory) -> str:
    """Config of a training from shards."""
    return str(shard_config(tmp_path_factory.mktemp('shards')))


@pytest.mark.slow
def test_kills_of_trainings_from_shards(shards, uninterrupted, tmp_path,
                                        tried):
    kind = dict(workers=2, processes=2, config=shards)
    tried['SIGKILL: training from shards resumed bit for bit'] += (
        kill_three_times(tmp_path, uninterrupted(**kind), **kind))


def interrupt(number, folder, after: int, **kind):
    """Resume a run and send a signal to all of its processes."""
    process = start(folder, '--resume', *(
        ['train_dataloader.persistent_workers=True'] if kind.get('workers')
        else []), **kind)
    wait_for_lines(process, folder, len(lines(folder)) + after)
    kill(process, number)
    return process


@pytest.mark.slow
def test_sigterm_and_ctrl_c_save(uninterrupted, tmp_path, tried):
    for number in (signal.SIGTERM, signal.SIGINT):
        process = interrupt(number, tmp_path, 5, workers=2)
        start_time = time.monotonic()
        out = finish(process, code=75)
        assert time.monotonic() - start_time < 20  # Slurm waits for 30 s
        assert f'stopped by {number.name} after iteration' in out
        assert 'continue with --resume' in out and 'Traceback' not in out
        last = (tmp_path / 'last_checkpoint').read_text()
        assert f'saved in {last}' in out
        tried[f'{number.name}: saved, exit code 75'] += 1
    finish(start(tmp_path, '--resume', workers=2))
    assert_equal(outcome(tmp_path),
                 uninterrupted(workers=2, processes=1))


@pytest.mark.slow
def test_sigterm_to_several_processes(uninterrupted, tmp_path, tried):
    process = interrupt(signal.SIGTERM, tmp_path, 5, processes=2)
    out = finish(process, code=75)
    assert 'Traceback' not in out
    assert out.count('stopped by SIGTERM after iteration') == 2
    finish(start(tmp_path, '--resume', processes=2))
    assert_equal(outcome(tmp_path), uninterrupted(workers=0, processes=2))
    tried['SIGTERM to two processes: saved'] += 1


@pytest.mark.slow
def test_torchrun_restarts_a_killed_worker(uninterrupted, tmp_path, tried):
    """The second attempt resumes without --resume."""
    process = start(tmp_path, processes=2, MAX_RESTARTS='2')
    wait_for_lines(process, tmp_path, 9)
    workers = [p for p in psutil.Process(process.pid).children()
               if any('train.py' in word for word in p.cmdline())]
    assert len(workers) == 2
    workers[1].kill()
    finish(process)
    assert_equal(outcome(tmp_path), uninterrupted(workers=0, processes=2))
    tried['worker killed under torchrun: restarted'] += 1


@pytest.mark.slow
def test_no_worker_outlives_torchrun(tmp_path, tried):
    """A surviving worker would train beside the resumed run."""
    process = start(tmp_path, processes=2)
    wait_for_lines(process, tmp_path, 3)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) == 2
    process.kill()
    process.wait()
    assert not psutil.wait_procs(family, timeout=20)[1]
    tried['torchrun killed alone: its workers end'] += 1


@pytest.mark.slow
def test_memory_stays_flat(tmp_path):
    """In the last quarter of 1,200 iterations, within 2 % of the second."""
    process = start(tmp_path, 'train_cfg.max_iters=1200',
                    'train_cfg.val_interval=10000',
                    'default_hooks.checkpoint.interval=100',
                    'default_hooks.logger.interval=50')
    seen = []
    while process.poll() is None:
        rss = psutil.Process(process.pid).memory_info().rss
        done = [row['step'] for row in lines(tmp_path)] or [0]
        seen.append((done[-1], rss))
        time.sleep(0.5)
    finish(process)
    second, last = (statistics.mean(rss for n, rss in seen if a <= n < b)
                    for a, b in ((300, 600), (900, 1200)))
    assert last == pytest.approx(second, rel=0.02)
