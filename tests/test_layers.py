"""The layers of docs/architecture.md, read from the imports."""
import subprocess
import sys

import draw_architecture
import pytest
from draw_architecture import PACKAGE, imports, modules

FILES = modules()
NAMES = {str(path.relative_to(PACKAGE)): path for path in FILES}
STANDARD = sys.stdlib_module_names
#: The lower floor: packages, and packages of ours that each may import. The
#: last two modules of apis/ build mmagic's models and belong upstairs.
BELOW = dict(
    sde=(), samplers=('sde', 'errors'), networks=('errors', ), io=('errors', ),
    inference=('sde', 'samplers', 'networks', 'io', 'errors'),
    model_files=('sde', 'samplers', 'networks', 'io', 'inference', 'errors',
                 'version'),
    apis=('sde', 'samplers', 'networks', 'io', 'inference', 'model_files',
          'errors', 'version'))
UPSTAIRS = ('apis/edit_models.py', 'apis/export.py')
HEAVY = ('mmengine', 'mmcv', 'mmagic', 'diffusers', 'torchvision',
         'transformers')
#: What the core may be installed with.
CORE = ('torch', 'numpy', 'safetensors', 'PIL', 'cv2', 'tqdm', 'psutil')
#: Imported by functions of the lower floor when they are called.
LATE = {
    ('samplers/diffusers.py', 'diffusers'),  # an adapter's constructor
    # from_file and from_bundled
    ('inference/pipeline.py', 'irsde_mm.model_files'),
    ('inference/noise.py', 'skimage'),
    # models of mmagic, and configs, where a caller asks for them
    ('apis/inference.py', 'irsde_mm.apis.edit_models'),
    ('apis/inference.py', 'irsde_mm.config'),
}
LOWER = [name for name in NAMES
         if name.split('/')[0] in BELOW and name not in UPSTAIRS]


def room(*starts: str) -> list:
    return [name for name in NAMES if name.startswith(starts)]


def used(name: str, *prefixes: str) -> set:
    """What a module imports from some packages, at once or later."""
    return {i.name for i in imports(NAMES[name])
            if any(f'{i.name}.'.startswith(f'{p}.') for p in prefixes)}


def test_every_package_is_in_a_test():
    rooms = {name.split('/')[0] for name in NAMES if '/' in name}
    assert rooms == set(BELOW) | {'app', 'commands', 'config', 'datasets',
                                  'engine', 'evaluation', 'models'}


@pytest.mark.parametrize('name', LOWER)
def test_lower_floor(name):
    """sde <- samplers <- inference <- model_files <- apis; networks and io
    know no other; no OpenMMLab, diffusers or torchvision."""
    own = name.split('/')[0]
    allowed = [f'irsde_mm.{other}' for other in (own, *BELOW[own])]
    for imported, line, late in imports(NAMES[name]):
        top = imported.split('.')[0]
        where = f'{name}:{line} imports {imported}'
        if late and any((name, part) in LATE for part in prefixes(imported)):
            continue
        if top == 'irsde_mm':
            assert used_by(imported, allowed), where
            assert not used_by(imported, ['irsde_mm.apis.edit_models',
                                          'irsde_mm.apis.export']), where
        else:
            assert top in STANDARD or top in CORE, where


def prefixes(name: str) -> list:
    parts = name.split('.')
    return ['.'.join(parts[:n]) for n in range(1, len(parts) + 1)]


def used_by(name: str, allowed: list) -> bool:
    return bool(set(prefixes(name)) & set(allowed))


@pytest.mark.parametrize('name', room('sde/', 'samplers/', 'networks/'))
def test_the_mathematics_needs_torch_alone(name):
    for imported, line, late in imports(NAMES[name]):
        top = imported.split('.')[0]
        assert top in STANDARD or top in ('torch', 'irsde_mm') or (
            late and (name, top) in LATE), f'{name}:{line} {imported}'


def test_exceptions_are_used():
    """Each of them is a late import of that module."""
    found = {(name, part) for name in LOWER for i in imports(NAMES[name])
             if i.late for part in prefixes(i.name)}
    assert found >= LATE


def test_importing_the_lower_floor_imports_no_openmmlab():
    """In a new process, every module of it."""
    names = [f'irsde_mm.{name.removesuffix(".py").replace("/", ".")}'
             .removesuffix('.__init__') for name in LOWER]
    code = (f'import importlib, sys\nfor name in {names}:\n'
            '    importlib.import_module(name)\n'
            'print(*{name.partition(".")[0] for name in sys.modules})')
    loaded = subprocess.run([sys.executable, '-c', code], text=True,
                            capture_output=True, check=True).stdout.split()
    assert 'torch' in loaded and not set(HEAVY) & set(loaded)
    assert not [name for name in loaded if name.startswith('mm')
                and name not in STANDARD]


def test_registered_by_models_alone():
    """Processes, samplers and networks know no registry, and registry.py
    knows none of them."""
    assert used('registry.py', 'irsde_mm') == {'irsde_mm.compat'}
    assert used('models/components.py', 'irsde_mm') >= {
        'irsde_mm.networks', 'irsde_mm.samplers', 'irsde_mm.sde'}


@pytest.mark.parametrize('name', list(NAMES))
def test_rooms(name):
    if name.startswith('models/losses'):
        assert not used(name, 'irsde_mm.samplers', 'irsde_mm.inference')
    if name.startswith(('datasets', 'evaluation', 'engine')):
        assert not used(name, 'irsde_mm.models', 'irsde_mm.sde',
                        'irsde_mm.samplers', 'irsde_mm.networks',
                        'irsde_mm.apis')
    if not name.startswith('models/restorers/'):
        assert not used(name, 'mmagic.models')
    if not name.startswith('commands/'):
        assert not used(name, 'irsde_mm.commands')
    if not name.startswith(('app/', 'commands/app.py')):
        assert not used(name, 'irsde_mm.app', 'gradio')


@pytest.mark.parametrize('name', list(NAMES))
def test_only_config_knows_where_configs_are(name):
    if not name.startswith('config/'):
        assert '.mim' not in NAMES[name].read_text()


@pytest.mark.parametrize('name', list(NAMES))
def test_no_task_and_no_environment(name):
    text = NAMES[name].read_text()
    for task in ('derain', 'deblur', 'denoise', 'inpaint', 'dehaze'):
        assert f"'{task}'" not in text and f'"{task}"' not in text
    # ranks are the one thing that launchers pass this way
    if name not in ('commands/cli.py', 'processes.py'):
        assert 'environ' not in text and 'getenv' not in text


def test_few_modules_stand_outside_a_package():
    outside = [name for name in room('') if '/' not in name]
    assert len(outside) - 1 <= 5, outside  # beside __init__.py
    assert len(room('apis/')) - 1 <= 12


def test_every_folder_is_a_package():
    """One without __init__.py would be left out of the wheel."""
    for path in FILES:
        assert (path.parent / '__init__.py').is_file(), path


def test_the_picture_is_up_to_date():
    """Run tools/draw_architecture.py after moving imports."""
    assert draw_architecture.PICTURE.read_text() == draw_architecture.draw()


def test_the_picture_leaves_out_what_follows():
    edges = {('a', 'b'): False, ('b', 'c'): False, ('a', 'c'): False,
             ('c', 'a'): True}
    assert draw_architecture.drawn(edges) == {
        ('a', 'b'): False, ('b', 'c'): False, ('c', 'a'): True}


def test_imports_are_found(tmp_path, monkeypatch):
    """Relative and absolute ones, modules of packages, late ones."""
    monkeypatch.setattr(draw_architecture, 'PACKAGE', tmp_path / 'irsde_mm')
    path = tmp_path / 'irsde_mm' / 'io' / 'files.py'
    path.parent.mkdir(parents=True)
    path.write_text('from .. import errors\nfrom . import reader\n'
                    'from ..sde.base import SDE\nimport torch.nn as nn\n'
                    'class A:\n    def f(self):\n        import skimage\n')
    assert [tuple(i) for i in imports(path)] == [
        ('irsde_mm.errors', 1, False), ('irsde_mm.io.reader', 2, False),
        ('irsde_mm.sde.base', 3, False), ('torch.nn', 4, False),
        ('skimage', 7, True)]
