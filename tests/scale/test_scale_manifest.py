"""The manifest: what is done, across runs, and what is in the way."""
import sqlite3

import pytest
from irsde_mm.errors import DataError, OutputError
from irsde_mm.scale.items import DONE, FAILED, Item, Outcome
from irsde_mm.scale.manifest import PAGE, Manifest

JOB = dict(steps=3, model='abc')


def begin(path, names, present=(), job=JOB):
    """Start a run and return its manifest and the files in the way."""
    manifest = Manifest(path)
    with manifest.transaction():
        manifest.begin(job, 'out')
        manifest.add(Item(name) for name in names)
        found = manifest.compare(present)
        if found[0]:
            raise OutputError('in the way')
    return manifest


def names(manifest) -> list:
    return [item.name for item in manifest.to_do()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'manifest.sqlite'


def test_runs_go_on(path):
    manifest = begin(path, ['a.jpg', 'b/a.png', 'c.png'])
    assert names(manifest) == ['a.jpg', 'b/a.png', 'c.png']
    manifest.record(Outcome('a.jpg', DONE, 'a.png', size=7))
    manifest.record(Outcome('c.png', FAILED, reason='broken', attempts=2))
    assert manifest.failures(5) == ['broken']
    assert manifest.counts() == {DONE: 1, FAILED: 1, 'open': 1}
    manifest.close()
    # what failed is tried again, and so is what is no longer there
    manifest = begin(path, ['a.jpg', 'b/a.png', 'c.png', 'd.png'], ['a.png'])
    assert names(manifest) == ['b/a.png', 'c.png', 'd.png']
    assert len(manifest.to_do()) == 3
    manifest.close()
    assert names(begin(path, ['a.jpg', 'd.png'])) == ['a.jpg', 'd.png']


def test_killed_before_it_was_recorded(path):
    """The results are found in the target."""
    begin(path, ['a.jpg', 'b.jpg']).close()
    manifest = begin(path, ['a.jpg', 'b.jpg'], ['a.png', 'other.png'])
    assert names(manifest) == ['b.jpg']


def test_killed_during_the_listing(path):
    manifest = Manifest(path)
    manifest.base.execute('BEGIN')
    manifest.begin(JOB, 'out')
    manifest.add([Item('a.jpg')])
    manifest.base.close()
    with pytest.raises(OutputError, match='in the way'):
        begin(path, ['a.jpg'], ['a.png'])


def test_files_of_others_are_in_the_way(path):
    with pytest.raises(OutputError, match='in the way'):
        begin(path, ['a.jpg', 'b.jpg'], ['b.png'])
    begin(path, ['a.jpg']).close()
    # also that of a photo which is new in the second run
    with pytest.raises(OutputError, match='in the way'):
        begin(path, ['a.jpg', 'b.jpg'], ['a.png', 'b.png'])


@pytest.mark.parametrize('pair', [('a.jpg', 'a.png'), ('a.jpg', 'a.jpg')])
def test_two_photos_with_one_result(path, pair):
    with pytest.raises(DataError, match=f'two.*{pair[0]}.*{pair[1]}.*rename'):
        begin(path, ['b.jpg', *pair])


def test_another_job(path):
    manifest = begin(path, ['a.jpg'])
    manifest.close()
    # which has done nothing
    manifest = begin(path, ['a.jpg'], job=dict(JOB, steps=4))
    manifest.record(Outcome('a.jpg', DONE, 'a.png'))
    manifest.close()
    with pytest.raises(OutputError, match='steps 4 there, 5 here.*--out'):
        begin(path, ['a.jpg'], job=dict(JOB, steps=5))
    with pytest.raises(OutputError, match='another model'):
        begin(path, ['a.jpg'], job=dict(steps=4, model='b'))


def test_names_of_any_bytes(path):
    name = b'\xff \xc3\xa9.jpg'.decode('utf-8', 'surrogateescape')
    manifest = begin(path, [name])
    assert names(manifest) == [name]
    manifest.record(Outcome(name, DONE))
    assert manifest.counts() == {DONE: 1}


def test_pages(path):
    """The photos are read page by page while outcomes are recorded."""
    expected = [f'{i}.jpg' for i in range(PAGE + 7)]
    manifest = begin(path, expected)
    found = []
    for item in manifest.to_do():
        found.append(item.name)
        manifest.record(Outcome(item.name, DONE))
    assert found == expected
    assert manifest.counts() == {DONE: len(expected)}


def test_shards_keep_their_places(path):
    item = Item('a.jpg', 7, '/data/x.tar', 1536)
    manifest = Manifest(path)
    with manifest.transaction():
        manifest.begin(JOB, 'out')
        manifest.add([item])
        assert manifest.keep_shards({'/data/x.tar': 9}) == set()
    assert list(manifest.to_do()) == [item]
    for size, known in ((9, {'/data/x.tar'}), (8, set())):
        with manifest.transaction():
            manifest.begin(JOB, 'out')
            assert manifest.keep_shards({'/data/x.tar': size}) == known
            manifest.add([])
        assert list(manifest.to_do()) == ([item] if known else [])


def test_readers_see_what_is_committed(path):
    manifest = begin(path, ['a.jpg'])
    manifest.record(Outcome('a.jpg', FAILED, reason='broken'))
    manifest.commit()
    reader = sqlite3.connect(path)
    assert reader.execute(
        "SELECT name, reason FROM photos WHERE state = 'failed'"
    ).fetchall() == [('a.jpg', 'broken')]


def test_damaged(path):
    path.write_bytes(b'no database' * 100)
    with pytest.raises(DataError, match='not a manifest.*--out'):
        Manifest(path)
