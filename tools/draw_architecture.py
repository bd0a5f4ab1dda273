"""Draw the packages of irsde_mm and the imports between them:
python tools/draw_architecture.py"""
import argparse
import ast
from collections import defaultdict
from html import escape
from pathlib import Path
from typing import Dict, List, NamedTuple, Set, Tuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'irsde_mm'
PICTURE = ROOT / 'docs' / 'images' / 'architecture.svg'

#: Modules of apis/ that belong to the upper floor.
UPSTAIRS = ('edit_models', 'export')
#: Modules that all others may import; drawn without arrows.
EVERYWHERE = ('__init__', 'errors', 'version')
#: Column, row and content of each box.
BOXES = {
    'commands': (5, 0, 'the command line'),
    'app': (0, 1, 'the web page'),
    'apis*': (1, 1, 'edit_models.py, export.py'),
    'evaluation': (4, 1, 'metrics'),
    'config': (2, 2, 'find, complete, check'),
    'engine': (4, 2, 'training loop, hooks'),
    'models': (1.35, 3, 'restorers, losses'),
    'datasets': (2.8, 3, 'images, degradations'),
    'registry': (2.1, 4, 'registry nodes'),
    'processes': (5, 4, 'launchers, signals'),
    'compat': (1.85, 5, 'fixes for mmagic'),
    'graphs': (1.3, 6.7, 'ONNX and .pt2 files'),
    'scale': (0, 6.7, 'many photos, many workers'),
    'integrations': (3.6, 7.7, 'entry in spandrel'),
    'apis': (0, 7.7, 'Python API'),
    'model_files': (1, 8.7, 'models on disk'),
    'inference': (2, 9.7, 'restoring with a model'),
    'operators': (3, 9.7, 'linear degradations'),
    'io': (3, 10.7, 'image and weights files'),
    'networks': (1, 10.7, 'U-Net, NAFNet, MAXIM'),
    'samplers': (2, 10.7, 'from degraded to clean'),
    'sde': (2, 11.7, 'processes and outputs'),
}
#: Name, first and last row of each floor.
FLOORS = (('OpenMMLab: training, data, metrics, configs', 0, 5),
          ('PyTorch only: restoring with a trained model', 6.7, 11.7))
LEGEND = ('solid: import at module level',
          'dashed: import inside a function',
          'Not drawn: imports that follow from others,',
          'and errors.py and version.py,',
          'which all modules may import.')
COLUMN, ROW, WIDTH, HEIGHT, LEFT, TOP = 190, 78, 160, 46, 110, 66

Edge = Tuple[str, str]


class Import(NamedTuple):
    """One imported module.

    Attributes:
        name (str): Absolute name, such as 'irsde_mm.sde.base'.
        line (int): Line of the import.
        late (bool): Whether the import is inside a function.
    """
    name: str
    line: int
    late: bool


def modules() -> List[Path]:
    """Return the source files of the package."""
    return sorted(p for p in PACKAGE.rglob('*.py') if '.mim' not in p.parts)


def imports(path: Path) -> List[Import]:
    """Return the imports of a module, at module level and in functions."""
    parts = ('irsde_mm', *path.relative_to(PACKAGE).parts[:-1])
    found: List[Import] = []

    def look(node: ast.AST, late: bool) -> None:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = parts[:len(parts) - node.level + 1] if node.level else ()
            module = '.'.join([*base, *filter(None, [node.module])])
            names = [f'{module}.{alias.name}' for alias in node.names] \
                if is_package(module) else [module]
        late = late or isinstance(node, (ast.FunctionDef, ast.Lambda))
        found.extend(Import(name, node.lineno, late) for name in names)
        for child in ast.iter_child_nodes(node):
            look(child, late)

    look(ast.parse(path.read_text()), False)
    return found


def is_package(module: str) -> bool:
    """Return True for a package of irsde_mm, from which modules may be
    imported."""
    first, *rest = module.split('.')
    return first == 'irsde_mm' and PACKAGE.joinpath(*rest).is_dir()


def box_of(name: str) -> str:
    """Return the box of a module 'irsde_mm.x.y'."""
    _, room, *rest = name.split('.')
    return 'apis*' if room == 'apis' and rest[:1] and rest[0] in UPSTAIRS \
        else room


def edges() -> Dict[Edge, bool]:
    """Return the imports between boxes, and whether all of them are late."""
    found: Dict[Edge, Set[bool]] = defaultdict(set)
    for path in modules():
        parts = path.relative_to(PACKAGE).with_suffix('').parts
        box = box_of('.'.join(('irsde_mm', *parts)))
        for name, _, late in imports(path):
            if not name.startswith('irsde_mm.'):
                continue
            other = box_of(name)
            if other != box and not {box, other} & set(EVERYWHERE):
                found[box, other].add(late)
    return {edge: all(late) for edge, late in found.items()}


def drawn(all_edges: Dict[Edge, bool]) -> Dict[Edge, bool]:
    """Return the edges that do not follow from others.

    Late edges follow from any edges, the others only from edges that are not
    late.
    """
    hard = [edge for edge, late in all_edges.items() if not late]
    return {edge: late for edge, late in sorted(all_edges.items())
            if not follows(edge, all_edges if late else hard)}


def follows(edge: Edge, others) -> bool:
    """Return True if other edges connect the two ends of an edge."""
    seen, ahead = set(), [edge[0]]
    while ahead:
        box = ahead.pop()
        for first, last in others:
            if first == box and (first, last) != edge and last not in seen:
                seen.add(last)
                ahead.append(last)
    return edge[1] in seen


def centre(box: str) -> Tuple[float, float]:
    column, row, _ = BOXES[box]
    return LEFT + COLUMN * column, TOP + ROW * row


def draw_floor(name: str, first: float, last: float) -> str:
    top = TOP + ROW * first - HEIGHT / 2 - 34
    bottom = TOP + ROW * last + HEIGHT / 2 + 12
    fill = '#f3f6fb' if first == 0 else '#f4f8f1'
    return (f'<rect x="8" y="{top:g}" width="{LEFT * 2 + COLUMN * 5 - 16}" '
            f'height="{bottom - top:g}" rx="10" fill="{fill}" '
            f'stroke="#c8d0dc"/>\n<text x="{LEFT * 2 + COLUMN * 5 - 22}" '
            f'y="{top + 20:g}" '
            f'class="floor">{escape(name)}</text>')


def draw_legend() -> List[str]:
    x, y = LEFT + COLUMN * 3.6, TOP + ROW * 10.5
    return [f'<text x="{x:g}" y="{y + 18 * i:g}" class="legend">'
            f'{escape(line)}</text>' for i, line in enumerate(LEGEND)]


def draw_box(box: str) -> str:
    x, y = centre(box)
    return (f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" '
            f'width="{WIDTH}" height="{HEIGHT}" rx="6" class="box"/>\n'
            f'<text x="{x:g}" y="{y - 3:g}" class="name">'
            f'{box.rstrip("*")}</text>\n'
            f'<text x="{x:g}" y="{y + 14:g}" class="about">'
            f'{escape(BOXES[box][2])}</text>')


def draw_edge(edge: Edge, late: bool) -> str:
    """Return a line from border to border, down or, for some late imports,
    up."""
    (x1, y1), (x2, y2) = map(centre, edge)
    way = 1 if y2 > y1 else -1
    y1, y2 = y1 + way * HEIGHT / 2, y2 - way * (HEIGHT / 2 + 2)
    # lines in opposite directions are drawn apart
    side = 0 if way == 1 else 44
    shift = max(-40, min(40, (x2 - x1) / 6))
    dashes = ' stroke-dasharray="5 4"' if late else ''
    return (f'<path d="M{x1 + shift + side:.0f} {y1:g} '
            f'L{x2 - shift + side:.0f} {y2:g}"{dashes} class="edge" '
            'marker-end="url(#head)"/>')


STYLE = '''<style>
text { font-family: Helvetica, Arial, sans-serif; text-anchor: middle; }
.floor { font-size: 14px; text-anchor: end; fill: #5a6677; }
.legend { font-size: 12px; text-anchor: start; fill: #4c5866; }
.box { fill: #ffffff; stroke: #5b7fb4; stroke-width: 1.4; }
.name { font-size: 15px; font-weight: bold; fill: #1d2733; }
.about { font-size: 11.5px; fill: #4c5866; }
.edge { stroke: #66707c; stroke-width: 1.3; fill: none; }
</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5"
markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 1 L9 5 L0 9 z" fill="#66707c"/></marker></defs>'''


def draw() -> str:
    """Return the picture as SVG.

    Raises:
        ValueError: If packages and boxes do not match.
    """
    all_edges = edges()
    found = {box for edge in all_edges for box in edge}
    if found != set(BOXES):
        raise ValueError('BOXES and the packages of irsde_mm differ in '
                         f'{sorted(found ^ set(BOXES))}.')
    width = LEFT * 2 + COLUMN * 5
    height = TOP + ROW * FLOORS[-1][2] + HEIGHT / 2 + 22
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height:.0f}" viewBox="0 0 {width} {height:.0f}">',
        '<!-- made by tools/draw_architecture.py -->', STYLE,
        f'<rect width="{width}" height="{height:.0f}" fill="#ffffff"/>',
        *(draw_floor(*floor) for floor in FLOORS),
        *(draw_edge(*item) for item in drawn(all_edges).items()),
        *map(draw_box, BOXES), *draw_legend(), '</svg>', ''])


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    PICTURE.write_text(draw())
    print(PICTURE)


if __name__ == '__main__':
    main()
