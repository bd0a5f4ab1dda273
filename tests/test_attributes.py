"""Classes set all their attributes in the constructor."""
import ast
import importlib
import inspect
import re
from pathlib import Path

import irsde_mm

PACKAGE = Path(irsde_mm.__file__).parent
FILES = sorted(p for p in PACKAGE.rglob('*.py') if '.mim' not in p.parts)


def assigned(function: ast.AST) -> set:
    """Return the attributes of self that a method sets."""
    return {node.attr for node in ast.walk(function)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name) and node.value.id == 'self'}


def called(function: ast.AST) -> set:
    """Return the methods of self that a method calls."""
    return {node.func.attr for node in ast.walk(function)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == 'self'}


def late_attributes(tree: ast.ClassDef) -> set:
    """Return attributes set outside of the class body, its constructor and
    the methods that the constructor calls."""
    methods = {node.name: node for node in tree.body
               if isinstance(node, ast.FunctionDef)}
    known = {target.id for node in tree.body
             if isinstance(node, (ast.Assign, ast.AnnAssign))
             for target in getattr(node, 'targets', None) or [node.target]
             if isinstance(target, ast.Name)}
    early = {'__init__', '__new__', '__post_init__'}
    if '__init__' in methods:
        early |= called(methods['__init__'])
    for name in early & methods.keys():
        known |= assigned(methods[name])
    return {name for method in methods.values() for name in assigned(method)
            if name not in known and name not in methods}


def inherited(cls: type, name: str) -> bool:
    """Return True if a constructor of a base class sets the attribute."""
    sources = [inspect.getsource(base.__init__) for base in cls.__mro__[1:]
               if inspect.isfunction(vars(base).get('__init__'))]
    return any(re.search(rf"self\.{name}\b|'{name}'", source)
               for source in sources) or any(
                   name in vars(base) for base in cls.__mro__[1:])


def test_late_attributes_are_found():
    tree, = ast.parse("""
class Late:
    known: int = 0

    def __init__(self):
        self.first = 1
        self.build()

    def build(self):
        self.built = 2

    def later(self):
        self.known, self.first, self.built, self.late = range(4)
""").body
    assert late_attributes(tree) == {'late'}


def test_attributes_are_set_in_constructors():
    found = []
    for path in FILES:
        late = {tree.name: late_attributes(tree)
                for tree in ast.walk(ast.parse(path.read_text()))
                if isinstance(tree, ast.ClassDef)}
        if not any(late.values()):
            continue
        module = importlib.import_module('.'.join(
            ('irsde_mm', *path.relative_to(PACKAGE).with_suffix('').parts)))
        found += [f'{path}: {cls}.{name}' for cls, names in late.items()
                  for name in names
                  if not inherited(getattr(module, cls), name)]
    assert found == []
