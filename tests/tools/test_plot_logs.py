"""Curves of logs, also of runs that were killed and resumed."""
import json
import shutil

import pytest
from conftest import TINY, run_tool
from training_logs import draw_runs, read_run, read_runs
from PIL import Image

OPTIONS = [*TINY[:-1], 'default_hooks.logger.interval=1',
           'val_dataloader.dataset.indices=1',
           'default_hooks.checkpoint.interval=2', 'train_cfg.val_interval=2']


@pytest.fixture(scope='module')
def resumed(tmp_path_factory):
    """A run of three iterations that was killed before the third was saved
    and resumed up to four, with validations after every second iteration."""
    folder = tmp_path_factory.mktemp('logs') / 'resumed'
    args = ['quickstart/derain', '--work-dir', folder]
    assert run_tool('train', *args, '--cfg-options', *OPTIONS,
                    'train_cfg.max_iters=3') == 0
    (folder / 'iter_3.pth').unlink()
    (folder / 'last_checkpoint').unlink()
    log, = folder.glob('*/vis_data/scalars.json')
    with log.open('a') as file:
        file.write('{"lr": 0.0005, "lo')
    assert run_tool('train', *args, '--resume', folder / 'iter_2.pth',
                    '--cfg-options', *OPTIONS, 'train_cfg.max_iters=4') == 0
    return folder


def lines(run) -> list:
    """Return the logged rows of every attempt."""
    return [[json.loads(line) for line in path.read_text().split('\n')
             if line.endswith('}')]
            for path in sorted(run.glob('*/vis_data/scalars.json'))]


def test_read_a_resumed_run(resumed):
    first, second = lines(resumed)
    assert [row['step'] for row in first] == [1, 2, 2, 3, 3]
    assert [row['step'] for row in second] == [3, 4, 4]
    log = read_run(resumed)
    assert list(log.index) == [1, 2, 3, 4]
    assert log.loss[[1, 2]].tolist() == [first[0]['loss'], first[1]['loss']]
    assert log.loss[[3, 4]].tolist() == [row['loss'] for row in second[:2]]
    # the validation at 3, the former end, is not part of the resumed run
    scores = log.PSNR.dropna()
    assert list(scores.index) == [2, 4]
    assert scores.tolist() == [first[2]['PSNR'], second[2]['PSNR']]


def test_curves_show_the_log(resumed, tmp_path):
    out = tmp_path / 'plot.png'
    figure = draw_runs(read_runs([str(resumed)]), out)
    panels = {axis.get_title(): axis.lines[0] for axis in figure.axes}
    assert list(panels) == ['loss', 'PSNR', 'SSIM', 'lr']
    log = read_run(resumed)
    for key, line in panels.items():
        assert line.get_ydata().tolist() == log[key].dropna().tolist()
    smooth = draw_runs(read_runs([str(resumed)]), out, smooth=2).axes[0].lines
    assert len(smooth) == 2, 'the raw values stay visible'
    assert smooth[1].get_ydata()[-1] == pytest.approx(log.loss[[3, 4]].mean())


def test_compare_runs(resumed, tmp_path, capsys):
    other = shutil.copytree(resumed, tmp_path / 'other')
    out = tmp_path / 'new' / 'plot.png'
    assert run_tool('plot_logs', resumed, other, '--out', out,
                    '--keys', 'PSNR', 'nothing') == 0
    assert 'resumed: 4 logged iterations up to 4' in capsys.readouterr().out
    with Image.open(out) as picture:
        assert picture.size[0] < 600, 'one panel: no run logs the other key'
    namesake = shutil.copytree(resumed, tmp_path / 'x' / 'other')
    assert list(read_runs([str(resumed), str(other), str(namesake)])) == [
        'resumed', str(other), str(namesake)]


def test_logs_of_other_projects(tmp_path):
    """Several sets and optimizers, validations with step 0, and a return to
    an earlier checkpoint."""
    rows = [dict(step=10, iter=10, loss=1., **{'generator.lr': 0.1}),
            {'step': 0, 'Set5/PSNR': 20., 'Set14/PSNR': 19.},
            dict(step=20, iter=20, loss=9.),
            dict(step=15, iter=15, loss=.5)]
    path = tmp_path / 'scalars.json'
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    log = read_run(path)
    assert list(log.index) == [10, 15] and log.loss.tolist() == [1., .5]
    assert log['Set5/PSNR'][10] == 20.
    figure = draw_runs({'a': log}, tmp_path / 'plot.png')
    assert [axis.get_title() for axis in figure.axes] == [
        'loss', 'PSNR', 'lr']
    assert len(figure.axes[1].lines) == 2


def test_refused_arguments(resumed, tmp_path, error):
    out = tmp_path / 'plot.png'
    tool = ['plot_logs', '--out', out]
    assert 'does not exist' in error(*tool, tmp_path / 'nowhere')
    assert 'no training log' in error(*tool, tmp_path)
    bad = tmp_path / 'bad.json'
    bad.write_text('{"step": 1, "loss": 2}\nnot this\n')
    assert 'line 2' in error(*tool, bad)
    bad.write_text('{"loss": 2}\n')
    assert 'line 1' in error(*tool, bad)
    bad.write_text('')
    assert 'no log entries' in error(*tool, bad)
    assert 'only' in error(*tool, resumed, '--keys', 'FID')
    assert 'at least 1' in error(*tool, resumed, '--smooth', '0')
    assert '.png' in error('plot_logs', resumed, '--out', tmp_path / 'x.txt')
    assert not out.exists()
    out.touch()
    assert 'not overwritten' in error(*tool, resumed)
