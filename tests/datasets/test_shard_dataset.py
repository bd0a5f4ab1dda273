"""ShardDataset, its addresses and its index."""
import io
import multiprocessing
import os
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from irsde_mm.datasets import PairedImageDataset, ShardDataset
from irsde_mm.errors import DataError, ImageError
from irsde_mm.io import shards as reading
from irsde_mm.io.addresses import expand
from irsde_mm.io.reader import read_image
from irsde_mm.io.shard_index import ShardIndex, index_path, split_name
from irsde_mm.io.shard_writing import make_index
from shards import BUCKET, damage, object_store, pairs, png, write_tar

LOAD = [dict(type='irsde_mm.LoadImage', key=key) for key in ('img', 'gt')]
PACKED = [*LOAD, dict(type='mmagic.PackInputs')]


@pytest.fixture(autouse=True)
def shards(tmp_path, monkeypatch):
    """Work in a folder with two shards of pairs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, '_SHARDS', {})
    write_tar(tmp_path / 'data' / 'train-0.tar', pairs('b', 'a'))
    write_tar(tmp_path / 'data' / 'train-1.tar', pairs('d/c', 'd/e', 'f'))
    yield 'data/train-{0..1}.tar'
    reading.close_shards()


def equal(one: dict, other: dict) -> bool:
    return torch.equal(one['inputs'], other['inputs']) and torch.equal(
        one['data_samples'].gt_img, other['data_samples'].gt_img)


def test_samples_of_pairs(shards):
    dataset = ShardDataset(shards)
    assert [info['gt_path'] for info in dataset] == [
        f'shard://data/train-{n}.tar/{key}.target.png'
        for n, key in ((0, 'a'), (0, 'b'), (1, 'd/c'), (1, 'd/e'), (1, 'f'))]
    assert dataset[1]['img_path'] == 'shard://data/train-0.tar/b.input.png'
    assert dataset[1]['scale'] == 1 and dataset[1]['sample_idx'] == 1
    assert len(ShardDataset(shards, indices=3)) == 3
    assert ShardDataset(shards, indices=[4, 1])[0]['gt_path'].endswith(
        '/f.target.png')
    assert len(dataset.get_subset([0, 2])) == 2


@pytest.mark.parametrize('kind', ['irsde_mm.LoadImage',
                                  'mmagic.LoadImageFromFile'])
def test_pixels_are_those_of_a_folder(shards, tmp_path, kind):
    content = pairs('a', 'b')
    for name, data in content.items():
        path = tmp_path / name.split('.')[1] / f'{name[0]}.png'
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    steps = [dict(step, type=kind) for step in LOAD] + PACKED[2:]
    folder = PairedImageDataset(str(tmp_path), pipeline=steps)
    dataset = ShardDataset('data/train-0.tar', pipeline=steps)
    assert len(dataset) == len(folder) == 2
    assert all(map(equal, dataset, folder))


def test_clean_images(tmp_path):
    write_tar(tmp_path / 'gt.tar', {
        'a.gt.jpg': png(1, kind='JPEG'), 'b.gt.png': png(2), 'b.json': b'{}',
        '._b.gt.png': b'macOS'})
    write_tar(tmp_path / 'plain.tar', {'a.jpg': png(3, kind='JPEG'),
                                       'a.txt': b'text', 'B.PNG': png(4)})
    assert [set(info) for info in ShardDataset('gt.tar')] == 2 * [
        {'gt_path', 'scale', 'max_pixels', 'sample_idx'}]
    plain = ShardDataset('plain.tar', pipeline=LOAD[1:])
    assert [info['gt'].shape for info in plain] == 2 * [(30, 40, 3)]
    with pytest.raises(DataError, match='no images of the field .hq.'):
        ShardDataset('gt.tar', fields=dict(gt='hq'))


def test_other_fields(tmp_path):
    write_tar(tmp_path / 'x.tar', {
        f'a.{field}.png': png(i, (8 * i, 8 * i))
        for i, field in enumerate(('lq', 'gt', 'input'), 1)})
    fields = dict(img='lq', gt='gt')
    dataset = ShardDataset('x.tar', fields=fields, scale=2)
    assert dataset[0]['img_path'].endswith('a.lq.png')
    with pytest.raises(DataError, match='a.lq.png. is 8x8 but its target 16'):
        ShardDataset('x.tar', fields=fields)
    with pytest.raises(DataError, match="'gt', 'input', 'lq': choose with"):
        ShardDataset('x.tar')
    with pytest.raises(ValueError, match="fields must have 'gt'"):
        ShardDataset('x.tar', fields=dict(img='lq'))


@pytest.mark.parametrize('name, parts', [
    ('a/b.c.png', ('a/b', 'c', 'png')), ('b.JPG', ('b', '', 'JPG')),
    ('./x.INPUT.png', ('./x', 'input', 'png')),
    ('b.one.two.png', ('b', 'one.two', 'png')), ('v1.0/a.gt.png', (
        'v1.0/a', 'gt', 'png')),
    ('b.cls', None), ('.a.png', None), ('png', None), ('a\nb.png', None)])
def test_names_follow_webdataset(name, parts):
    assert split_name(name) == parts


def test_patterns(tmp_path):
    assert expand('a-{08..11}.tar') == [
        f'a-{n}.tar' for n in ('08', '09', '10', '11')]
    assert expand(['{a,b}-{1..2}.tar', 'c']) == [
        'a-1.tar', 'a-2.tar', 'b-1.tar', 'b-2.tar', 'c']
    assert expand('data/train-?.tar') == ['data/train-0.tar',
                                          'data/train-1.tar']


@pytest.mark.parametrize('urls, message', [
    ('data/train-{0..2}.tar', "1 problem.*'data/train-2.tar' does not exist"),
    ('data/none-*.tar', "no file matches 'data/none-\\*.tar'"),
    ('data/train-{1..0}.tar', 'matches nothing; write a range'),
    ('data/train-{0-1}.tar', 'matches nothing; write a range'),
    ('data/train-{0..1.tar', 'the braces of .* do not match'),
    (['data/train-0.tar', 'data/train-?.tar'], 'is listed twice'),
    ([], 'no address is given'), ('data', "'data' does not end in '.tar'"),
    ('nix://a/b.tar', "'nix://a/b.tar' cannot be read .*not known")])
def test_wrong_addresses(urls, message):
    """Also with lazy_init, as checked before the models are built."""
    with pytest.raises(DataError, match=message) as error:
        ShardDataset(urls, lazy_init=True)
    assert '\n' not in str(error.value)


def refused(urls, *parts, **options):
    with pytest.raises(DataError) as error:
        ShardDataset(urls, **options)
    for part in parts:
        assert part in str(error.value), error.value
    assert '\n' not in str(error.value)


def test_indexes_that_do_not_fit(shards, tmp_path):
    command = ("Make the indexes: python tools/prepare_data.py shards "
               f"--source '{shards}'")
    index = tmp_path / 'data' / 'train-0.tar.npz'
    whole = index.read_bytes()
    index.unlink()
    refused(shards, "'data/train-0.tar' has no index", command,
            'Ask.', hint='Ask.')
    for content in (whole[:-100], b'', whole[:200] + b'xxx' + whole[203:]):
        index.write_bytes(content)
        refused(shards, "train-0.tar.npz' is damaged or not an index", command)
    np.savez(tmp_path / 'other.npz', a=np.zeros(3))
    index.write_bytes((tmp_path / 'other.npz').read_bytes())
    refused(shards, "train-0.tar.npz' is damaged or not an index", command)
    index.write_bytes(whole)
    write_tar(tmp_path / 'data' / 'train-0.tar', pairs('a', 'b', 'z'), False)
    refused(shards, 'bytes, but its index is of a shard of', command)
    members = {name: png(99, (41, 30)) for name in pairs('b', 'a')}
    write_tar(tmp_path / 'data' / 'train-0.tar', members, False)
    size = os.path.getsize('data/train-0.tar')
    found = ShardIndex.from_bytes(whole)
    found.shard_size = np.int64(size)  # the same size by chance
    index.write_bytes(found.to_bytes())
    refused(shards, "'data/train-0.tar' is not the shard of its index",
            command)


def test_arrays_of_an_index_belong_together():
    index = make_index('data/train-0.tar').index
    for name, value in (
            ('offset', index.offset + 10**9), ('size', -index.size),
            ('crc', index.crc[1:]), ('sample', index.sample + 5),
            ('field', index.field + 5), ('format', np.int64(2)),
            ('names', index.names[:-3])):
        other = ShardIndex.from_bytes(index.to_bytes())
        setattr(other, name, value)
        with pytest.raises(ValueError):
            ShardIndex.from_bytes(other.to_bytes())


def test_members_that_do_not_fit(tmp_path):
    some = pairs('a', 'b')
    del some['a.target.png']
    write_tar(tmp_path / 'x.tar', some)
    refused('x.tar', "'shard://x.tar/a.input.png' has no partner 'target'")
    write_tar(tmp_path / 'y.tar', pairs('a'))
    refused(['data/train-0.tar', 'y.tar'], "the key 'a' is in "
            "'data/train-0.tar' and in 'y.tar'")
    write_tar(tmp_path / 'x.tar', pairs('a') | {'a.input.png': png(1, (9, 9))})
    refused('x.tar', 'a.input.png', 'is 9x9 but its target 40x30')
    refused('y.tar', 'a.target.png', 'is 40x30, below 31', min_size=31)
    refused('y.tar', 'has more than 1,000 pixels', max_pixels=1000)


@pytest.mark.parametrize('members, message', [
    ({}, 'has no images'), ({'a.txt': b'x'}, 'has no images'),
    ({'a.gt.png': png(0), 'a.gt.jpg': png(1)}, "'a.gt.jpg' and 'a.gt.png' "
     'have the same key')])
def test_tar_files_that_cannot_be_indexed(tmp_path, members, message):
    path = write_tar(tmp_path / 'x.tar', members, index=False)
    with pytest.raises(DataError, match=message):
        make_index(str(path))


@pytest.mark.parametrize('size, message', [
    (1000, 'end of data.*copy it'), (-700, 'end of data.*copy it'),
    (0, 'a shard is an uncompressed tar')])
def test_truncated_tar_files(tmp_path, size, message):
    path = write_tar(tmp_path / 'x.tar', pairs('a'), index=False)
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    end = last.offset_data + last.size
    os.truncate(path, size if size >= 0 else end + size)
    with pytest.raises(DataError, match=message):
        make_index(str(path))


def test_compressed_tar_files(tmp_path):
    import gzip
    path = tmp_path / 'x.tar'
    path.write_bytes(gzip.compress((tmp_path / 'data/train-0.tar')
                                   .read_bytes()))
    with pytest.raises(DataError, match='a shard is an uncompressed tar'):
        make_index(str(path))


def test_damaged_members_are_replaced_or_stop(shards, tmp_path):
    """In training, the next sample replaces the damaged one."""
    whole = ShardDataset(shards, pipeline=PACKED)
    damage(tmp_path / 'data' / 'train-0.tar', 'b.target.png')
    reading.close_shards()
    name = 'shard://data/train-0.tar/b.target.png'
    with pytest.raises(ImageError, match=re.escape(f"'{name}' is damaged")):
        ShardDataset(shards, pipeline=PACKED, test_mode=True)[1]
    dataset = ShardDataset(shards, pipeline=PACKED, max_skipped=1)
    item = dataset[1]
    assert equal(item, whole[2]) and not equal(item, whole[3])
    skipped, = item['data_samples'].skipped
    assert name in skipped
    damage(tmp_path / 'data' / 'train-1.tar', 'f.target.png')
    with pytest.raises(DataError, match='more than max_skipped=1'):
        dataset[4]


def test_truncated_and_removed_shards(shards, tmp_path):
    """After the start."""
    dataset = ShardDataset(shards, pipeline=PACKED, max_skipped=9)
    reading.close_shards()
    os.truncate(tmp_path / 'data' / 'train-0.tar', 900)
    assert len(dataset[0]['data_samples'].skipped) == 2
    reading.close_shards()
    (tmp_path / 'data' / 'train-0.tar').unlink()
    assert 'does not exist' in dataset[0]['data_samples'].skipped[0]


def test_images_damaged_when_indexed(tmp_path):
    half = png(1)[:-60]
    path = write_tar(tmp_path / 'x.tar', {'a.gt.png': half, 'b.gt.png':
                                          png(2)})
    assert len(make_index(str(path)).damaged) == 1
    refused('x.tar', 'a.gt.png', 'could not be read when it was indexed')
    steps = [LOAD[1], dict(type='irsde_mm.GaussianNoise', sigma=0.),
             PACKED[-1]]
    dataset = ShardDataset('x.tar', max_skipped=1, pipeline=steps)
    assert len(dataset[0]['data_samples'].skipped) == 1


def test_cache_is_bounded_and_shared(shards, tmp_path, monkeypatch):
    options = dict(pipeline=PACKED, cache_file='cache.lmdb')
    plain = ShardDataset(shards, pipeline=PACKED)
    dataset = ShardDataset(shards, cache_mb=1, **options)
    assert all(map(equal, dataset, plain))
    monkeypatch.setattr(reading, '_read_local', None)  # not called
    assert all(map(equal, dataset, plain))
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    small = ShardDataset(shards, **dict(options, cache_file='small.lmdb'),
                         cache_mb=0.03)
    assert all(map(equal, small, plain))
    assert os.path.getsize('small.lmdb') <= 0.03 * 2**20 + 4096
    with pytest.raises(ValueError, match='belong together'):
        ShardDataset(shards, cache_mb=1)


def test_damaged_cache_entries_are_read_again(shards):
    options = dict(pipeline=PACKED, cache_file='cache.lmdb', cache_mb=1)
    dataset = ShardDataset(shards, **options)
    first = dataset[0]
    shard = dataset.shards[0]
    put, get = shard.cache.put, shard.cache.get
    shard.cache.put = lambda key, value: put(key, value[:-1] + b'x')
    shard.cache.get = lambda key: None
    for row in range(len(shard.index)):
        shard.read(row)
    shard.cache.put, shard.cache.get = put, get
    assert equal(dataset[0], first)


def test_cache_of_decoded_images(shards):
    load = [dict(step, cache_mb=1, cache_file='images.lmdb') for step in LOAD]
    dataset = ShardDataset(shards, pipeline=[*load, PACKED[-1]])
    first = dataset[0]
    assert equal(dataset[0], first)


@pytest.mark.parametrize('start', [
    'fork', pytest.param('spawn', marks=pytest.mark.slow)])
def test_data_workers(shards, start):
    dataset = ShardDataset(shards, pipeline=PACKED)
    dataset[0]  # opens a file in this process
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=None, num_workers=1,
        multiprocessing_context=multiprocessing.get_context(start))
    assert all(map(equal, loader, ShardDataset(shards, pipeline=PACKED)))


def test_open_files_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, 'MAX_FILES', 2)
    for i in range(5):
        write_tar(tmp_path / f'x-{i}.tar', {f'{i}.gt.png': png(i)})
    dataset = ShardDataset('x-*.tar', pipeline=LOAD[1:])
    for i in (0, 3, 1, 0, 4, 2):
        assert dataset[i]['gt'].shape
        assert len(reading._FILES) <= 2


def test_addresses_are_read_by_themselves(shards):
    """Without a dataset."""
    image = read_image('shard://data/train-0.tar/a.target.png')
    assert image.shape == (30, 40, 3)
    with pytest.raises(ImageError, match="has no image 'x.png'"):
        read_image('shard://data/train-0.tar/x.png')


def test_object_store(shards, tmp_path):
    """Shards in S3 give the same samples, in this process and in workers."""
    import fsspec
    local = ShardDataset(shards, pipeline=PACKED)
    with object_store():
        fs = fsspec.filesystem('s3')
        for path in sorted((tmp_path / 'data').iterdir()):
            fs.put(str(path), f'{BUCKET}/{path.name}')
        url = f'{BUCKET}/train-{{0..1}}.tar'
        assert expand(f'{BUCKET}/train-*.tar') == expand(url)
        dataset = ShardDataset(url, pipeline=PACKED, cache_mb=1,
                               cache_file='cache.lmdb')
        assert all(map(equal, dataset, local))
        loader = torch.utils.data.DataLoader(
            ShardDataset(url, pipeline=PACKED), batch_size=None,
            num_workers=2)
        assert all(map(equal, loader, local))
        refused(f'{BUCKET}/train-2.tar', 'does not exist')
        refused('s3://nix/train-*.tar', "'s3://nix/train-*.tar'")
        fs.rm(f'{BUCKET}/train-0.tar.npz')
        refused(url, 'has no index')
        assert make_index(f'{BUCKET}/train-0.tar').index.to_bytes() == (
            tmp_path / index_path('data/train-0.tar')).read_bytes()


def test_servers_that_fail(shards, monkeypatch):
    """A server that answers at last changes nothing; an outage stops, since
    skipped images would change what is trained."""
    import fsspec
    memory = fsspec.filesystem('memory')
    for path in ('train-0.tar', 'train-0.tar.npz'):
        memory.pipe_file(f'/x/{path}', Path(f'data/{path}').read_bytes())
    dataset = ShardDataset('memory://x/train-0.tar', pipeline=PACKED,
                           max_skipped=5)
    failures = [OSError('500'), TimeoutError(), PermissionError('403')]
    read, waits = memory.cat_file, []

    def failing(*args, **kwargs):
        if failures:
            raise failures.pop()
        return read(*args, **kwargs)

    monkeypatch.setattr(type(memory), 'cat_file', staticmethod(failing))
    monkeypatch.setattr(reading.time, 'sleep', waits.append)
    with pytest.raises(DataError, match='500.*after 3 tries.*--resume') as e:
        dataset[0]
    assert not isinstance(e.value, ImageError) and waits == [0, 1, 4]
    failures.append(OSError('503 slow down'))
    assert equal(dataset[0], ShardDataset('data/train-0.tar',
                                          pipeline=PACKED)[0])


def test_index_is_deterministic():
    first, second = (make_index('data/train-1.tar').index.to_bytes()
                     for _ in range(2))
    assert first == second
    with np.load(io.BytesIO(first)) as file:  # as documented
        assert file['names'].tobytes().decode().split('\n')[0] == (
            'd/c.input.png')
        assert file['width'].tolist() == [40] * 6
