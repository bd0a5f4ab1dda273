"""The layers of docs/architecture.md, checked from the imports."""
import re
import subprocess
import sys

import draw_architecture
from draw_architecture import PACKAGE, imports, modules

FILES = modules()
NAMES = {str(path.relative_to(PACKAGE)): path for path in FILES}
STANDARD = sys.stdlib_module_names
#: The lower layer: each package and the others that it may import. Two
#: modules of apis/ build mmagic's models and belong to the upper layer.
BELOW = dict(
    sde=(), samplers=('sde', 'errors'), networks=('errors', ), io=('errors', ),
    operators=('io', 'errors'),
    inference=('sde', 'samplers', 'networks', 'operators', 'io', 'errors'),
    model_files=('sde', 'samplers', 'networks', 'io', 'inference', 'errors',
                 'version'),
    apis=('sde', 'samplers', 'networks', 'io', 'inference', 'model_files',
          'errors', 'version'),
    graphs=('sde', 'samplers', 'networks', 'io', 'inference', 'model_files',
            'apis', 'errors', 'version'),
    scale=('io', 'inference', 'model_files', 'apis', 'errors'))
UPSTAIRS = ('apis/edit_models.py', 'apis/export.py')
HEAVY = ('mmengine', 'mmcv', 'mmagic', 'diffusers', 'torchvision',
         'transformers')
#: Dependencies of the core.
CORE = ('torch', 'numpy', 'safetensors', 'PIL', 'cv2', 'tqdm', 'psutil',
        'fsspec', 'filelock')
#: Imports inside functions of the lower layer.
LATE = {
    ('samplers/diffusers.py', 'diffusers'),  # an adapter's constructor
    # from_file and others
    ('inference/pretrained.py', 'irsde_mm.model_files'),
    # addresses of other machines; comes with torch
    ('io/addresses.py', 'fsspec'),
    # extra hub
    ('model_files/hub.py', 'huggingface_hub'),
    ('model_files/cards.py', 'huggingface_hub'),
    ('inference/noise.py', 'skimage'),
    # extra video
    ('io/ffmpeg.py', 'imageio_ffmpeg'),
    # extra onnx
    ('graphs/onnx_export.py', 'onnx'),
    ('graphs/onnx_export.py', 'onnxscript'),
    ('graphs/export.py', 'onnx'),
    ('graphs/onnx_runner.py', 'onnxruntime'),
    # only for calibration
    ('inference/calibrating.py', 'scipy'),
    # only if a caller passes a config or a model of mmagic
    ('apis/inference.py', 'irsde_mm.apis.edit_models'),
    ('apis/inference.py', 'irsde_mm.config'),
    ('scale/job.py', 'irsde_mm.config'),
    # what launchers set
    ('scale/engines/local.py', 'irsde_mm.processes'),
    ('scale/engines/torchrun.py', 'irsde_mm.processes'),
    # extra ray
    ('scale/engines/ray_data.py', 'ray'),
}
LOWER = [name for name in NAMES
         if name.split('/')[0] in BELOW and name not in UPSTAIRS]


def modules_in(*starts: str) -> list:
    return [name for name in NAMES if name.startswith(starts)]


def used(name: str, *prefixes: str) -> set:
    """Return the imports of a module from these packages, also late ones."""
    return {i.name for i in imports(NAMES[name])
            if any(f'{i.name}.'.startswith(f'{p}.') for p in prefixes)}


def test_every_package_is_tested():
    packages = {name.split('/')[0] for name in NAMES if '/' in name}
    assert packages == set(BELOW) | {'app', 'commands', 'config', 'datasets',
                                     'engine', 'evaluation', 'integrations',
                                     'models'}


def allowed(name: str, imported: str, late: bool) -> bool:
    """Return True if a module of the lower layer may import another."""
    if late and any((name, part) in LATE for part in prefixes(imported)):
        return True
    top, own = imported.split('.')[0], name.split('/')[0]
    if top != 'irsde_mm':
        return top in STANDARD or top in CORE
    return used_by(imported, [
        f'irsde_mm.{other}' for other in (own, *BELOW[own])]) and not used_by(
            imported, ['irsde_mm.apis.edit_models', 'irsde_mm.apis.export'])


def test_lower_layer():
    """sde <- samplers <- inference <- model_files <- apis <- graphs, scale;
    networks and io import none of these; no OpenMMLab, diffusers or
    torchvision."""
    assert [f'{name}:{line} imports {imported}' for name in LOWER
            for imported, line, late in imports(NAMES[name])
            if not allowed(name, imported, late)] == []


def prefixes(name: str) -> list:
    parts = name.split('.')
    return ['.'.join(parts[:n]) for n in range(1, len(parts) + 1)]


def used_by(name: str, allowed: list) -> bool:
    return bool(set(prefixes(name)) & set(allowed))


def test_processes_samplers_and_networks_need_only_torch():
    known = {*STANDARD, 'torch', 'irsde_mm'}
    assert [f'{name}:{line} imports {imported}'
            for name in modules_in('sde/', 'samplers/', 'networks/')
            for imported, line, late in imports(NAMES[name])
            if imported.split('.')[0] not in known
            and not (late and (name, imported.split('.')[0]) in LATE)] == []


def test_exceptions_are_used():
    """Each of them is a late import of that module."""
    found = {(name, part) for name in LOWER for i in imports(NAMES[name])
             if i.late for part in prefixes(i.name)}
    assert found >= LATE


def test_lower_layer_imports_no_openmmlab():
    """Import all its modules in a new process."""
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


def test_only_models_register_components():
    """Processes, samplers and networks do not import registry.py, nor does it
    import them."""
    assert used('registry.py', 'irsde_mm') == {'irsde_mm.compat'}
    assert used('models/components.py', 'irsde_mm') >= {
        'irsde_mm.networks', 'irsde_mm.samplers', 'irsde_mm.sde'}


def forbidden(name: str) -> tuple:
    """Return the packages that a module must not import."""
    packages = ()
    if name.startswith('models/losses'):
        packages += 'irsde_mm.samplers', 'irsde_mm.inference'
    if name.startswith(('datasets', 'evaluation', 'engine')):
        packages += ('irsde_mm.models', 'irsde_mm.sde', 'irsde_mm.samplers',
                     'irsde_mm.networks', 'irsde_mm.apis')
    if not name.startswith('models/restorers/'):
        packages += 'mmagic.models',
    if not name.startswith('commands/'):
        packages += 'irsde_mm.commands',
    if not name.startswith(('app/', 'commands/app.py')):
        packages += 'irsde_mm.app', 'gradio'
    return packages


def test_forbidden_imports():
    assert [(name, found) for name in NAMES
            if (found := used(name, *forbidden(name)))] == []


def test_only_config_locates_the_configs():
    assert [name for name in NAMES if not name.startswith('config/')
            and '.mim' in NAMES[name].read_text()] == []


def test_modules_know_no_task():
    tasks = re.compile(
        r"""(['"])(derain|deblur|denoise|inpaint|dehaze)\1""")
    assert [name for name in NAMES
            if tasks.search(NAMES[name].read_text())] == []


def test_only_launchers_use_environment_variables():
    assert {name for name in NAMES
            if re.search('environ|getenv', NAMES[name].read_text())} <= {
        'commands/cli.py', 'processes.py',
        'scale/engines/ray_data.py'}  # settings of Ray


def test_few_modules_are_outside_of_packages():
    outside = [name for name in NAMES if '/' not in name]
    assert len(outside) - 1 <= 5, outside  # besides __init__.py
    assert len(modules_in('apis/')) - 1 <= 12


def test_every_folder_is_a_package():
    """The wheel would omit a folder without __init__.py."""
    for path in FILES:
        assert (path.parent / '__init__.py').is_file(), path


def test_picture_is_up_to_date():
    """Run tools/draw_architecture.py after moving imports."""
    assert draw_architecture.PICTURE.read_text() == draw_architecture.draw()


def test_picture_omits_transitive_edges():
    edges = {('a', 'b'): False, ('b', 'c'): False, ('a', 'c'): False,
             ('c', 'a'): True}
    assert draw_architecture.drawn(edges) == {
        ('a', 'b'): False, ('b', 'c'): False, ('c', 'a'): True}


def test_imports_are_found(tmp_path, monkeypatch):
    """Relative and absolute imports, modules of packages, functions."""
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
