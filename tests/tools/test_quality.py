"""benchmark.py quality: scores, resuming, refused and failing entries."""
import csv
import functools
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import mmagic
import numpy as np
import pytest
import torch
import yaml
from conftest import ROOT, run_tool
from irsde_mm.model_files import bundled_models
from irsde_mm.registry import MODELS
from PIL import Image
from torchvision.models import alexnet

DERAIN = str(ROOT / 'configs' / 'quickstart' / 'derain.py')
BASELINE = """
_base_ = '{base}'
model = dict(
    _delete_=True, type='BaseEditModel',
    generator={generator},
    pixel_loss=dict(type='L1Loss'),
    data_preprocessor=dict(
        type='DataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
        output_channel_order='RGB'))
"""
SRCNN = dict(type='SRCNNNet', channels=(3, 4, 4, 3), kernel_sizes=(3, 1, 3),
             upscale_factor=1)
NAFNET = dict(type='NAFNet', img_channels=3, mid_channels=16,
              enc_blk_nums=[1, 1, 2], middle_blk_num=1, dec_blk_nums=[1, 1, 1])
PUBLISHED = dict(PSNR_Y=31.65, SSIM_Y=0.9041, LPIPS=0.047,
                 source='somewhere else')


def baseline(path: Path, generator: dict, base: str = DERAIN) -> str:
    path.write_text(BASELINE.format(base=base, generator=generator))
    return str(path)


def draw_photos(folder: Path, number: int, size=(48, 40)) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(number):
        small = Image.fromarray(rng.integers(0, 256, (12, 9, 3), np.uint8))
        small.resize(size, Image.Resampling.BICUBIC).save(folder / f'{i}.png')


@pytest.fixture(scope='module')
def photos(tmp_path_factory) -> Path:
    """A folder for --data with three test photos."""
    folder = tmp_path_factory.mktemp('photos')
    draw_photos(folder / 'train', 1)
    draw_photos(folder / 'val', 3)
    return folder


@pytest.fixture(scope='module')
def srcnn(tmp_path_factory) -> dict:
    """A model of mmagic with weights, as an entry of a suite."""
    folder = tmp_path_factory.mktemp('srcnn')
    config = baseline(folder / 'srcnn.py', SRCNN)
    torch.manual_seed(0)
    net = MODELS.build(dict(SRCNN, type='mmagic.SRCNNNet'))
    torch.save(dict(state_dict={f'generator.{key}': value for key, value
                                in net.state_dict().items()}),
               folder / 'srcnn.pth')
    return dict(config=config, checkpoint=str(folder / 'srcnn.pth'))


@pytest.fixture
def models(trained, srcnn) -> dict:
    tiny = dict(config=str(trained / 'derain.py'),
                checkpoint=str(trained / 'iter_2.pth'))
    return {'IR-SDE': tiny, 'SRCNN': srcnn}


def dump(suite: dict) -> str:
    return yaml.safe_dump(suite, sort_keys=False)


def write_suite(path: Path, models: dict, photos, **task) -> Path:
    data = dict(config=DERAIN, folder=str(photos), **task.pop('data', {}))
    path.write_text(dump(dict(name='first', tasks=dict(
        derain=dict(data=data, models=models, **task)))))
    return path


def quality(suite, out) -> int:
    return run_tool('benchmark', 'quality', '--suite', suite, '--out', out,
                    '--device', 'cpu')


def rows(out: Path) -> dict:
    """Return the rows of results.json by model and kind, after a check that
    results.csv and table.md agree with it."""
    found = json.loads((out / 'results.json').read_text())['results']
    with open(out / 'results.csv') as file:
        table = list(csv.DictReader(file))
    for row, line in zip(found, table, strict=True):
        assert {k: str(v) for k, v in row.items()} == {
            k: v for k, v in line.items() if v}
    text = (out / 'table.md').read_text()
    for row in found:
        assert f"| {row['model']} |" in text
        if 'PSNR' in row:
            assert f" {row['PSNR']:.2f} |" in text
    return {(row['model'], row['kind']): row for row in found}


# ------------------------------------------------------------------- scores


@pytest.mark.slow
def test_scores_equal_those_of_test(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # without weights
    photos = tmp_path / 'photos'  # large enough for NIQE
    for part, number in (('train', 1), ('val', 3)):
        draw_photos(photos / part, number, (216, 208))
    models['IR-SDE']['published'] = PUBLISHED
    models['one step'] = dict(
        models['IR-SDE'], steps=1, sampler='ode')
    del models['one step']['published']
    models['others'] = dict(published=dict(PUBLISHED, PSNR_Y=20.5))
    out = tmp_path / 'out'
    assert quality(write_suite(tmp_path / 's.yml', models, photos,
                               show=[0, 2]), out) == 0
    found = rows(out)
    assert list(found) == [
        ('input', 'input'), ('IR-SDE', 'measured'), ('IR-SDE', 'published'),
        ('SRCNN', 'measured'), ('one step', 'measured'),
        ('others', 'published')]
    for name in ('IR-SDE', 'SRCNN'):
        assert run_tool(
            'test', models[name]['config'], models[name]['checkpoint'],
            '--data', photos, '--work-dir', tmp_path / name) == 0
        scores, = (json.loads(p.read_text())
                   for p in (tmp_path / name).glob('2*/2*.json'))
        for key in ('PSNR', 'SSIM', 'PSNR_Y', 'SSIM_Y'):
            assert found[name, 'measured'][key] == scores[key]
            assert found['input', 'input'][key] == scores[f'input_{key}']
    calls = [found[name, 'measured']['network_calls']
             for name in ('IR-SDE', 'SRCNN', 'one step')]
    assert calls == [2, 1, 1]  # TINY's sampler takes two steps
    net = MODELS.build(dict(SRCNN, type='mmagic.SRCNNNet'))
    row = found['SRCNN', 'measured']
    assert row['parameters'] == sum(p.numel() for p in net.parameters())
    assert row['images'] == 3 and row['device'].startswith('cpu')
    assert 0 < row['seconds_per_megapixel'] < 1000 and row['NIQE'] > 0
    assert found['others', 'published']['PSNR_Y'] == 20.5
    text = (out / 'table.md').read_text()
    assert '| others | published |' in text
    assert 'others, published: somewhere else; not measured here' in text
    assert 'LPIPS, DISTS, FID: not measured' in text
    # the crops of two photos below them, five columns
    grid = plt.imread(out / 'grid_derain.png')
    assert grid.shape[1] == pytest.approx(90 * 3 * 5, abs=2)
    assert grid.std() > 0.1
    assert plt.imread(out / 'perception_distortion.png').std() > 0.05


def test_pictures(models, photos, tmp_path):
    out = tmp_path / 'out'
    assert quality(write_suite(tmp_path / 's.yml', models, photos, show=[1],
                               data=dict(images=2)), out) == 0
    pictures = {p.name: p for p in (out / 'pictures' / 'derain').iterdir()}
    assert len(pictures) == 4 and {'input_1.png', 'clean_1.png'} < set(
        pictures)
    clean = Image.open(photos / 'val' / '1.png')
    assert np.array_equal(clean, Image.open(pictures['clean_1.png']))
    assert rows(out)['SRCNN', 'measured']['images'] == 2


def test_lpips_needs_weights(models, photos, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    suite = write_suite(tmp_path / 's.yml', models, photos)
    assert quality(suite, 'out') == 0
    logged = ''.join(capfd.readouterr())
    assert 'LPIPS is skipped: no weights' in logged
    Path('weights').mkdir()
    torch.save({f'features.{key}': value for key, value
                in alexnet().features.state_dict().items()},
               'weights/alexnet-owt-7be5be79.pth')
    assert quality(suite, 'out') == 0  # measured again, with LPIPS
    for name in ('IR-SDE', 'SRCNN'):
        assert rows(Path('out'))[name, 'measured']['LPIPS'] > 0
    assert 'done before' not in capfd.readouterr().out
    assert 'FID, NIQE: not measured' in Path('out/table.md').read_text()


def test_files_that_contain_their_model(trained, photos, tmp_path):
    """An exported file and a checkpoint need no config."""
    exported = str(bundled_models()['derain'])
    checkpoint = str(trained / 'iter_2.pth')
    models = {
        'exported': dict(checkpoint=exported),
        'exported, config': dict(config='bundled/derain',
                                 checkpoint=exported),
        'checkpoint': dict(checkpoint=checkpoint, steps=1),
        'checkpoint, config': dict(config=str(trained / 'derain.py'),
                                   checkpoint=checkpoint, steps=1)}
    out = tmp_path / 'out'
    assert quality(write_suite(tmp_path / 's.yml', models, photos), out) == 0
    found = rows(out)
    for name in ('exported', 'checkpoint'):
        for key in ('PSNR', 'SSIM_Y', 'parameters', 'network_calls'):
            assert found[name, 'measured'][key] == (
                found[f'{name}, config', 'measured'][key])
    assert found['exported', 'measured']['network_calls'] == 1
    assert found['exported', 'measured']['PSNR'] != (
        found['checkpoint', 'measured']['PSNR'])


def test_crop_is_where_images_differ(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from benchmarks.figures import place
    clean = np.zeros((40, 60, 3), np.float32)
    degraded = clean.copy()
    degraded[25:35, 44:54] = 1
    assert place(degraded, clean) == (44, 25, 10)


def test_plot(tmp_path, monkeypatch):
    """It shows PSNR of the published channel, and LPIPS if available."""
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from benchmarks.figures import draw_plot, panel
    scores = dict(task='a', PSNR=20, PSNR_Y=21, NIQE=5)
    rows = [dict(scores, model='input', kind='input'),
            dict(scores, model='m', kind='measured'),
            dict(task='a', model='p, 22 calls', kind='published', PSNR_Y=30,
                 LPIPS=0.1),
            dict(task='b', model='q', kind='published', PSNR=30, LPIPS=0.1)]
    assert panel(rows, 'a') == ('PSNR_Y', 'NIQE', rows[1:2])
    rows[1]['DISTS'] = 0.3
    assert panel(rows, 'a') == ('PSNR_Y', 'DISTS', rows[1:2])
    rows[1]['LPIPS'] = 0.2
    assert panel(rows, 'a') == ('PSNR_Y', 'LPIPS', rows[1:3])
    assert panel(rows, 'b') == ('PSNR', 'NIQE', [])
    path = tmp_path / 'plot.png'
    assert draw_plot(rows, path) and plt.imread(path).shape[1] == 450
    assert not draw_plot(rows[3:], path) and not path.exists()


def test_plot_connects_the_calls_of_a_model(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from benchmarks.figures import grouped, panel
    common = dict(task='a', kind='measured')
    rows = [dict(task='a', kind='input', model='input', PSNR=20, LPIPS=0.5),
            dict(common, model='m, 1 call', PSNR=25, LPIPS=0.3),
            dict(common, model='m, 5 calls', PSNR=19, LPIPS=0.2),
            dict(common, model='bad, 1 call', PSNR=19, LPIPS=0.6),
            dict(common, model='other', PSNR=21, LPIPS=0.6)]
    points = panel(rows, 'a')[2]
    assert points == [rows[1], rows[2], rows[4]]  # bad is worse than the input
    assert grouped(points) == {'m': rows[1:3], 'other': rows[4:]}
    dial = [dict(common, model=f'm, 5 calls, crispness {s}')
            for s in ('0', '0.5')]
    assert grouped([*points, *dial]) == {
        'm': rows[1:3], 'other': rows[4:], 'm, 5 calls, crispness': dial}


# ----------------------------------------------------------------- resuming


def entries(out: Path) -> dict:
    return {p.name: p.stat().st_mtime_ns
            for p in (out / 'entries').iterdir()}


def test_resume_after_an_interruption(models, photos, tmp_path, capfd,
                                      monkeypatch):
    out, suite = tmp_path / 'out', write_suite(
        tmp_path / 's.yml', models, photos)
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from benchmarks import quality as module
    measure = module.measure

    def stop_at_the_second(*args):
        if list(out.glob('entries/*')):
            raise KeyboardInterrupt
        return measure(*args)

    monkeypatch.setattr(module, 'measure', stop_at_the_second)
    assert quality(suite, out) == 130
    first = entries(out)
    assert len(first) == 1 and not (out / 'table.md').exists()
    monkeypatch.setattr(module, 'measure', measure)
    assert quality(suite, out) == 0
    assert 'IR-SDE: done before' in capfd.readouterr().out
    second = entries(out)
    assert len(second) == 2 and first.items() < second.items()
    table = rows(out)
    assert quality(suite, out) == 0
    assert capfd.readouterr().out.count('done before') == 2
    assert entries(out) == second and rows(out) == table
    # a suite may grow
    models['more'] = dict(models['IR-SDE'], steps=1)
    assert quality(write_suite(suite, models, photos), out) == 0
    assert second.items() < entries(out).items()
    # another picture needs another measurement
    assert quality(write_suite(suite, models, photos, show=[1]), out) == 0
    assert capfd.readouterr().out.count('done before') == 2


def test_changed_weights_are_measured_again(models, photos, tmp_path, capfd):
    weights = tmp_path / 'weights.pth'
    content = torch.load(models['SRCNN']['checkpoint'])
    torch.save(content, weights)
    models['SRCNN'] = dict(models['SRCNN'], checkpoint=str(weights))
    out, suite = tmp_path / 'out', write_suite(
        tmp_path / 's.yml', models, photos)
    assert quality(suite, out) == 0
    before = rows(out)
    # the location of the file does not matter
    weights = weights.rename(tmp_path / 'moved.pth')
    models['SRCNN']['checkpoint'] = str(weights)
    write_suite(suite, models, photos)
    assert quality(suite, out) == 0 and rows(out) == before
    assert capfd.readouterr().out.count('done before') == 2
    content['state_dict']['generator.conv3.bias'] += 0.1
    torch.save(content, weights)
    assert quality(suite, out) == 0
    assert capfd.readouterr().out.count('done before') == 1
    after = rows(out)
    assert before['IR-SDE', 'measured'] == after['IR-SDE', 'measured']
    assert before['SRCNN', 'measured']['PSNR'] != after[
        'SRCNN', 'measured']['PSNR']


def test_changed_images_are_measured_again(models, tmp_path, capfd):
    draw_photos(tmp_path / 'train', 1)
    draw_photos(tmp_path / 'val', 2)
    out, suite = tmp_path / 'out', write_suite(
        tmp_path / 's.yml', models, tmp_path)
    assert quality(suite, out) == 0
    Image.new('RGB', (48, 40)).save(tmp_path / 'val' / '1.png')
    assert quality(suite, out) == 0
    assert 'done before' not in capfd.readouterr().out


# ----------------------------------------------------------------- training


@pytest.fixture
def here(monkeypatch):
    """Train in this process, which starts faster; count the runs."""
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    from benchmarks import runs
    started = []

    def run(command, **kwargs):
        started.append(command)
        code = run_tool(Path(command[1]).stem, *command[2:])
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(runs, 'subprocess', SimpleNamespace(run=run))
    return started


def test_missing_models_are_trained(here, photos, tmp_path, capfd):
    options = {'model.generator.width': 4, 'train_cfg.max_iters': 1,
               'train_dataloader.batch_size': 1}
    own = dict(config=DERAIN, options=options, train=str(tmp_path / 'a'))
    models = {
        '1 call': dict(own, steps=1), '2 calls': dict(own, steps=2),
        'other': dict(own, options={**options, 'train_cfg.max_iters': 2}),
        'both': dict(own, checkpoint='a.pth'),
        'wrong': dict(own, train=str(tmp_path / 'b'), options={
            **options, 'optim_wrapper.optimizer.lr': 'high'})}
    suite, out = tmp_path / 's.yml', tmp_path / 'out'
    write_suite(suite, models, photos, data=dict(metrics=['PSNR']))
    assert quality(suite, out) == 1
    assert len(here) == 2  # 1 call and wrong
    found = rows(out)
    assert [found[f'{n} call{"s"[:n - 1]}', 'measured']['network_calls']
            for n in (1, 2)] == [1, 2]
    assert 'SSIM' not in found['1 call', 'measured']
    assert torch.load(tmp_path / 'a' / 'iter_1.pth')['meta']['iter'] == 1
    shown = capfd.readouterr().err
    for name, words in (('other', 'a run with other settings'),
                        ('both', "both 'train' and 'checkpoint'"),
                        ('wrong', 'training stopped with exit code 2')):
        assert f'not run: derain / {name}: ' in shown and words in shown
    done = entries(out)
    assert quality(suite, out) == 1
    assert entries(out) == done and len(here) == 3  # wrong is tried again


@pytest.mark.slow
def test_training_is_a_process_of_its_own(photos, tmp_path):
    suite, out = tmp_path / 's.yml', tmp_path / 'out'
    write_suite(suite, dict(a=dict(
        config=DERAIN, train=str(tmp_path / 'a'), steps=1,
        options={'model.generator.width': 4, 'train_cfg.max_iters': 2})),
        photos)
    assert quality(suite, out) == 0
    assert rows(out)['a', 'measured']['images'] == 3
    assert 'Iter(train)' in (tmp_path / 'a/suite/train.log').read_text()


# --------------------------------------------------------- failing entries


def test_entries_that_cannot_be_run(models, photos, tmp_path, capfd):
    good = models['SRCNN']
    models.update({
        'silent': dict(config=good['config']),
        'alone': dict(checkpoint=good['checkpoint']),
        'gone': dict(good, checkpoint='gone.pth'),
        'no process': dict(models['IR-SDE'], checkpoint=good['checkpoint']),
        'process': dict(good, checkpoint=models['IR-SDE']['checkpoint']),
        'unknown': dict(good, config='irsde/dehraze'),
        'sampled': dict(good, steps=3),
        'quick': dict(models['IR-SDE'], sampler='quick')})
    path = write_suite(tmp_path / 's.yml', models, photos)
    suite = yaml.safe_load(path.read_text())
    suite['tasks']['no data'] = dict(
        data=dict(config='irsde/derain'),
        models=dict(a=good, b=dict(published=PUBLISHED)))
    suite['tasks']['no config'] = dict(models=dict(a=good))
    suite['tasks']['no folder'] = dict(models=dict(a=good), data=dict(
        config='irsde/derain', pairs=['{}_in', '{}_out']))
    path.write_text(dump(suite))
    out = tmp_path / 'out'
    assert quality(path, out) == 1
    shown = capfd.readouterr().err
    assert 'Traceback' not in shown
    listed = {(p['task'], p['what']): p['why'] for p in json.loads(
        (out / 'results.json').read_text())['not_run']}
    words = {
        ('derain', 'silent'): "has no 'checkpoint'",
        ('derain', 'alone'): 'does not contain its config',
        ('derain', 'gone'): "no checkpoint found at 'gone.pth'",
        ('derain', 'no process'): 'lacks',
        ('derain', 'process'): 'does not match the model',
        ('derain', 'unknown'): 'no config',
        ('derain', 'sampled'): 'not a diffusion model',
        ('derain', 'quick'): 'unknown sampler',
        ('no data', 'data'): 'data/rain100h/test',
        ('no config', 'data'): "has no 'config'",
        ('no folder', 'data'): "'pairs' but no 'folder'"}
    assert list(listed) == list(words)
    table = (out / 'table.md').read_text()
    for (task, what), word in words.items():
        assert word in listed[task, what]
        line = f'{task} / {what}: {listed[task, what]}'
        assert f'not run: {line}\n' in shown and f'- {line}\n' in table
    assert {key for key in rows(out) if key[1] != 'input'} == {
        ('IR-SDE', 'measured'), ('SRCNN', 'measured'), ('b', 'published')}


def test_random_degradations_are_refused(models, photos, tmp_path, capfd):
    """All models of a task must get the same inputs."""
    config = tmp_path / 'random.py'
    config.write_text(f"""
_base_ = '{DERAIN}'
test_dataloader = dict(dataset=dict(
    _delete_=True, type='irsde_mm.CleanImageDataset',
    data_root='{photos}/val', pipeline=[
        dict(type='LoadImageFromFile', key='gt'),
        dict(type='irsde_mm.GaussianNoise', sigma=0.1),
        dict(type='PackInputs')]))
test_evaluator = [dict(type='irsde_mm.PSNR')]
""")
    path = tmp_path / 's.yml'
    path.write_text(dump(dict(tasks=dict(random=dict(
        data=dict(config=str(config)), models=models)))))
    assert quality(path, tmp_path / 'out') == 1
    assert capfd.readouterr().err.count('degradation is not fixed') == 2
    assert not (tmp_path / 'out' / 'entries').exists()


def test_other_models_run_after_a_bug(models, photos, tmp_path, capfd):
    """A bug in one model is reported with its traceback."""
    config = baseline(tmp_path / 'large.py', dict(SRCNN, upscale_factor=2))
    models = {'large': dict(models['SRCNN'], config=config), **models}
    out = tmp_path / 'out'
    assert quality(write_suite(tmp_path / 's.yml', models, photos), out) == 1
    shown = capfd.readouterr().err
    assert 'Traceback' in shown and 'not run: derain / large: Value' in shown
    assert ('SRCNN', 'measured') in rows(out)


def test_select_one_of_several_sets(models, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    for name in ('McMaster', 'Kodak24', 'CBSD68'):
        draw_photos(Path('data/denoising_gaussian_test') / name, 1, (
            40, 40 if name == 'Kodak24' else 48))
    path = Path('s.yml')

    def suite(name):
        path.write_text(dump(dict(tasks=dict(denoise=dict(
            data=dict(config='irsde/denoise', set=name),
            models=dict(SRCNN=models['SRCNN']))))))
        return path

    assert quality(suite('Kodak24'), 'out') == 0
    assert Image.open('out/pictures/denoise/clean_0.png').size == (40, 40)
    assert quality(suite('Set5'), 'other') == 1
    assert 'McMaster, Kodak24, CBSD68' in capfd.readouterr().err


# ------------------------------------------------------------------ refused


def test_folders_of_other_suites_are_refused(models, photos, tmp_path, error):
    out, path = tmp_path / 'out', tmp_path / 's.yml'
    del models['IR-SDE']
    assert quality(write_suite(path, models, photos), out) == 0
    before = {p: p.read_bytes() for p in out.rglob('*') if p.is_file()}
    other = dict(yaml.safe_load(path.read_text()), name='second')
    path.write_text(dump(other))
    arguments = ['benchmark', 'quality', '--suite', path, '--out']
    text = error(*arguments, out)
    assert "suite 'first', not 'second'" in text
    write_suite(path, models, photos, data=dict(images=1))
    assert "'derain' on other data" in error(*arguments, out)
    assert before == {p: p.read_bytes() for p in out.rglob('*')
                      if p.is_file()}
    assert 'not results of a suite' in error(*arguments, photos)
    assert 'cannot write' in error(*arguments, '/dev/null/x')


@pytest.mark.parametrize('change, words', [
    (lambda s: s.pop('tasks'), 'has no tasks'),
    (lambda s: s.update(task=1), "unknown key 'task'.*name, tasks"),
    (lambda s: s['tasks'].update(a=1), r'tasks\.a must be a mapping'),
    (lambda s: s['tasks']['derain'].update(modles={}), "'modles'.*models"),
    (lambda s: s['tasks']['derain'].update(models={}), 'derain has no models'),
    (lambda s: s['tasks']['derain'].update(show=[-1]), r'show must be.*\[-1'),
    (lambda s: s['tasks']['derain']['data'].update(images=0), 'images must'),
    (lambda s: s['tasks']['derain']['data'].update(metrics=['PSRN']),
     'metrics must be a list of PSNR, SSIM'),
    (lambda s: s['tasks']['derain']['models']['SRCNN'].update(stpes=1),
     r"tasks\.derain\.models\.SRCNN has an unknown key 'stpes'"),
    (lambda s: s['tasks']['derain']['models'].update(
        a=dict(published=dict(PSNR=1))), 'needs scores and their source'),
    (lambda s: s['tasks']['derain']['models'].update(
        a=dict(published=dict(PSNR='x', source='y'))), 'PSNR must be a num'),
    (lambda s: s['tasks'].update({'derain ': s['tasks']['derain'],
                                  'derain_': s['tasks']['derain']}),
     'two tasks have the same name'),
])
def test_invalid_suites(change, words, srcnn, photos, tmp_path, error):
    import re
    path = write_suite(tmp_path / 's.yml', dict(SRCNN=srcnn), photos)
    suite = yaml.safe_load(path.read_text())
    change(suite)
    path.write_text(dump(suite))
    assert re.search(words, error('benchmark', 'quality', '--suite', path,
                                  '--out', tmp_path / 'out'))
    assert not (tmp_path / 'out').exists()


def test_missing_and_unreadable_suites(tmp_path, error):
    arguments = ['--out', tmp_path / 'out', '--suite', tmp_path / 's.yml']
    assert 'does not exist' in error('benchmark', 'quality', *arguments)
    (tmp_path / 's.yml').write_text('tasks: [')
    assert 'cannot be read' in error('benchmark', 'quality', *arguments)


# --------------------------------------------------- suite of a bundled model

DENOISE = ROOT / 'configs' / 'bundled' / 'denoise_suite.yml'


@functools.cache
def mmagic_models(name: str) -> list:
    folder = Path(mmagic.__file__).parent / '.mim' / 'configs'
    return yaml.safe_load((folder / name / 'metafile.yml').read_text())[
        'Models']


def in_mmagic(model: str, task: str, numbers: list) -> bool:
    """Return True if mmagic published these scores of a color denoiser."""
    name, sigma = task.split(', sigma ')
    return any(
        result['Dataset'] == name and set(numbers) <= set(
            result['Metrics'].values())
        for entry in mmagic_models(model.lower())
        if entry['Config'].endswith((f'color-sigma{sigma}.py',
                                     f'colorDN{sigma}.py'))
        for result in entry['Results'])


def in_documents(model: str, task: str, numbers: list) -> bool:
    """Return True if docs/tasks.md has these scores of a model."""
    line, = (line for line in (ROOT / 'docs' / 'tasks.md').read_text()
             .splitlines() if line.startswith(f'| {task} |'))
    text = ' / '.join(f'{number:.4f}'.lstrip('0').rstrip('0')
                      for number in numbers)
    return f"{model.split(',')[0]} {text}" in line


def test_published_numbers_are_in_their_source():
    checked = 0
    for task, content in yaml.safe_load(DENOISE.read_text())['tasks'].items():
        for model, entry in content['models'].items():
            numbers = dict(entry.get('published', {}))
            if numbers:
                checked += 1
                is_in = (in_mmagic if 'mmagic' in numbers.pop('source')
                         else in_documents)
                assert is_in(model, task, numbers.values()), (task, model)
    assert checked == 17


@pytest.mark.slow
def test_suite_of_the_bundled_denoising_model(tmp_path, monkeypatch):
    """Noise levels, and the same scores as test.py on the same sets."""
    monkeypatch.chdir(tmp_path)
    Path('irsde_mm').symlink_to(ROOT / 'irsde_mm')
    for name in ('McMaster', 'Kodak24'):
        draw_photos(Path('data/denoising_gaussian_test') / name, 1, (96, 80))
    out = tmp_path / 'out'
    assert quality(DENOISE, out) == 0
    found = {(row['task'], row['model']): row for row in json.loads(
        (out / 'results.json').read_text())['results']}
    for (task, model), row in found.items():
        if model == 'input':
            noise = 20 * np.log10(255 / int(task.rpartition(' ')[2]))
            assert noise - 0.5 < row['PSNR'] < noise + 2  # clipped
            assert found[task, 'bundled']['PSNR'] > row['PSNR'] + 3
    for sigma in (15, 25):
        assert run_tool(
            'test', 'bundled/denoise_test_sets',
            'irsde_mm/weights/denoise.safetensors', '--work-dir', f'{sigma}',
            '--cfg-options', "sets=['McMaster','Kodak24']",
            f'degradation.0.sigma={sigma}/255') == 0
        scores, = (json.loads(path.read_text())
                   for path in Path(f'{sigma}').glob('2*/2*.json'))
        for name in ('McMaster', 'Kodak24'):
            row = found[f'{name}, sigma {sigma}', 'bundled']
            for key in ('PSNR', 'SSIM', 'PSNR_Y', 'SSIM_Y'):
                assert row[key] == scores[f'{name}/{key}']


# --------------------------------------------------------------------- slow


@pytest.mark.slow
def test_a_suite_of_models_of_20_iterations(tmp_path):
    """Train three models for each of two tasks, then compare them."""
    tasks = {}
    for task in ('derain', 'denoise'):
        own = ROOT / 'configs' / 'quickstart' / f'{task}.py'
        configs = {'IR-SDE': str(own)}
        for name, generator in (('NAFNet', NAFNET), ('SRCNN', SRCNN)):
            configs[name] = baseline(tmp_path / f'{task}_{name}.py',
                                     generator, own)
        models = {}
        for name, config in configs.items():
            folder = tmp_path / f'{task}-{name}'
            assert run_tool('train', config, '--work-dir', folder,
                            '--cfg-options', 'train_cfg.max_iters=20') == 0
            models[name] = dict(config=config,
                                checkpoint=str(folder / 'iter_20.pth'))
        models['IR-SDE'].update(steps=3)
        tasks[task] = dict(data=dict(config=str(own)), models=models)
    suite, out = tmp_path / 's.yml', tmp_path / 'out'
    suite.write_text(dump(dict(tasks=tasks)))
    assert quality(suite, out) == 0
    results = json.loads((out / 'results.json').read_text())
    assert not results['not_run'] and len(results['results']) == 2 * 4
    for row in results['results']:
        assert 5 < row['PSNR'] < 60 and 0 < row['SSIM'] < 1 and row['NIQE']
        assert row['images'] == 3
        assert row.get('network_calls', 1) == (
            3 if row['model'] == 'IR-SDE' else 1)
    for name in ('grid_derain.png', 'grid_denoise.png',
                 'perception_distortion.png'):
        assert plt.imread(out / name).std() > 0.05
    done = entries(out)
    assert quality(suite, out) == 0 and entries(out) == done
