"""Variables of config files.

A variable is a name such as ``patch_size`` that the text of the files uses
but no tool reads.
"""
import ast
import copy
import io
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Set

#: Variable -> key inside its value ('' for the whole value) -> new value.
Changes = Dict[str, Dict[str, Any]]

_changes: Changes = {}


class Source(NamedTuple):
    """Names that a config file defines and uses.

    Attributes:
        path (Path): The file.
        sets (set[str]): Names that it assigns.
        uses (set[str]): Names that its expressions refer to.
        inherits (bool): True if it has a ``_base_``.
    """
    path: Path
    sets: Set[str]
    uses: Set[str]
    inherits: bool


@contextmanager
def override_variables(changes: Changes) -> Iterator[List[Source]]:
    """Make mmengine read config files with new values of variables.

    mmengine evaluates the text before it merges overrides, so overriding
    ``patch_size`` would not affect values computed from it. Inside this
    context, each assignment to a changed variable is followed by its change,
    in every file of the ``_base_`` chain.

    Args:
        changes (dict): The changes.

    Yields:
        list[Source]: The files read so far, in the order in which mmengine
            opens them: a file precedes its bases.
    """
    from mmengine.config import Config
    substitute = Config._substitute_predefined_vars
    sources: List[Source] = []

    def substitute_and_change(filename: str, temporary: str) -> None:
        substitute(filename, temporary)
        text = Path(temporary).read_text(encoding='utf-8')
        sources.append(scan(Path(filename), text))
        if changes and filename.endswith('.py'):
            Path(temporary).write_text(insert_changes(text, set(changes)),
                                       encoding='utf-8')

    before = dict(_changes)
    _changes.update(changes)
    Config._substitute_predefined_vars = staticmethod(substitute_and_change)
    try:
        yield sources
    finally:
        Config._substitute_predefined_vars = staticmethod(substitute)
        _changes.clear()
        _changes.update(before)


def scan(path: Path, text: str) -> Source:
    """Return the names that a config file sets and uses.

    Syntax errors are ignored here; mmengine reports them.
    """
    uses = set(re.findall(r'_base_\.(\w+)', text))
    if path.suffix != '.py':
        sets = top_level_keys(path, text)
        return Source(path, sets - {'_base_'}, uses, '_base_' in sets)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return Source(path, set(), uses, False)
    nodes = list(ast.walk(tree))
    uses.update(n.id for n in nodes if isinstance(n, ast.Name)
                and isinstance(n.ctx, ast.Load))
    # _base_['name']
    uses.update(n.slice.value for n in nodes if isinstance(n, ast.Subscript)
                and isinstance(n.slice, ast.Constant)
                and isinstance(n.slice.value, str))
    sets = {name for line in tree.body for name in assigned_names(line)}
    return Source(path, sets - {'_base_'}, uses, '_base_' in sets)


def top_level_keys(path: Path, text: str) -> Set[str]:
    """Return the top-level keys of a JSON or YAML file."""
    from mmengine.fileio import load
    try:
        content = load(io.StringIO(text), file_format=path.suffix[1:])
    except Exception:  # each parser has its own exceptions
        return set()
    return set(content) if isinstance(content, dict) else set()


def assigned_names(statement: ast.stmt) -> Set[str]:
    """Return the names that a statement of a file binds."""
    scopes = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    if isinstance(statement, scopes):
        return set()
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)
            and isinstance(n.ctx, ast.Store)}


def insert_changes(text: str, names: Set[str]) -> str:
    """Insert a call of :func:`apply_change` after each assignment."""
    try:
        statements = ast.parse(text).body
    except SyntaxError:
        return text
    lines = text.splitlines()
    for statement in reversed(statements):
        # mmengine drops names that start with two underscores
        lines[statement.end_lineno:statement.end_lineno] = [
            f'from {__name__} import apply_change as __change; '
            f'{name} = __change({name!r}, {name})'
            for name in sorted(assigned_names(statement) & names)]
    return '\n'.join(lines) + '\n'


def apply_change(name: str, value: Any) -> Any:
    """Return the new value of a variable.

    Args:
        name (str): Name of the variable.
        value: Value assigned by a file, not modified in place. It is
            returned as is if the change does not fit, which happens when a
            later file replaces it by a value of another structure.
    """
    from mmengine.config import Config
    options = {f'{name}.{key}' if key else name: new
               for key, new in _changes[name].items()}
    cfg = Config({name: copy.deepcopy(value)})
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError):
        return value
    return cfg.to_dict()[name]
