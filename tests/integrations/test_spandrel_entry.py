"""spandrel's loader opens exported files."""
import numpy as np
import pytest
import spandrel
import torch
from conftest import run_tool
from irsde_mm.errors import CheckpointError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.inference.arrays import from_array
from irsde_mm.integrations.spandrel import IRSDEArchitecture, install
from irsde_mm.model_files.exported import (SETTINGS, pack, read_parts,
                                           unpacked, write_exported)
from irsde_mm.models.networks.spandrel import recognizes
from safetensors.torch import load_file, save_file


@pytest.fixture
def loader() -> spandrel.ModelLoader:
    registry = spandrel.MAIN_REGISTRY.copy()
    install(registry)
    install(registry)  # a second time changes nothing
    return spandrel.ModelLoader('cpu', registry)


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    assert run_tool('export', trained, '--out', path) == 0
    return str(path)


def rewritten(path: str, target, **changes: dict) -> str:
    """Write a file with other pipeline settings, as a new export."""
    import json
    weights, texts = read_parts(path)
    pipeline = {**json.loads(texts['pipeline']), **changes}
    texts = {key: text for key, text in texts.items() if key != 'sha256'}
    write_exported(target, weights,
                   dict(texts, pipeline=json.dumps(pipeline)))
    return str(target)


@pytest.fixture
def image() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, 21, 34, generator=generator)


def test_settings_are_also_a_tensor(exported):
    """The same as the metadata; reading leaves it out."""
    tensors = load_file(exported)
    weights, texts = read_parts(exported)
    assert set(tensors) == {*weights, SETTINGS}
    assert torch.equal(tensors[SETTINGS], pack(texts))
    content = unpacked('x', tensors)
    assert content['meta']['exported']['title'] == texts['title']
    assert all(torch.equal(content['state_dict'][key], value)
               for key, value in weights.items())


@pytest.mark.parametrize('output', ['CleanOutput', 'NoiseOutput'])
def test_same_result(loader, exported, tmp_path, image, output):
    """Bit for bit: one call if the output allows it, or else the sampler of
    the file."""
    path = rewritten(exported, tmp_path / 'x.safetensors',
                     output=dict(type=f'irsde_mm.{output}'))
    model = loader.load_from_file(path)
    calls = []
    model.model.pipeline.network.register_forward_hook(
        lambda *_: calls.append(1))
    assert model.architecture.id == 'IRSDE'
    assert (model.purpose, model.scale) == ('Restoration', 1)
    restored = model(image)
    pipeline = RestorationPipeline.from_file(path, 'cpu')
    steps = 1 if output == 'CleanOutput' else None
    want = pipeline.restore_tensor(image, steps=steps, seed=pipeline.seed)
    assert torch.equal(restored, want) and not torch.equal(restored, image)
    assert torch.equal(restored, model(image)), 'the same noise every time'
    if output == 'NoiseOutput':
        assert pipeline.sampler.num_steps > 1


def test_super_resolution(loader, exported, tmp_path, image):
    path = rewritten(exported, tmp_path / 'x.safetensors',
                     upscale=dict(scale=2, mode='bicubic'))
    model = loader.load_from_file(path)
    assert (model.purpose, model.scale) == ('SR', 2)
    assert model(image).shape == (1, 3, 42, 68)


def test_arrays_and_tensors_agree(loader, exported):
    """An image of another tool is the same photo to the pipeline."""
    photo = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    pipeline = RestorationPipeline.from_file(exported, 'cpu')
    model = loader.load_from_file(exported)
    restored = model(from_array(photo, 'RGB', torch.device('cpu'), None)[None])
    want = pipeline(photo, steps=model.model.steps, seed=pipeline.seed)
    found = (255 * restored[0]).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(found[..., ::-1], want)


def test_changed_files(loader, exported, tmp_path):
    """Every part is protected by the checksum."""
    tensors, path = load_file(exported), tmp_path / 'x.safetensors'
    weight = next(key for key in tensors if key.endswith('weight'))
    damaged = dict(tensors, **{weight: tensors[weight] + 1})
    save_file(damaged, path)
    with pytest.raises(CheckpointError, match='checksum'):
        loader.load_from_file(path)
    bad = tensors[SETTINGS].clone()
    for value, message in ((bad[:-1], 'cannot be read'),
                           (bad[:0], 'cannot be read'),
                           (bad.float(), 'cannot be read')):
        save_file(dict(tensors, **{SETTINGS: value}), path)
        with pytest.raises(CheckpointError, match=message):
            loader.load_from_file(path)
    # our own reader sees the metadata, and compares
    texts = read_parts(exported)[1]
    bad[-3] += 1
    save_file(dict(tensors, **{SETTINGS: bad}), path, metadata=texts)
    with pytest.raises(CheckpointError, match='checksum'):
        read_parts(str(path))


def test_other_files_are_not_detected():
    arch = IRSDEArchitecture()
    assert not arch.detect({'generator.conv.weight': torch.zeros(1)})
    assert arch.id == 'IRSDE'


def test_our_files_stay_ours(loader, exported, monkeypatch):
    """With the entry, irsde_mm itself still reads its own files, and reports
    its own errors."""
    monkeypatch.setattr(spandrel, 'MAIN_REGISTRY', loader.registry)
    assert any(entry.detect(load_file(exported))
               for entry in spandrel.MAIN_REGISTRY.architectures())
    assert not recognizes(exported)
