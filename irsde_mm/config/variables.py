"""Variables of config files: names that no tool reads, but that the text of
the files uses, such as ``patch_size``."""
import ast
import copy
import io
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Set

#: By variable, new values by the key below it; '' is the whole.
Changes = Dict[str, Dict[str, Any]]

_changes: Changes = {}


class Source(NamedTuple):
    """A config file as it was read.

    Attributes:
        path (Path): The file.
        sets (set[str]): Names that it assigns.
        uses (set[str]): Names that its expressions refer to.
        inherits (bool): Whether it has a ``_base_``.
    """
    path: Path
    sets: Set[str]
    uses: Set[str]
    inherits: bool


@contextmanager
def reading(changes: Changes) -> Iterator[List[Source]]:
    """Lets mmengine read config files with other values of variables.

    mmengine evaluates the text before it merges overrides, so an override of
    ``patch_size`` would not reach what was made from it. In this context
    every assignment to a changed variable is followed by its change, in all
    files of the chain of ``_base_``.

    Args:
        changes (dict): What to change.

    Yields:
        list[Source]: Files in the order in which mmengine begins them, to
            which each one read is added: a file comes before its bases.
    """
    from mmengine.config import Config
    substitute = Config._substitute_predefined_vars
    sources: List[Source] = []

    def substitute_and_change(filename: str, temporary: str) -> None:
        substitute(filename, temporary)
        text = Path(temporary).read_text(encoding='utf-8')
        sources.append(scan(Path(filename), text))
        if changes and filename.endswith('.py'):
            Path(temporary).write_text(changed(text, set(changes)),
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
    """What a config file sets and uses; errors in it are mmengine's to
    name."""
    uses = set(re.findall(r'_base_\.(\w+)', text))
    if path.suffix != '.py':
        sets = plain_keys(path, text)
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
    sets = {name for line in tree.body for name in assigned(line)}
    return Source(path, sets - {'_base_'}, uses, '_base_' in sets)


def plain_keys(path: Path, text: str) -> Set[str]:
    """The top-level keys of a JSON or YAML file."""
    from mmengine.fileio import load
    try:
        content = load(io.StringIO(text), file_format=path.suffix[1:])
    except Exception:  # of one of several parsers
        return set()
    return set(content) if isinstance(content, dict) else set()


def assigned(statement: ast.stmt) -> Set[str]:
    """Names that a statement of a file binds."""
    scopes = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    if isinstance(statement, scopes):
        return set()
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)
            and isinstance(n.ctx, ast.Store)}


def changed(text: str, names: Set[str]) -> str:
    """The text of a config file with a change after each assignment."""
    try:
        statements = ast.parse(text).body
    except SyntaxError:
        return text
    lines = text.splitlines()
    for statement in reversed(statements):
        # mmengine drops names that begin so from the config
        lines[statement.end_lineno:statement.end_lineno] = [
            f'from {__name__} import change as __change; '
            f'{name} = __change({name!r}, {name})'
            for name in sorted(assigned(statement) & names)]
    return '\n'.join(lines) + '\n'


def change(name: str, value: Any) -> Any:
    """A variable's new value.

    Args:
        name (str): Of the variable.
        value: What a file assigned. It is not changed in place; where the
            change does not fit, because a later file replaces it by something
            of another form, it stays.
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
