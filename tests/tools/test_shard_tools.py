"""Packing and indexing of shards, and the benchmark of reading them."""
import io
import json
import os
import tarfile

import pytest
from conftest import run_tool
from irsde_mm.datasets import (CleanImageDataset, PairedImageDataset,
                               ShardDataset)
from shards import BUCKET, object_store, pairs, png, write_tar

LOAD = [dict(type='irsde_mm.LoadImage', key=key) for key in ('img', 'gt')]
CONFIG = '''
train_dataloader = dict(batch_size=1, dataset=dict(
    type='irsde_mm.PairedImageDataset', data_root={!r}, scale=2,
    data_prefix=dict(img='low', gt='high'),
    templates=dict(img='{{}}x2', gt='{{}}')))
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder, *names, size=(40, 30)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(png(len(name), size))


def prepare(*args) -> int:
    return run_tool('prepare_data', 'shards', *args)


def content(folder) -> dict:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_of_photos(folder, capsys):
    files(folder / 'photos', 'a.png', 'b.png', 'v1.2.png')
    assert prepare('--source', 'photos', '--out', 'out/train',
                   '--per-shard', 2) == 0
    assert ("urls='out/train-{00000..00001}.tar'" in
            (out := capsys.readouterr().out))
    assert "1 names have dots" in out and "'v1_2'" in out
    with tarfile.open('out/train-00001.tar') as archive:
        assert archive.getnames() == ['v1_2.gt.png']
    dataset = ShardDataset('out/train-*.tar', pipeline=LOAD[1:])
    plain = CleanImageDataset('photos', pipeline=LOAD[1:])
    assert [(a['gt'] == b['gt']).all() for a, b in zip(dataset, plain)] == [
        True] * 3


def test_folder_of_pairs_by_size(folder):
    for side in ('input', 'target'):
        files(folder / 'x' / side, *(f'{i}.png' for i in range(6)))
    assert prepare('--source', 'x', '--out', 'out/p', '--max-size',
                   0.02) == 0
    sizes = [path.stat().st_size for path in (folder / 'out').glob('*.tar')]
    assert len(sizes) > 1 and max(sizes) <= 0.02 * 2**20 + 10240
    dataset = ShardDataset('out/p-*.tar', pipeline=LOAD)
    assert len(dataset) == 6
    for one, other in zip(dataset, PairedImageDataset('x', pipeline=LOAD)):
        assert all((one[key] == other[key]).all() for key in ('img', 'gt'))


def test_names_of_pairs_and_configs(folder):
    files(folder / 'x' / 'low', 'ax2.png', size=(20, 15))
    files(folder / 'x' / 'high', 'a.png')
    (folder / 'config.py').write_text(CONFIG.format('x'))
    assert prepare('--config', 'config.py', '--out', 'one') == 0
    assert len(ShardDataset('one-00000.tar', scale=2)) == 1
    files(folder / 'y', '1_hazy.png', '1_GT.png')
    assert prepare('--source', 'y', '--pairs', '{}_hazy', '{}_GT', '--out',
                   'two') == 0
    assert ShardDataset('two-00000.tar')[0]['img_path'].endswith(
        '1_hazy.input.png')


def test_packing_continues(folder, capsys):
    """After a kill: a shard without index, and a part of a shard."""
    files(folder / 'x', *(f'{i}.png' for i in range(6)))
    args = '--source', 'x', '--out', 'out/t', '--per-shard', 2
    assert prepare(*args) == 0
    whole = content(folder / 'out')
    assert len(whole) == 6
    (folder / 'out' / 't-00002.tar').unlink()
    (folder / 'out' / 't-00002.tar.npz').unlink()
    (folder / 'out' / 't-00001.tar.npz').unlink()
    (folder / 'out' / 't-00002.tar.part').write_bytes(b'half')
    assert prepare(*args) == 0
    assert '2 of them from an earlier run' in capsys.readouterr().out
    assert content(folder / 'out') == whole


def test_other_shards_are_not_overwritten(folder, error):
    files(folder / 'x', *(f'{i}.png' for i in range(4)))
    args = 'prepare_data', 'shards', '--source', 'x', '--out', 'out/t'
    assert run_tool(*args, '--per-shard', 2) == 0
    before = content(folder / 'out')
    for number in (1, 3):
        assert 'not overwritten' in error(*args, '--per-shard', number)
    assert 'not overwritten' in error(*args)
    files(folder / 'x', '0.png', size=(41, 30))
    assert "'out/t-00000.tar': other shards" in error(
        *args, '--per-shard', 2)
    assert content(folder / 'out') == before


def test_wrong_arguments(folder, error):
    files(folder / 'x', 'a.png')
    write_tar(folder / 'a.tar', pairs('a'))
    tool = 'prepare_data', 'shards'
    for args, message in (
            (('--source', 'x'), '--out is required'),
            (('--source', 'x', '--out', 's3://b/t'), 'not a local path'),
            (('--source', 'x', '--out', 'o', '--per-shard', 0), 'at least 1'),
            (('--source', 'x', '--config', 'c', '--out', 'o'), 'one of'),
            (('--out', 'o'), 'give one folder'),
            (('--source', 'nix', '--out', 'o'), 'is not a folder'),
            (('--config', 'c', '--pairs', 'a', 'b', '--out', 'o'),
             '--pairs has no effect'),
            (('--source', 'a.tar', '--out', 'o'), '--out has no effect'),
            (('--source', 'b.tar'), "'b.tar' does not exist"),
            (('--source', 'b-{0..1}.tar'), 'does not exist')):
        assert message in error(*tool, *args)
    assert sorted(os.listdir()) == ['a.tar', 'a.tar.npz', 'x']


def test_indexing(folder, capfd, error):
    for i in range(2):
        write_tar(folder / f'x-{i}.tar', pairs(f'{i}') | {
            f'{i}.json': b'{}'}, index=False)
    write_tar(folder / 'x-2.tar', {'2.input.png': png(1)[:-40],
                                   '2.target.png': png(2)}, index=False)
    args = 'prepare_data', 'shards', '--source', 'x-{0..2}.tar'
    assert run_tool(*args) == 0
    out = capfd.readouterr().out
    assert '3 shard(s) with 3 keys indexed, 0 had an index' in out
    assert "2 members are not images" in out and "'0.json'" in out
    assert '1 images cannot be read' in out and '2.input.png' in out
    before = content(folder)
    assert run_tool(*args) == 0
    assert '0 keys indexed, 3 had' in capfd.readouterr().out
    assert content(folder) == before
    write_tar(folder / 'x-1.tar', pairs('1', '5'), index=False)  # changed
    assert run_tool(*args) == 0
    assert '1 shard(s) with 2 keys' in capfd.readouterr().out
    (folder / 'x-0.tar.npz').write_text('mine')
    assert 'damaged or not an index' in error(*args)
    assert (folder / 'x-0.tar.npz').read_text() == 'mine'


def test_indexing_in_an_object_store(folder):
    import fsspec
    path = write_tar(folder / 'a.tar', pairs('a', 'b'))
    with object_store():
        fs = fsspec.filesystem('s3')
        fs.put(str(path), f'{BUCKET}/a.tar')
        assert prepare('--source', f'{BUCKET}/*.tar') == 0
        assert fs.cat_file(f'{BUCKET}/a.tar.npz') == (
            folder / 'a.tar.npz').read_bytes()


def test_benchmark_compares_the_same_images(folder):
    files(folder / 'x', *(f'{i}.png' for i in range(11)), size=(96, 96))
    assert run_tool('benchmark', 'shards', 'quickstart/derain', '--data', 'x',
                    '--images', 3, '--repeats', 2, '--members', 20, '--out',
                    'out.json') == 0
    found = json.loads((folder / 'out.json').read_text())
    rows = found['rows']
    assert found['opening_s'] > 0
    assert set(rows) == {'loading', 'pipeline'}
    for row in rows.values():
        assert min(row['folder'], row['shards'], row['ratio']) > 0


def test_tar_has_no_owner_or_time(folder):
    files(folder / 'x', 'a.png')
    assert prepare('--source', 'x', '--out', 't') == 0
    with tarfile.open('t-00000.tar') as archive:
        info, = archive
        assert (info.uid, info.mtime, info.uname) == (0, 0, '')
        assert io.BytesIO((folder / 'x' / 'a.png').read_bytes()).read() == (
            archive.extractfile(info).read())
