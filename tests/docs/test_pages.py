"""Every code block of the documentation and of README.md works.

Python is run, settings are built, and command lines are parsed by the tools.
Pages that are complete examples are run in test_extending.py and
test_mixing.py.
"""
import ast
import configparser
import importlib
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import yaml
from blocks import BLOCKS, OUTSIDE, PAGES, commands_of
from conftest import ROOT, run_tool
from irsde_mm import commands, registry
from irsde_mm.commands import cli
from irsde_mm.config.files import find_config, load_config
from irsde_mm.model_files import bundled_models
from irsde_mm.registry import find
from irsde_mm.version import __version__
from mmengine.registry import DefaultScope
from shards import png, write_tar
from spandrel.architectures.NAFNet import NAFNet

EXAMPLES = ('extending/', 'mixing_with_mmagic')
NODES = [node for node in vars(registry).values()
         if isinstance(node, registry.Registry) and node.scope == 'irsde_mm']
TINY = '''
model = dict(generator=dict(width=4))
train_cfg = dict(max_iters=2)
train_dataloader = dict(batch_size=2)
val_dataloader = dict(dataset=dict(indices=1))
'''


def blocks(*languages: str) -> list:
    return [b for b in BLOCKS if b.language in languages and not b.not_run]


def test_languages_of_blocks():
    """At most two blocks are not run."""
    assert {b.language for b in BLOCKS} <= {'bash', 'python', 'yaml', 'text'}
    assert len(BLOCKS) > 60
    assert sum(bool(b.not_run) for b in BLOCKS) <= 2


# --------------------------------------------------------------- python


@pytest.fixture
def folder(tmp_path, monkeypatch, trained, photo) -> Path:
    """The work folder, photo and folder that the pages refer to."""
    shutil.copytree(trained, tmp_path / 'work_dirs' / 'derain')
    shutil.copy(photo, tmp_path / 'photo.jpg')
    (tmp_path / 'holiday').mkdir()
    shutil.copy(photo, tmp_path / 'holiday' / 'beach.jpg')
    assert run_tool('export', trained, '--out',
                    tmp_path / 'derain.safetensors') == 0
    for i in range(2):
        write_tar(tmp_path / 'data' / 'shards' / f'train-0000{i}.tar',
                  {f'{i}.gt.png': png(i, (96, 96))})
    network = NAFNet(width=4, enc_blk_nums=[1], dec_blk_nums=[1])
    torch.save(network.state_dict(), tmp_path / 'NAFNet.pth')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    'block', [b for b in blocks('python')
              if not any(name in str(b.page) for name in EXAMPLES)], ids=str)
def test_python_block(block, folder):
    """Python runs, components are built, and other settings train."""
    if block.file:
        Path(block.file).write_text(block.text)
        build(load_config(block.file))
        return
    namespace, settings = {}, []
    tree = ast.parse(block.text)
    for statement in tree.body:
        exec(compile(ast.Module([statement], []), str(block), 'exec'),
             namespace)
        if isinstance(statement, ast.Assign) and isinstance(
                statement.targets[0], ast.Name):
            value = namespace[statement.targets[0].id]
            if isinstance(value, dict) and 'type' in value:
                component(value)
            elif isinstance(value, dict):
                settings.append(ast.unparse(statement))
    if settings:
        Path('settings.py').write_text('\n'.join(
            ["_base_ = 'irsde_mm::quickstart/derain.py'", *settings]))
        Path('tiny.py').write_text(f"_base_ = 'settings.py'{TINY}")
        assert run_tool('train', 'tiny.py') == 0


def component(config: dict):
    """Build a component of any kind from a dict with a type."""
    with DefaultScope.overwrite_default_scope('mmagic'):
        node, = [node for node in NODES if find(node, config['type'])]
        return node.build(config)


def build(cfg) -> None:
    """Build model and metrics of a config, and load a sample of its data."""
    component(cfg.model)
    with DefaultScope.overwrite_default_scope('mmagic'):
        for part in ('train', 'test'):
            loader = cfg[f'{part}_dataloader']
            assert registry.DATASETS.build(loader.dataset)[0]['inputs'].ndim
        for metric in cfg.test_evaluator.metrics:
            registry.METRICS.build(metric)


# ----------------------------------------------------------------- bash


@pytest.mark.parametrize('block', blocks('bash'), ids=str)
def test_commands(block, tmp_path, monkeypatch):
    """Tools, options, configs and make targets exist."""
    monkeypatch.chdir(ROOT)
    lines = commands_of(block, tmp_path)
    assert lines
    for program, *args in lines:
        check = dict(python=python, pip=pip, make=make, irsde=irsde,
                     bash=bash, docker=docker).get(program, script)
        check(block, program, args, monkeypatch)


def make(block, program, args, monkeypatch) -> None:
    target, = args
    assert re.search(rf'^{target}:', (ROOT / 'Makefile').read_text(), re.M)


def bash(block, program, args, monkeypatch) -> None:
    path, = args
    assert (ROOT / path).is_file()


def docker(block, program, args, monkeypatch) -> None:
    """Arguments of a build are in the Dockerfile, a container runs irsde."""
    dockerfile = (ROOT / 'Dockerfile').read_text()
    if args[0] == 'build':
        for text in args[1:]:
            name, given, _ = text.partition('=')
            assert not given or f'ARG {name}=' in dockerfile
        return
    assert args[0] == 'run' and 'ENTRYPOINT ["irsde"]' in dockerfile
    irsde(block, 'irsde', args[args.index('irsde_mm') + 1:], monkeypatch)


def pip(block, program, args, monkeypatch) -> None:
    assert args[0] == 'install'
    if args[1] == '-r':
        assert (ROOT / args[2]).is_file()
        return
    assert args[1] == '-e'
    package = re.fullmatch(r'\.(?:\[([\w,]+)\])?', args[2])
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    for extra in (package[1] or '').split(','):
        assert not extra or extra in setup['options.extras_require']


def script(block, program, args, monkeypatch) -> None:
    """tools/*.sh: their arguments, then those of train.py or test.py."""
    own = dict(dist_train='cn', dist_test='cpn', slurm_train='ppcw',
               slurm_test='ppcp')[Path(program).stem]
    assert len(args) >= len(own)
    given = dict(zip(own, args))
    assert 'n' not in own or given['n'].isdigit()
    tool = Path(program).stem.split('_')[1]
    paths = [a for kind, a in zip(own, args) if kind == 'p'][-1:]
    python(block, program, [f'tools/{tool}.py', given['c'],
                            *(paths if tool == 'test' else []),
                            *args[len(own):]], monkeypatch)


def irsde(block, program, args, monkeypatch) -> None:
    known(block, commands.load(args[0]).parser().parse_args(args[1:]))


def python(block, program, args, monkeypatch) -> None:
    """The tool's parser accepts the line."""
    if args[0] == '-m':
        module, *args = args[1:]
        assert find_spec(module)
        assert all((ROOT / path).exists() for path in args if '/' in path)
        return
    tool, *args = args
    assert (ROOT / tool).is_file()
    if tool.startswith('examples/'):  # run by the tests of their topic
        return
    assert tool.startswith('tools/')
    taken = []

    def parse(main, parser):
        parser.add_argument('--debug', action='store_true')
        taken.append(parser.parse_args())

    monkeypatch.setattr(cli, 'run', parse)
    assert run_tool(Path(tool).stem, *args) == 0, args
    known(block, *taken)


def known(block, args) -> None:
    """Configs, models and suites that a command names exist."""
    here = {b.file for b in BLOCKS if b.page == block.page}
    for name in ('config', 'model', 'task', 'suite'):
        value = getattr(args, name, None)
        if value and value not in here and not is_made_by_user(value):
            assert (value in bundled_models() or (ROOT / value).is_file()
                    or find_config(value))


def is_made_by_user(name: str) -> bool:
    """Return True for placeholders and for files that training writes."""
    return name.isupper() or name.startswith(('work_dirs/', 'hf://')) or (
        Path(name).suffix in ('.safetensors', '.pth', '.onnx', '.pt2')
        or name == 'suite.yml')


# ----------------------------------------------------------------- rest


@pytest.mark.parametrize('block', blocks('yaml'), ids=str)
def test_suite(block, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / 'tools')
    from benchmarks.suite import read_suite
    path = tmp_path / 'suite.yml'
    path.write_text(block.text)
    tasks = read_suite(str(path))['tasks']
    here = {b.file for b in BLOCKS if b.page == block.page}
    for task in tasks.values():
        for part in (task['data'], *task['models'].values()):
            assert 'config' not in part or part['config'] in here or (
                find_config(part['config']))
    assert len(tasks) == block.text.count('data:')


def test_reference_has_every_public_name():
    """Every exported name is on one page, once."""
    pages = '\n'.join(p.read_text() for p in PAGES
                      if p.parent.name == 'reference')
    names = re.findall(r'^::: (\S+)$', pages, re.M)
    assert len(set(names)) == len(names)
    shown = {name.rpartition('.')[2] for name in names}
    # aliases of names that are on a page
    aliases = {'NoiseFn', 'Denoiser', 'boxed_models'}
    for name in ('sde', 'samplers', 'networks', 'inference', 'model_files',
                 'models', 'models.networks', 'models.losses',
                 'models.restorers', 'apis', 'datasets',
                 'datasets.transforms', 'evaluation', 'engine',
                 'engine.hooks', 'scale'):
        package = importlib.import_module(f'irsde_mm.{name}')
        assert set(package.__all__) - aliases <= shown, name


def test_navigation_and_links():
    text = (ROOT / 'mkdocs.yml').read_text()
    for page in set(PAGES) - set(OUTSIDE):
        assert str(page.relative_to(ROOT / 'docs')) in text
        for link in re.findall(r'\]\(([^)#:]+\.md)', page.read_text()):
            assert (page.parent / link).is_file(), f'{page}: {link}'
    assert not re.search('unpkg|cdn|fonts.google', text)


def test_changelog_begins_with_this_version():
    """A version in development is unreleased."""
    version, note = re.search(r'^## (\S+)(.*)$', (
        ROOT / 'CHANGELOG.md').read_text(), re.M).groups()
    assert version == __version__.removesuffix('.dev0')
    assert (note == ' (unreleased)') == __version__.endswith('.dev0')
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == version


@pytest.mark.slow
def test_site(tmp_path):
    """make docs is strict, and its pages load nothing from other servers."""
    import subprocess
    done = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir',
         tmp_path / 'site'], cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / 'site').rglob('*.html'))
    assert len(pages) >= len(PAGES) - len(OUTSIDE)
    for page in pages:
        text = page.read_text()
        loads = re.findall(r'<(?:script|img|iframe)[^>]*\ssrc="?([^">\s]+)',
                           text)
        loads += re.findall(r'<link[^>]*\shref="?([^">\s]+)', text)
        assert not [url for url in loads if '//' in url], page
