"""Runs that are killed end as runs that are not."""
import random

import pytest
from training import assert_equal, finish, kill_at_random, outcome, start

RUNS = {}


@pytest.fixture
def uninterrupted(tmp_path_factory):
    """What a run without a fault leaves; each kind is trained once."""

    def outcome_of(**kind):
        key = tuple(sorted(kind.items()))
        if key not in RUNS:
            folder = tmp_path_factory.mktemp('whole')
            finish(start(folder, **kind))
            RUNS[key] = outcome(folder)
        return RUNS[key]

    return outcome_of


def kill_and_resume(folder, kills: int, seed: int, **kind) -> int:
    """Kills at random moments until the run has ended; how often it did."""
    rng = random.Random(seed)
    done = 0
    process = start(folder, '--resume', **kind)
    while done < kills and kill_at_random(process, folder, rng):
        done += 1
        process = start(folder, '--resume', **kind)
    finish(process)
    return done


def test_three_kills(uninterrupted, tmp_path, tried):
    whole = uninterrupted(workers=2)
    done = kill_and_resume(tmp_path, 3, seed=1, workers=2)
    assert done >= 2
    assert_equal(outcome(tmp_path), whole)
    tried['SIGKILL: resumed bit for bit'] += done


@pytest.mark.slow
@pytest.mark.parametrize('kind', [
    dict(workers=w, processes=p) for w in (0, 2) for p in (1, 2)], ids=str)
def test_twenty_kills(kind, uninterrupted, tmp_path, tried):
    """Five of each kind, in as many runs as that takes."""
    whole, done, attempt = uninterrupted(**kind), 0, 0
    while done < 5:
        folder = tmp_path / str(attempt)
        done += kill_and_resume(folder, 5 - done, seed=attempt, **kind)
        assert_equal(outcome(folder), whole)
        attempt += 1
    tried[f'SIGKILL: resumed bit for bit ({kind})'] += done
