"""One job at a time on a target."""
import json
import time

import pytest
from irsde_mm.errors import OutputError
from irsde_mm.scale import locks
from irsde_mm.scale.locks import OWNER, locked, me
from irsde_mm.scale.places import Place


@pytest.fixture
def store():
    place = Place('memory://locked/target')
    yield place
    place.fs.store.clear()


@pytest.fixture(params=['folder', 'store'])
def target(request, tmp_path):
    if request.param == 'folder':
        return Place(tmp_path / 'target')
    return request.getfixturevalue('store')


def test_second_job_is_refused(target):
    with locked(target):
        with pytest.raises(OutputError, match='another job is at work.*process'
                           r' \d+ on .*, since 20.*--out'), locked(target):
            raise AssertionError
        with pytest.raises(OutputError), locked(target):
            raise AssertionError
    with locked(target) as lock:  # the first has ended
        lock.check()


def write(store, **changes) -> dict:
    owner = dict(me(), **changes)
    store.put(OWNER, json.dumps(owner).encode())
    return owner


@pytest.mark.parametrize('changes', [
    dict(born=0), dict(pid=2**22 + 1),
    dict(machine='other', beat=1.)], ids=str)
def test_lock_of_a_dead_owner(changes, store, monkeypatch):
    monkeypatch.setattr(locks, 'SETTLE', 0)
    write(store, **changes)
    with locked(store):
        assert json.loads(store.read(OWNER))['id'] != changes.get('id')
    assert not store.exists(OWNER)


def test_lock_of_another_machine(store):
    write(store, machine='other net')
    with pytest.raises(OutputError, match='on other, since'), locked(store):
        raise AssertionError


def test_damaged_lock(store, monkeypatch):
    """Nobody renews it."""
    monkeypatch.setattr(locks, 'SETTLE', 0)
    store.put(OWNER, b'{"pid"')
    with locked(store):
        pass


def test_two_take_over(store, monkeypatch):
    """The last one to write has it."""
    write(store, born=0)
    monkeypatch.setattr(locks.time, 'sleep',
                        lambda _: write(store, machine='faster one'))
    with pytest.raises(OutputError, match='on faster'), locked(store):
        raise AssertionError


def test_heartbeat(store, monkeypatch):
    monkeypatch.setattr(locks, 'BEAT', 0.01)
    with locked(store) as lock:
        first = json.loads(store.read(OWNER))['beat']
        while json.loads(store.read(OWNER))['beat'] == first:
            time.sleep(0.01)
        lock.check()
        while not lock.lost:
            other = write(store, machine='thief')
            time.sleep(0.01)
        with pytest.raises(OutputError, match='on thief'):
            lock.check()
    assert json.loads(store.read(OWNER)) == other  # which is left alone


def test_store_that_no_longer_answers(store, monkeypatch):
    monkeypatch.setattr(locks, 'BEAT', 0.01)
    monkeypatch.setattr(locks, 'EXPIRY', 0.05)
    with locked(store) as lock:
        def fail(*_):
            raise OSError('no route')
        monkeypatch.setattr(lock, '_read', fail)
        lock.thread.join(10)
        with pytest.raises(OutputError, match='has not answered.*no route'):
            lock.check()
