"""The package as mim, mmengine and pip find it."""
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import mmagic
import pytest
import yaml
from conftest import ROOT, run_tool
from irsde_mm.apis import init_restorer
from irsde_mm.config.files import PACKAGED, load_config
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.runner import Runner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
CONFIGS = ROOT / 'configs'
MODELS = [model for path in INDEX
          for model in yaml.safe_load((ROOT / path).read_text())['Models']]
DOCS = [path.read_text() for path in (ROOT / 'docs').glob('*.md')]


def test_every_config_is_in_the_index_once():
    assert {str(p.relative_to(ROOT)) for p in CONFIGS.glob('*/metafile.yml')
            } == set(INDEX)
    files = {str(p.relative_to(ROOT)) for p in CONFIGS.rglob('*.py')
             if '_base_' not in p.parts}
    assert sorted(model['Config'] for model in MODELS) == sorted(files)
    assert len({model['Name'] for model in MODELS}) == len(MODELS)


def test_metafiles_are_complete():
    for path in INDEX:
        meta = yaml.safe_load((ROOT / path).read_text())
        collections = meta['Collections']
        names = {collection['Name'] for collection in collections}
        assert {model['In Collection'] for model in meta['Models']} == names
        assert all(collection['Paper']['URL'].startswith(
            'https://arxiv.org/abs/') for collection in collections), path


def mmagic_results() -> list:
    """Return mmagic's published results as (weights, result)."""
    folder = Path(mmagic.__file__).parent / '.mim' / 'configs'
    return [(entry.get('Weights'), result)
            for path in folder.glob('*/metafile.yml')
            for entry in yaml.safe_load(path.read_text())['Models']
            for result in entry.get('Results') or []]


def test_results_are_in_their_source():
    """Ours and the papers' are in the documents, mmagic's in its metafile."""
    published, missing = mmagic_results(), []
    lines = [line for page in DOCS for line in page.splitlines()]
    results = [(model, result) for model in MODELS
               for result in model.get('Results', [])]
    assert len(results) > 30
    for model, result in results:
        assert result['Metrics'] and result['Source'] and result['Task']
        if 'mmagic' in result['Source']:
            text = [yaml.safe_dump(r) for weights, r in published
                    if weights == model['Weights']
                    and r['Dataset'] == result['Dataset']]
            numbers = [str(value) for value in result['Metrics'].values()]
        else:
            text = lines
            numbers = [f'{value:.4f}'.lstrip('0').rstrip('0')
                       for value in result['Metrics'].values()]
        if not any(all(number in line for number in numbers)
                   for line in text):
            missing.append((model['Name'], result['Dataset']))
    assert missing == []


def test_configs_are_found_by_name_and_through_mmengine():
    assert init_restorer('baselines/quickstart/derain_cnn') is not None
    cfg = get_config('irsde_mm::quickstart/derain.py')
    assert cfg.model == load_config('quickstart/derain').model
    assert (PACKAGED.parent / 'model-index.yml').read_text() == (
        ROOT / 'model-index.yml').read_text()


def test_inherit_from_a_config(tmp_path):
    """A config in any folder inherits through mmengine alone."""
    (tmp_path / 'mine.py').write_text('''
_base_ = 'irsde_mm::quickstart/derain.py'
model = dict(generator=dict(width=4), sampler=dict(num_steps=1))
val_evaluator = dict(metrics=_base_.val_evaluator.metrics[:1])
train_dataloader = _base_.train_dataloader
train_dataloader.batch_size = 2
train_cfg = dict(max_iters=1)
''')
    cfg = Config.fromfile(tmp_path / 'mine.py')
    cfg.val_dataloader.dataset.indices = 1
    cfg.work_dir = str(tmp_path / 'run')
    Runner.from_cfg(cfg).train()
    assert (tmp_path / 'run' / 'iter_1.pth').is_file()


def test_types_in_a_config_of_mmagic(tmp_path):
    """They are found without custom_imports."""
    (tmp_path / 'plain.py').write_text('''
_base_ = 'mmagic::_base_/default_runtime.py'
default_hooks = dict(checkpoint=dict(out_dir=None))
photos = dict(type='irsde_mm.BuiltinPhotos', split='test', indices=1)
crop = dict(type='Crop', keys=['gt'], crop_size=(32, 32))
rain = dict(type='irsde_mm.RainStreaks')
val_dataloader = train_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='InfiniteSampler'),
    dataset=dict(photos, pipeline=[crop, rain, dict(type='PackInputs')]))
val_dataloader = dict(train_dataloader, sampler=dict(type='DefaultSampler'))
val_evaluator = dict(type='Evaluator', metrics=dict(type='irsde_mm.PSNR'))
model = dict(
    type='BaseEditModel',
    generator=dict(type='SRCNNNet', channels=(3, 4, 4, 3), upscale_factor=1),
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(type='DataPreprocessor', mean=[0.] * 3,
                           std=[255.] * 3))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1, val_interval=1)
val_cfg = dict(type='MultiValLoop')
optim_wrapper = dict(type='OptimWrapper',
                     optimizer=dict(type='Adam', lr=1e-4))
''')
    assert run_tool('train', tmp_path / 'plain.py', '--work-dir',
                    tmp_path / 'run') == 0
    assert list((tmp_path / 'run').glob('best_PSNR*.pth'))


def packaged_files() -> set:
    """Return the files of the package, as in the repository: modules, the
    configs and metafiles, the weights and their cards."""
    tracked = subprocess.run(
        ['git', 'ls-files', 'irsde_mm', 'configs', 'model-index.yml'],
        cwd=ROOT, check=True, text=True, capture_output=True).stdout.split()
    own = {path for path in tracked if path.startswith('irsde_mm/')
           and '.mim/' not in path}
    configs = {f'irsde_mm/.mim/{path}' for path in set(tracked) - own
               if path.endswith(('.py', 'metafile.yml', 'model-index.yml'))
               and '.mim/' not in path}
    return own | configs


@pytest.mark.slow
def test_distributions_for_upload(tmp_path):
    """make dist: the wheel has these files and nothing else, and so has the
    package in the sdist, from which the wheel is built."""
    subprocess.run(
        [sys.executable, '-m', 'build', '--no-isolation', '--outdir',
         str(tmp_path / 'dist'), str(ROOT)], check=True, capture_output=True)
    made = sorted((tmp_path / 'dist').iterdir())
    assert [path.suffix for path in made] == ['.whl', '.gz']
    subprocess.run([sys.executable, '-m', 'twine', 'check', '--strict',
                    *map(str, made)], check=True, capture_output=True)
    with zipfile.ZipFile(made[0]) as wheel:
        names = set(wheel.namelist())
    info = {name for name in names if '.dist-info/' in name}
    assert {Path(name).name for name in info} == {
        'METADATA', 'WHEEL', 'RECORD', 'LICENSE', 'entry_points.txt',
        'top_level.txt'}
    assert names - info == packaged_files()
    with tarfile.open(made[1]) as sdist:
        inside = {name.partition('/')[2] for name in sdist.getnames()}
    assert {name for name in inside if name.startswith('irsde_mm/')
            and Path(name).suffix} == packaged_files()


def closure(extras: str = '') -> set:
    """Return the distributions that the project requires and their
    requirements, as far as they are installed here."""
    own = metadata.distribution('irsde-mm')
    found, missing = {}, set()
    todo = [(own, set(extras.split(',')))]
    while todo:
        dist, chosen = todo.pop()
        for text in dist.requires or []:
            need = Requirement(text)
            name = canonicalize_name(need.name)
            if name in found or name in missing or name == 'irsde-mm' or not (
                    need.marker is None or any(
                        need.marker.evaluate(dict(extra=extra))
                        for extra in chosen | {''})):
                continue
            try:
                found[name] = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                # for another platform, or left out of the lock file
                missing.add(name)
            else:
                todo.append((found[name], need.extras))
    return set(found.values())


def environment(folder: Path, extras: str = '') -> dict:
    """Make an environment with the wheel and its requirements, as far as they
    are installed here, and return its variables."""
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '--no-deps', '-q',
                    '--no-build-isolation', '-w', str(folder), str(ROOT)],
                   check=True, capture_output=True)
    venv = folder / 'venv'
    subprocess.run([sys.executable, '-m', 'venv', str(venv)], check=True)
    subprocess.run([str(venv / 'bin' / 'pip'), 'install', '--no-deps', '-q',
                    *map(str, folder.glob('*.whl'))], check=True,
                   capture_output=True, env=dict(PATH='/usr/bin:/bin'))
    linked = folder / 'linked'
    linked.mkdir()
    for dist in closure(extras):
        for file in dist.files or []:
            top = file.parts[0]
            source = Path(dist.locate_file(top))
            if top not in ('..', '__pycache__') and source.exists() \
                    and not (linked / top).exists():
                (linked / top).symlink_to(source)
    return dict(PATH=f'{venv / "bin"}:/usr/bin:/bin',
                PYTHONPATH=str(linked), PYTHONWARNINGS='ignore')


def run(env: dict, program: str, *args) -> subprocess.CompletedProcess:
    path = Path(env['PATH'].partition(':')[0]) / program
    return subprocess.run([str(path), *map(str, args)], text=True, env=env,
                          cwd=env['HOME'], capture_output=True)


@pytest.mark.slow
def test_restore_without_extras(tmp_path, photo):
    """Training fails and names the extra that it needs."""
    env = dict(environment(tmp_path), HOME=str(tmp_path))
    assert run(env, 'python', '-c', 'import mmengine').returncode == 1
    for task in ('derain', 'denoise', 'sr'):
        done = run(env, 'irsde', 'restore', photo, '--task', task, '--out',
                   tmp_path / task, '--compare')
        assert done.returncode == 0, done.stderr
        assert (tmp_path / task / 'my photo.png').is_file()
    for args in (('train', 'quickstart/derain'),
                 ('restore', photo, '--model', 'quickstart/derain',
                  '--checkpoint', photo, '--out', tmp_path / 'no')):
        done = run(env, 'irsde', *args)
        assert done.returncode == 2, done.stderr
        assert "pip install 'irsde-mm[train,lite]'" in done.stderr
        assert 'Traceback' not in done.stderr


@pytest.mark.slow
def test_extras_for_training(tmp_path):
    env = dict(environment(tmp_path, 'train,lite'), HOME=str(tmp_path))
    done = run(env, 'irsde', 'train', 'quickstart/derain', '--work-dir',
               tmp_path / 'run', '--cfg-options', 'train_cfg.max_iters=1',
               'model.generator.width=4', 'train_dataloader.num_workers=0')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'run' / 'iter_1.pth').is_file()


@pytest.mark.slow
def test_installed_copy_finds_its_configs(tmp_path):
    """The files of the wheel suffice, without the repository."""
    subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '--no-deps', '--quiet',
         '--no-build-isolation', '--target', str(tmp_path / 'site'),
         str(ROOT)], check=True, capture_output=True)
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'irsde_mm::baselines/quickstart/derain_cnn.py'\n")
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c',
         'import irsde_mm.registry\n'
         'from irsde_mm.apis import init_restorer\n'
         'from mmengine.config import Config\n'
         "Config.fromfile('mine.py')\n"
         "init_restorer('mine.py')\n"
         "init_restorer('derain')\n"
         'print(irsde_mm.__file__)'],
        check=True, text=True, capture_output=True, cwd=tmp_path,
        env={'PYTHONPATH': str(tmp_path / 'site'), 'PATH': '/usr/bin'}).stdout
    assert str(tmp_path / 'site') in out
    packaged = tmp_path / 'site' / 'irsde_mm' / '.mim'
    assert all((packaged / path).is_file()
               for path in ('model-index.yml', *INDEX))
    weights = {path.name for path in (ROOT / 'irsde_mm/weights').iterdir()}
    assert len(weights) == 14
    assert {path.name for path in (
        packaged.parent / 'weights').iterdir()} == weights
