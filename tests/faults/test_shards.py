"""Damaged shards, and shards on servers that fail, while training."""
import itertools
import re
import time
from pathlib import Path

import fsspec
import pytest
from shards import BUCKET, damage, object_store
from training import (assert_equal, finish, lines, outcome, shard_config,
                      start)

SHORT = 'train_cfg.max_iters=6', 'default_hooks.checkpoint.interval=2'


def losses(folder: Path) -> list:
    return [row['loss'] for row in lines(folder)]


@pytest.mark.slow
def test_damaged_members_are_counted(tmp_path, tried):
    """Up to max_skipped of them; training stops at the next one."""
    from conftest import TINY, run_tool
    config = shard_config(tmp_path / 'data')
    whole = (tmp_path / 'data' / 'train-00000.tar').read_bytes()
    for name in ('astronaut', 'brick'):
        damage(tmp_path / 'data' / 'train-00000.tar', f'{name}.gt.png')
    options = [option for option in TINY if 'max_iters' not in option]
    options += [*SHORT, 'train_dataloader.batch_size=8',
                'train_cfg.val_interval=99', 'val_cfg=None',
                'val_dataloader=None', 'val_evaluator=None',
                'default_hooks.checkpoint.save_best=None']
    train = ('train', config, '--work-dir', tmp_path / 'run')
    assert run_tool(*train, '--cfg-options', *options) == 0
    log, = (tmp_path / 'run').glob('*/*.log')
    found = re.findall(r'skipped image \d: (.*)', log.read_text())
    assert len(found) == 2 and all('is damaged' in line for line in found)
    damage(tmp_path / 'data' / 'train-00000.tar', 'camera.gt.png')
    assert run_tool(*train, '--cfg-options', *options) == 2
    (tmp_path / 'data' / 'train-00000.tar').write_bytes(whole[:-30_000])
    assert run_tool(*train, '--cfg-options', *options) == 2
    tried['damaged shard: images skipped and counted, then stopped'] += 1


class Failing:
    """Object store that fails to send every n-th part of a shard, each time
    in another way, or all of them."""

    def __init__(self, every: int = 0) -> None:
        self.every = every
        self.requests = itertools.count(1)
        self.failed = 0

    def __call__(self, environ, start, moto):
        part = environ['REQUEST_METHOD'] == 'GET' and environ[
            'PATH_INFO'].endswith('.tar') and 'HTTP_RANGE' in environ
        if not part or not self.every or next(self.requests) % self.every:
            return moto(environ, start)
        self.failed += 1
        kind = 1 if self.every == 1 else self.failed % 3
        if kind == 0:
            time.sleep(0.3)  # slow
            return moto(environ, start)
        if kind == 1:
            start('500 Internal Server Error', [('Content-Length', '0')])
            return [b'']
        content = b''.join(moto(environ, start))
        return [content[:len(content) // 2]]  # the connection ends early


@pytest.mark.slow
def test_failing_object_store(tmp_path, tried):
    """A store that fails at times changes nothing; an outage stops the
    training, which then resumes bit for bit."""
    local = shard_config(tmp_path / 'data')
    finish(start(tmp_path / 'local', config=str(local), workers=2))
    whole = outcome(tmp_path / 'local')
    store = Failing()
    with object_store(store) as environ:
        fs = fsspec.filesystem('s3')
        for path in (tmp_path / 'data').glob('train-*'):
            fs.put(str(path), f'{BUCKET}/{path.name}')
        config = str(shard_config(tmp_path / 's3', f'{BUCKET}/train-*.tar'))
        store.every = 5
        finish(start(tmp_path / 'at times', config=config, workers=2,
                     **environ))
        assert store.failed >= 10
        assert_equal(outcome(tmp_path / 'at times'), whole)
        folder = tmp_path / 'outage'
        process = start(folder, config=config, workers=2, **environ)
        while len(lines(folder)) < 10 and process.poll() is None:
            time.sleep(0.05)
        store.every = 1
        out = finish(process, code=2)
        error, = re.findall(r'^error: .*', out, re.M)
        assert 'after 3 tries; continue with --resume' in error
        assert 'Traceback' not in out
        assert 10 <= len(losses(folder)) < 40
        store.every = 0
        finish(start(folder, '--resume', config=config, workers=2,
                     **environ))
        assert_equal(outcome(folder), whole)
    tried['object store: failures retried, outage stopped, resumed'] += 1
