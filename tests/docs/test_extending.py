"""The pages about extending are complete examples that run."""
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import test_pages
import torch
from blocks import blocks_of, commands_of
from conftest import ROOT, run_tool
from irsde_mm.apis.edit_models import model_from_config
from irsde_mm.apis.export import export
from irsde_mm.config.files import load_config
from irsde_mm.registry import find
from mmagic.structures import DataSample

EXAMPLES = [path for path in sorted((ROOT / 'docs/extending').glob('*.md'))
            if path.stem != 'index']
SHORT = ['--cfg-options', 'train_dataloader.batch_size=2',
         'train_cfg.max_iters=2', 'val_dataloader.dataset.indices=1',
         'test_dataloader.dataset.indices=1']


@pytest.fixture(autouse=True)
def forget(tmp_path):
    """Unregister a page's components after its test."""
    yield
    own = {name for name, module in sys.modules.items()
           if str(getattr(module, '__file__', '')).startswith(str(tmp_path))}
    for node in test_pages.NODES:
        for name, component in list(node.module_dict.items()):
            if component.__module__ in own:
                del node.module_dict[name]
    for name in own:
        del sys.modules[name]


@pytest.fixture
def place(tmp_path, monkeypatch, photo) -> Path:
    place = tmp_path / 'page'
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, 'path', [str(place), *sys.path])
    shutil.copy(photo, 'photo.jpg')
    return place


@pytest.mark.parametrize('page', EXAMPLES, ids=lambda path: path.stem)
def test_components(page, place, trained):
    """The files and checks of a page run, and its config builds."""
    shutil.copytree(trained, place / 'work_dirs' / 'derain')
    files, namespace = [], {}
    for block in blocks_of(page):
        if block.file:
            Path(block.file).write_text(block.text)
            files.append(block)
        elif block.language == 'python':
            block.run(namespace)
    source, config = files
    assert source.text.count('.register_module()') == 1
    cfg = load_config(config.file)
    assert cfg.custom_imports.imports == Path(source.file).stem
    test_pages.build(cfg)
    assert train_once(cfg) > 0
    new = [f'irsde_mm.{cls}' for cls in dir(sys.modules[
        cfg.custom_imports.imports]) if any(
            find(node, f'irsde_mm.{cls}') and f'irsde_mm.{cls}'
            in config.text for node in test_pages.NODES)]
    assert len(new) == 1


def train_once(cfg) -> float:
    """Return the loss of a training step on noise, after a check that all
    weights get gradients."""
    model = test_pages.component(cfg.model)
    clean, degraded = torch.rand(2, 2, 3, 24, 24)
    loss = model.forward_train(degraded, DataSample(gt_img=clean))['loss']
    loss.backward()
    assert all(weight.grad is not None for weight in model.parameters())
    return float(loss.detach())


def test_export_with_a_custom_loss(place):
    """The exported file gives identical results without the loss."""
    for block in blocks_of(ROOT / 'docs/extending/loss.md'):
        if block.file:
            Path(block.file).write_text(block.text)
    cfg = load_config('my_loss.py', {'model.generator.width': 4})
    model = model_from_config(cfg)
    assert type(model.pixel_loss).__name__ == 'MinSNRLoss'
    export(model, place / 'mine.safetensors', 'mine')
    code = """
import sys
import numpy as np
from irsde_mm.inference import RestorationPipeline
pipeline = RestorationPipeline.from_file('mine.safetensors')
np.save('restored.npy', pipeline('photo.jpg', steps=2, seed=1))
assert not {'min_snr', 'mmengine', 'mmagic'} & set(sys.modules)
"""
    subprocess.run([sys.executable, '-c', code], check=True)
    assert (np.load('restored.npy') == model.pipeline(
        'photo.jpg', steps=2, seed=1)).all()


@pytest.mark.slow
@pytest.mark.parametrize('page', EXAMPLES, ids=lambda path: path.stem)
def test_whole_page(page, place, tmp_path):
    """Files, Python and commands run in order, with short trainings."""
    namespace, number = {}, 0
    photos(place / 'photos')
    for i, block in enumerate(blocks_of(page)):
        if block.file:
            Path(block.file).write_text(block.text)
        elif block.language == 'python':
            block.run(namespace)
        elif block.language == 'bash':
            for command in commands_of(block, tmp_path / str(i)):
                run(*command)
                number += 1
    assert number >= 2
    results = [*place.rglob('iter_2.pth'), *place.rglob('20*/*.json')]
    assert len(results) >= 2


def run(program: str, tool: str, *args: str) -> None:
    """Run a documented command with two iterations and one image."""
    args = [arg.replace('iter_1600', 'iter_2') for arg in args]
    if tool in ('tools/train.py', 'tools/test.py'):
        options = [o for o in SHORT if '--data' not in args
                   or 'dataset.indices' not in o]
        args += options
    if tool != 'tools/benchmark.py':  # takes minutes
        assert run_tool(Path(tool).stem, *args) == 0, args


def photos(folder: Path) -> None:
    from skimage import data, io
    folder.mkdir()
    for name in ('astronaut', 'chelsea', 'coffee'):
        io.imsave(folder / f'{name}.png',
                  getattr(data, name)()[100:180, 100:180])


def test_components_beside_a_config(tmp_path, monkeypatch, error):
    """They are imported from any folder, and a missing one is named."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    mine = tmp_path / 'mine'
    mine.mkdir()
    (mine / 'extending_empty.py').write_text('import registered_elsewhere')
    (mine / 'registered_elsewhere.py').touch()
    text = ("_base_ = 'irsde_mm::quickstart/derain.py'\n"
            "custom_imports = dict(imports=['{}'])\n")
    (mine / 'here.py').write_text(text.format('extending_empty'))
    assert load_config(str(mine / 'here.py')).model
    assert {'extending_empty', 'registered_elsewhere'} <= set(sys.modules)
    (mine / 'gone.py').write_text(text.format('no_such_component'))
    message = error('train', mine / 'gone.py', '--work-dir', tmp_path / 'w')
    assert "No module named 'no_such_component'" in message
    assert 'next to the config' in message
