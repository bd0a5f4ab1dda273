"""The layers of the architecture, read off the imports."""
import ast
from pathlib import Path

import irsde_mm
import pytest

PACKAGE = Path(irsde_mm.__file__).parent
FILES = sorted(p for p in PACKAGE.rglob('*.py') if '.mim' not in p.parts)


def imports(path: Path) -> set:
    """Absolute names of everything that a module imports."""
    parts = ('irsde_mm', *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parts[:len(parts) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *filter(None, [node.module])])
            found.add(module)
            found |= {f'{module}.{alias.name}' for alias in node.names
                      if node.module is None}
    return found


def room(*names: str) -> list:
    return [p for p in FILES
            if str(p.relative_to(PACKAGE)).startswith(names)]


def used(path: Path, *prefixes: str) -> set:
    return {name for name in imports(path) if name.startswith(prefixes)}


@pytest.mark.parametrize('path', room('sde/'), ids=str)
def test_sde_imports_torch_and_itself(path):
    allowed = ('torch', 'math', 'abc', 'typing', 'irsde_mm.sde')
    assert used(path, *allowed) == imports(path)


@pytest.mark.parametrize('path', room('samplers/'), ids=str)
def test_samplers_import_torch_and_sde(path):
    allowed = ('torch', 'abc', 'copy', 'math', 'typing', 'collections',
               'itertools', 'irsde_mm.sde', 'irsde_mm.samplers')
    if path.name == 'diffusers.py':  # an adapter, the one exception
        allowed += ('diffusers', )
    assert used(path, *allowed) == imports(path)


@pytest.mark.parametrize('path', FILES, ids=str)
def test_rooms(path):
    name = str(path.relative_to(PACKAGE))
    if name.startswith('models/networks'):
        assert not used(path, 'irsde_mm.sde', 'irsde_mm.samplers')
    if name.startswith('models/losses'):
        assert not used(path, 'irsde_mm.samplers')
    if name.startswith(('datasets', 'evaluation', 'engine')):
        assert not used(path, 'irsde_mm.models', 'irsde_mm.sde',
                        'irsde_mm.samplers', 'irsde_mm.apis')
    if not name.startswith('models/restorers'):
        assert not used(path, 'mmagic.models')
    if not name.startswith('apis'):
        assert '.mim' not in path.read_text()


def test_registry_imports_no_implementation():
    assert used(PACKAGE / 'registry.py', 'irsde_mm') == {
        'irsde_mm', 'irsde_mm.compat'}


@pytest.mark.parametrize('path', FILES, ids=str)
def test_no_task_and_no_environment(path):
    text = path.read_text()
    for task in ('derain', 'deblur', 'denoise', 'inpaint', 'dehaze'):
        assert f"'{task}'" not in text and f'"{task}"' not in text
    # ranks are the one thing that launchers say this way
    if path.name not in ('cli.py', 'processes.py'):
        assert 'environ' not in text and 'getenv' not in text
