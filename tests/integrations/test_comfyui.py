"""The nodes for ComfyUI, against stubs of its conventions."""
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from conftest import ROOT, run_tool
from irsde_mm.errors import CheckpointError, DataError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.model_files import bundled_models
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.sde import IRSDE, CleanOutput

FOLDER = ROOT / 'integrations' / 'comfyui'
OPTIONS = dict(steps=1, seed=3, crispness=1., tile='auto')


def folder_paths_stub(models: Path) -> ModuleType:
    """The functions of ComfyUI's folder_paths that custom nodes call."""
    stub = ModuleType('folder_paths')
    stub.models_dir = str(models)
    stub.folder_names_and_paths = {}

    def files(kind: str) -> dict:
        folders, extensions = stub.folder_names_and_paths[kind]
        return {str(path.relative_to(folder)): str(path)
                for folder in folders for path in Path(folder).rglob('*')
                if path.suffix.lower() in extensions}

    stub.get_filename_list = lambda kind: sorted(files(kind))
    stub.get_full_path = lambda kind, name: files(kind).get(name)
    return stub


@pytest.fixture
def models(tmp_path) -> Path:
    folder = tmp_path / 'models' / 'irsde_mm'
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def nodes(models, monkeypatch) -> dict:
    """NODE_CLASS_MAPPINGS of the folder, loaded as ComfyUI does."""
    monkeypatch.setitem(sys.modules, 'folder_paths',
                        folder_paths_stub(models.parent))
    spec = importlib.util.spec_from_file_location(
        'custom_node', FOLDER / '__init__.py')
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, 'custom_node', module)
    spec.loader.exec_module(module)
    yield module.NODE_CLASS_MAPPINGS
    sys.modules.pop('custom_node.nodes', None)


def pipeline(channels: int = 3) -> RestorationPipeline:
    torch.manual_seed(1)
    network = ConditionalNAFNet(img_channels=channels, width=4,
                                enc_blocks=[1], dec_blocks=[1])
    for p in network.parameters():  # some layers are initialized to zero
        p.data += 0.05 * torch.randn_like(p)
    return RestorationPipeline(network.eval(), IRSDE(0.2), 'fast',
                               CleanOutput())


def run_node(nodes: dict, kind: str, **inputs) -> tuple:
    """Call a node with inputs that its declaration allows."""
    cls = nodes[kind]
    declared = cls.INPUT_TYPES()['required']
    assert set(inputs) == set(declared)
    for name, value in inputs.items():
        kind, *options = declared[name]
        if kind in ('INT', 'FLOAT'):
            assert options[0]['min'] <= value <= options[0]['max']
        elif not isinstance(kind, str):
            assert value in kind
    outputs = getattr(cls(), cls.FUNCTION)(**inputs)
    assert len(outputs) == len(cls.RETURN_TYPES)
    return outputs


def test_declarations(nodes):
    """The form that ComfyUI sends to its page as JSON."""
    for cls in nodes.values():
        declared = cls.INPUT_TYPES()
        json.dumps(declared)
        assert callable(getattr(cls, cls.FUNCTION))
        assert all(isinstance(kind, str) for kind in cls.RETURN_TYPES)
    titles = sys.modules['custom_node'].NODE_DISPLAY_NAME_MAPPINGS
    assert titles.keys() == nodes.keys()


def test_models_in_the_list(nodes, models, trained):
    """Bundled ones, exported files, and folders of the Hub."""
    assert run_tool('export', trained, '--out',
                    models / 'rain.safetensors') == 0
    first = RestorationPipeline.from_file(models / 'rain.safetensors', 'cpu')
    first.save_pretrained(models / 'saved')
    names = nodes['IRSDELoadModel'].INPUT_TYPES()['required']['task'][0]
    assert names == [*bundled_models(), 'rain.safetensors',
                     'saved/model.safetensors']
    image = torch.rand(1, 16, 16, 3)
    expected = first(image.movedim(-1, 1), steps=1, seed=3)
    for name in names[-2:]:
        model, = run_node(nodes, 'IRSDELoadModel', task=name)
        found, = run_node(nodes, 'IRSDERestore', model=model, image=image,
                          **OPTIONS)
        assert torch.equal(found, expected.movedim(1, -1).cpu())
    with pytest.raises(CheckpointError, match='no file'):
        nodes['IRSDELoadModel']().load('gone.safetensors')


def test_batches(nodes):
    """Each image has the result of restoring it alone, also in parts."""
    model, image = pipeline(), torch.rand(5, 13, 18, 3)
    assert len(model.in_batches([(1024, 1024)] * 5)) == 5
    whole, = run_node(nodes, 'IRSDERestore', model=model, image=image,
                      **OPTIONS)
    assert whole.shape == image.shape and whole.dtype == torch.float32
    assert whole.is_contiguous()
    assert whole.min() >= 0 and whole.max() <= 1
    for i in range(5):
        alone = model(image[i].movedim(-1, 0), steps=1, seed=3)
        assert torch.allclose(whole[i], alone.movedim(0, -1), atol=1e-5)
    model.in_batches = lambda sizes: [[0, 1], [2], [3, 4]]
    parts, = run_node(nodes, 'IRSDERestore', model=model, image=image,
                      **OPTIONS)
    assert torch.allclose(whole, parts, atol=1e-5)


def test_options_reach_the_model(nodes):
    model, image = pipeline(), torch.rand(1, 16, 16, 3)

    def restored(**changes):
        return run_node(nodes, 'IRSDERestore', model=model, image=image,
                        **{**OPTIONS, 'steps': 3, **changes})[0]

    assert torch.equal(restored(), restored())
    for changes in (dict(seed=4), dict(steps=5), dict(crispness=0.)):
        assert not torch.equal(restored(), restored(**changes)), changes
    chosen = model(image.movedim(-1, 1), seed=3).movedim(1, -1)
    assert torch.equal(restored(steps=0), chosen)
    seen = []
    model.calls.session, session = lambda tile: (
        seen.append(tile), session(tile))[1], model.calls.session
    for tile in ('auto', 'off', '256'):
        restored(tile=tile)
    assert seen == ['auto', 'off', 256]


def test_images_that_cannot_be_used(nodes):
    gray = pipeline(channels=1)
    image = torch.rand(2, 8, 8, 1).expand(-1, -1, -1, 3)
    found, = run_node(nodes, 'IRSDERestore', model=gray, image=image,
                      **OPTIONS)
    assert found.shape == image.shape
    assert torch.equal(found[..., 0], found[..., 2])
    for wrong, match in ((torch.rand(1, 8, 8, 3), 'in color'),
                         (torch.rand(1, 8, 8, 4), r'\(B, H, W, 3\)'),
                         (torch.rand(8, 8, 3), r'\(B, H, W, 3\)')):
        with pytest.raises(DataError, match=match):
            run_node(nodes, 'IRSDERestore', model=gray, image=wrong,
                     **OPTIONS)


def test_workflow(nodes):
    """The graph in the JSON runs, with stubs of ComfyUI's own nodes."""
    graph = json.loads((FOLDER / 'workflow.json').read_text())
    image, saved = torch.rand(1, 24, 16, 3), []
    own = dict(
        LoadImage=lambda values: (image, None),
        SaveImage=lambda values, images: saved.append(images) or ())
    links, results = {link[0]: link for link in graph['links']}, {}
    for node in sorted(graph['nodes'], key=lambda node: node['order']):
        inputs = {}
        for slot, part in enumerate(node['inputs']):
            _, source, output, target, place, kind = links[part['link']]
            assert (target, place, kind) == (node['id'], slot, part['type'])
            inputs[part['name']] = results[source][output]
        values = list(node['widgets_values'])
        if node['type'] in own:
            results[node['id']] = own[node['type']](values, **inputs)
            continue
        cls = nodes[node['type']]
        assert [part['type'] for part in node['outputs']] == list(
            cls.RETURN_TYPES)
        for name, (_, *options) in cls.INPUT_TYPES()['required'].items():
            if name not in inputs:
                inputs[name] = values.pop(0)
                if options and options[0].get('control_after_generate'):
                    assert values.pop(0) == 'fixed'
        assert values == []
        results[node['id']] = run_node(nodes, node['type'], **inputs)
    expected = RestorationPipeline.from_bundled('derain')(
        image.movedim(-1, 1), seed=0)
    assert np.array_equal(saved[0], expected.movedim(1, -1).cpu())
