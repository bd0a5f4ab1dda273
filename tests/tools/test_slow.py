"""The demo, the built package, and full-size networks; takes minutes."""
import json
import subprocess
import sys
import zipfile

import pytest
import torch
from conftest import ROOT, run_tool
from irsde_mm.models.networks import ConditionalNAFNet, ConditionalUNet

LPIPS = ROOT / 'weights/alexnet-owt-7be5be79.pth'  # made by make

pytestmark = pytest.mark.slow


def check_demo(out, tasks, pictures):
    summary = json.loads((out / 'summary.json').read_text())
    assert set(summary) == set(tasks)
    for entry in summary.values():
        assert set(entry) == {'input', 'restored', 'seconds'}
        for scores in (entry['input'], entry['restored']):
            assert {'psnr', 'ssim', 'psnr_y', 'ssim_y'} == set(
                scores) - {'lpips'}
            assert ('lpips' in scores) == LPIPS.is_file()
        assert 12 <= entry['input']['psnr_y'] <= 36
    assert {p.name for p in out.glob('*.png')} == set(pictures)
    for name in pictures:
        assert (out / name).stat().st_size > 50_000


def test_demo_with_few_iterations(tmp_path):
    """The demo replaces its earlier results and no other files."""
    out = tmp_path / 'demo'
    tasks = ('derain', 'denoise', 'deblur', 'sr', 'inpaint', 'dehaze')
    assert run_tool('demo', '--out', out, '--iters', 20) == 0
    check_demo(out, ['derain'], ['comparison.png', 'trajectory.png'])
    (out / 'mine.txt').write_text('mine')
    assert run_tool('demo', '--out', out, '--iters', 5, '--tasks', 'all') == 0
    check_demo(out, tasks, [
        f'{picture}_{task}.png' for task in tasks
        for picture in ('comparison', 'trajectory')])
    assert (out / 'mine.txt').read_text() == 'mine'


def test_demo_refuses_another_folder(tmp_path, capsys):
    (tmp_path / 'mine.txt').write_text('mine')
    assert run_tool('demo', '--out', tmp_path, '--iters', 1) == 2
    assert 'not made by the demo' in capsys.readouterr().err
    assert (tmp_path / 'mine.txt').read_text() == 'mine'


def test_wheel_contains_the_configs(tmp_path):
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--quiet',
         '--no-build-isolation', '--wheel-dir', str(tmp_path), str(ROOT)],
        check=True, capture_output=True)
    wheel, = tmp_path.glob('*.whl')
    names = zipfile.ZipFile(wheel).namelist()
    for config in (ROOT / 'configs').rglob('*.py'):
        assert (f'irsde_mm/.mim/configs/{config.relative_to(ROOT / "configs")}'
                in names)


@pytest.mark.parametrize('cls', [ConditionalUNet, ConditionalNAFNet])
def test_full_size_networks_run(cls):
    net, x = cls(), torch.rand(1, 3, 40, 24)
    with torch.no_grad():
        assert net(x, x, 50).shape == x.shape
