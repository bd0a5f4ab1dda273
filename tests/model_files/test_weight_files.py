"""Untrusted weight files: every reader is safe."""
import os
import pickle
import random
import shutil
import zipfile
from contextlib import suppress
from types import SimpleNamespace

import pytest
import torch
import yaml
from conftest import run_tool
from irsde_mm.apis import init_restorer
from irsde_mm.model_files.checkpoints import load_weights, read_checkpoint
from irsde_mm.errors import CheckpointError
from irsde_mm.evaluation import FID, LPIPS
from irsde_mm.io.weights import read_plain
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader, load_checkpoint

FORMS = ('zip', 'legacy', 'pickle', 'meta', 'renamed')


class Evil:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, marker) -> None:
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker, )


def write_evil(folder, form: str, good: dict):
    """Write a file that would create ``folder/executed``."""
    path = folder / f"evil.{'safetensors' if form == 'renamed' else 'pth'}"
    evil = Evil(folder / 'executed')
    content = dict(good, state_dict=dict(good['state_dict'], evil=evil))
    if form in ('pickle', 'renamed'):
        path.write_bytes(pickle.dumps(dict(state_dict=dict(a=evil))))
    elif form == 'meta':
        torch.save(dict(good, meta=dict(good['meta'], evil=evil)), path)
    else:
        torch.save(content, path,
                   _use_new_zipfile_serialization=form == 'zip')
    return path


@pytest.fixture(params=FORMS)
def evil(request, tmp_path, trained, monkeypatch):
    # with torch's default, all these files would be executed
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    good = torch.load(trained / 'iter_2.pth', weights_only=True)
    return write_evil(tmp_path, request.param, good)


def test_files_are_malicious(evil, tmp_path):
    with open(evil, 'rb') as file, suppress(
            RuntimeError, pickle.UnpicklingError):
        torch.load(file)
    assert (tmp_path / 'executed').is_dir()


TOOLS = dict(
    restore=['restore', '{photo}', '--model', '{evil}', '--out', '{out}'],
    restore_checkpoint=['restore', '{photo}', '--model', '{config}',
                        '--checkpoint', '{evil}', '--out', '{out}'],
    test=['test', '{config}', '{evil}', '--work-dir', '{out}'],
    test_alone=['test', '{evil}', '--work-dir', '{out}'],
    load_from=['train', '{config}', '--work-dir', '{out}', '--cfg-options',
               'load_from={evil}'],
    resume=['train', '{config}', '--work-dir', '{out}', '--resume', '{evil}'],
    baseline=['train', 'mixing/refine_cnn', '--work-dir', '{out}',
              '--cfg-options', 'model.initial_checkpoint={evil}'],
    export=['export', '{evil}', '--config', '{config}', '--out',
            '{out}/x.safetensors'],
    convert=['convert_checkpoint', '{evil}', '--config', '{config}', '--out',
             '{out}'],
    sampling=['benchmark', 'sampling', '{config}', '{evil}', '--out',
              '{out}'])


@pytest.mark.grid
@pytest.mark.parametrize('name', TOOLS)
def test_no_tool_executes_a_file(name, evil, trained, photo, tmp_path,
                                 error):
    places = dict(photo=photo, evil=evil, out=tmp_path / 'out',
                  config=trained / 'derain.py')
    message = error(*(str(part).format(**places) for part in TOOLS[name]))
    assert str(evil) in message
    assert 'not a checkpoint of plain weights' in message or (
        'not a .safetensors file' in message)
    assert not (tmp_path / 'executed').exists()


@pytest.mark.grid(at_most=2)
def test_no_suite_executes_a_file(evil, trained, tmp_path, capfd):
    suite = tmp_path / 'suite.yml'
    suite.write_text(yaml.safe_dump(dict(tasks=dict(rain=dict(
        data=dict(config=str(trained / 'derain.py'), images=1),
        models=dict(ours=dict(config=str(trained / 'derain.py'),
                              checkpoint=str(evil))))))))
    assert run_tool('benchmark', 'quality', '--suite', suite, '--out',
                    tmp_path / 'out') == 1
    assert str(evil) in capfd.readouterr().err
    assert not (tmp_path / 'executed').exists()


def in_mmengine(path: str):
    return CheckpointLoader.load_checkpoint(path, map_location='cpu')


def as_pretrained(path: str):
    module = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=path))
    module.init_weights()


def as_lpips(path: str):
    return LPIPS(weights=path).network


def as_inception(path: str):
    return FID(weights=path).network


@pytest.mark.grid
@pytest.mark.parametrize('read', [
    read_plain, read_checkpoint, init_restorer, in_mmengine, as_pretrained,
    as_lpips, as_inception,
    lambda path: load_checkpoint(torch.nn.Linear(1, 1), path)])
def test_no_function_executes_a_file(read, evil, tmp_path):
    with pytest.raises(CheckpointError, match='plain weights|not a .safeten'):
        read(str(evil))
    assert not (tmp_path / 'executed').exists()


def test_no_downloaded_file_is_executed(evil, tmp_path, monkeypatch):
    """In the download cache of torch."""
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    evil.rename(tmp_path / 'checkpoints' / 'evil.pth')
    for address in ('https://example.org/evil.pth',
                    'http://example.org/evil.pth'):
        with pytest.raises(CheckpointError, match='plain weights'):
            in_mmengine(address)
    assert not (tmp_path / 'executed').exists()


# ------------------------------------------------- texts and names in files


def changed(trained, path, change):
    """Write a copy of the trained checkpoint, changed by a function."""
    content = torch.load(trained / 'iter_2.pth', weights_only=True)
    change(content)
    torch.save(content, path)
    return path


def test_resuming_executes_no_text_of_the_file(trained, tmp_path):
    folder = tmp_path / 'run'
    folder.mkdir()
    shutil.copy(trained / 'derain.py', folder)
    marker = tmp_path / 'executed'
    text = f'import os\nos.mkdir({str(marker)!r})\n'
    path = changed(trained, folder / 'iter_2.pth', lambda content: content[
        'meta'].update(config=text, cfg=text))
    assert run_tool('train', folder / 'derain.py', '--work-dir', folder,
                    '--resume', path, '--cfg-options',
                    'train_cfg.max_iters=3') == 0
    assert (folder / 'iter_3.pth').is_file() and not marker.exists()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that leaves a file when it is imported."""
    (tmp_path / 'a_module.py').write_text(
        'from pathlib import Path\n'
        "(Path(__file__).parent / 'imported').touch()\n"
        'Thing = dict\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield 'a_module'
    assert not (tmp_path / 'imported').exists()


@pytest.fixture
def foreign(module, trained, photo, tmp_path):
    """Function that returns the arguments of a tool for a file that names
    the module."""

    def arguments(entry: str, place: str, name: str) -> list[str]:
        def change(content):
            content['meta']['irsde_mm'][place] = dict(
                type=name.format(module))

        places = dict(
            evil=changed(trained, tmp_path / 'evil.pth', change), photo=photo,
            out=tmp_path / 'out', config=trained / 'derain.py')
        return [str(p).format(**places) for p in TOOLS[entry]]

    return arguments


NAMES = [('sde', '{}'), ('sde', '{}.Thing'),
         ('generator', 'irsde_mm.{}.Thing'), ('initial', '{}.Thing')]


@pytest.mark.grid
@pytest.mark.parametrize('entry, place, name', [
    (entry, *name) for entry in ('restore', 'test', 'load_from')
    for name in NAMES if (entry, name[0]) != ('load_from', 'sde')])
def test_names_in_a_file_import_nothing(entry, place, name, foreign, error):
    message = error(*foreign(entry, place, name))
    assert ('different settings' in message
            or 'not a registered' in message)


@pytest.mark.parametrize('name', ['{}', '{}.Thing'])
def test_a_start_from_another_process_imports_nothing(name, foreign, capfd):
    """Such a training is allowed: it takes the weights alone."""
    arguments = foreign('load_from', 'sde', name)
    assert run_tool(*arguments, 'train_cfg.max_iters=1') == 0
    assert (f"sde.type: '{name.format('a_module')}' in the checkpoint"
            in capfd.readouterr().out)


@pytest.mark.parametrize('settings', [
    5, {}, dict(sde=5), dict(sde={}, generator={}, objective='euler'),
    dict(sde=dict(type='irsde_mm.IRSDE'), generator=dict(type=1),
         objective='euler'),
    dict(sde=dict(type='irsde_mm.IRSDE'), objective='other',
         generator=dict(type='irsde_mm.ConditionalNAFNet'))])
def test_malformed_settings(settings, trained, photo, tmp_path, error):
    path = changed(trained, tmp_path / 'odd.pth',
                   lambda content: content['meta'].update(irsde_mm=settings))
    assert str(path) in error('restore', photo, '--model', path, '--out',
                              tmp_path / 'out')
    error('train', trained / 'derain.py', '--work-dir', tmp_path / 'run',
          '--cfg-options', f'load_from={path}')


# ------------------------------------------------------------------ damage


def test_flipped_bits_are_detected_or_harmless(trained, tmp_path):
    """At 60 places; torch.load accepts most of these files."""
    good = (trained / 'iter_2.pth').read_bytes()
    weights = read_checkpoint(trained / 'iter_2.pth')['state_dict']
    path, detected = tmp_path / 'flipped.pth', 0
    for place in random.Random(0).sample(range(len(good)), 60):
        path.write_bytes(good[:place] + bytes([good[place] ^ 16])
                         + good[place + 1:])
        try:
            read = read_checkpoint(path)['state_dict']
        except CheckpointError:
            detected += 1
        else:
            assert all(torch.equal(read[key], weights[key])
                       for key in weights)
    assert detected > 20


def test_flipped_bit_in_the_index(trained, tmp_path):
    """No checksum covers it. The bit turns a weight into a folder, and torch
    would leave the memory of the weight uninitialized."""
    good = (trained / 'iter_2.pth').read_bytes()
    names = [part.filename for part in zipfile.ZipFile(
        trained / 'iter_2.pth').infolist() if '/data/' in part.filename]
    path = tmp_path / 'flipped.pth'
    for name in (names[0], names[-1]):
        entry = good.rindex(name.encode()) - 46  # its header in the index
        assert good[entry:entry + 4] == b'PK\1\2'
        flipped = bytearray(good)
        flipped[entry + 38] ^= 0x10
        path.write_bytes(flipped)
        torch.load(path, weights_only=True)  # no error
        with pytest.raises(CheckpointError, match=f"'{name}' does not match"):
            read_checkpoint(path)


def test_message_of_a_flipped_weight(trained, tmp_path):
    content = bytearray((trained / 'iter_2.pth').read_bytes())
    weights = read_checkpoint(trained / 'iter_2.pth')['state_dict']
    value = max((value for value in weights.values() if value.ndim == 1),
                key=torch.numel).numpy().tobytes()
    content[content.index(value)] ^= 1
    path = tmp_path / 'flipped.pth'
    path.write_bytes(content)
    torch.load(path, weights_only=True)  # no error
    with pytest.raises(CheckpointError, match='is corrupted'):
        read_checkpoint(path)


@pytest.mark.parametrize('share', [0, 0.001, 0.5, 0.9, 0.999])
def test_truncated_checkpoint(trained, tmp_path, share):
    content = (trained / 'iter_2.pth').read_bytes()
    path = tmp_path / 'short.pth'
    path.write_bytes(content[:int(share * len(content))])
    with pytest.raises(CheckpointError, match='broken'):
        read_checkpoint(path)


def test_legacy_format(trained, tmp_path):
    content = torch.load(trained / 'iter_2.pth', weights_only=True)
    path = tmp_path / 'old.pth'
    torch.save(content, path, _use_new_zipfile_serialization=False)
    read = read_checkpoint(path)
    assert read['meta']['irsde_mm'] == content['meta']['irsde_mm']
    model = init_restorer(str(path), device='cpu')
    assert torch.equal(model.network.conv_in.weight,
                       content['state_dict']['generator.conv_in.weight'])


@pytest.mark.grid
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
@pytest.mark.parametrize('entry', ['restore', 'restore_checkpoint', 'test',
                                   'load_from', 'resume', 'export',
                                   'sampling'])
def test_weights_that_are_not_finite(value, entry, trained, photo, tmp_path,
                                      error):
    def change(content):
        content['state_dict']['generator.conv_in.weight'][0, 0, 0, 0] = value

    places = dict(evil=changed(trained, tmp_path / 'nan.pth', change),
                  photo=photo, out=tmp_path / 'out',
                  config=trained / 'derain.py')
    message = error(*(str(p).format(**places) for p in TOOLS[entry]))
    assert "'generator.conv_in.weight' has values that are no" in message


@pytest.mark.parametrize('value', [
    torch.zeros(1).expand(10**6, 10**6), torch.eye(3).to_sparse(),
    torch.empty(2, device='meta'), 'text'])
def test_bad_tensors(value, trained, tmp_path):
    """A file of a few bytes may claim terabytes."""
    path = changed(trained, tmp_path / 'odd.pth', lambda content: content[
        'state_dict'].update({'generator.conv_in.weight': value}))
    with pytest.raises(CheckpointError):
        load_weights(SimpleNamespace(), path)


def test_meta_of_another_type(trained, tmp_path):
    path = changed(trained, tmp_path / 'odd.pth',
                   lambda content: content.update(meta=[]))
    with pytest.raises(CheckpointError, match="'meta'"):
        read_checkpoint(path)
