"""The adapter of pyiqa, with a stand-in for the package and, if it is
installed, with pyiqa itself."""
import sys
from types import ModuleType

import pytest
import torch
from irsde_mm.errors import ConfigError, DataError
from irsde_mm.evaluation import PSNR, SSIM, IQAMetric


class Scorer:
    """Records its arguments; scores are means of the first channel."""

    lower_better = True

    def __init__(self, metric_mode: str, device, **options) -> None:
        self.metric_mode, self.device = metric_mode, device
        self.options, self.calls = options, []

    def __call__(self, image, *reference):
        if min(image.shape[-2:]) < 4:
            raise AssertionError('too\n small')
        self.calls.append((image, *reference))
        return image[:, 0].mean()[None]


@pytest.fixture
def pyiqa(monkeypatch) -> ModuleType:
    module = ModuleType('pyiqa')
    module.__version__ = '0'
    module.list_models = lambda: ['musiq', 'vif', 'fid', 'broken']
    made = []

    def create_metric(name, device, **options):
        if name == 'broken':
            raise OSError('no connection\nto the weights')
        made.append(Scorer('FR' if name == 'vif' else 'NR', device,
                           **options))
        return made[-1]

    module.create_metric, module.made = create_metric, made
    monkeypatch.setitem(sys.modules, 'pyiqa', module)
    return module


def sample(size=(8, 9), channels: int = 3) -> dict:
    generator = torch.Generator().manual_seed(0)
    clean, degraded, restored = (255 * torch.rand(
        3, channels, *size, generator=generator))
    return dict(gt_img=clean, input=degraded, output=dict(pred_img=restored),
                gt_path='x.png')


def scores(metric, *samples) -> dict:
    metric.process({}, list(samples))
    return metric.compute_metrics(metric.results)


@pytest.mark.parametrize('name, number', [('musiq', 1), ('vif', 2)])
def test_images_of_a_metric(pyiqa, name, number):
    """RGB in [0, 1], rounded to 8 bits, with a reference if it needs one."""
    metric = IQAMetric(name, crop_border=1, device='cpu',
                       options=dict(a=1))
    scorer, = pyiqa.made
    assert scorer.options == dict(a=1) and scorer.device.type == 'cpu'
    item = sample()
    got = scores(metric, item)

    def expected(image):
        return image[:, 1:-1, 1:-1].round().flip(0)[None] / 255

    restored, degraded = scorer.calls
    assert len(restored) == len(degraded) == number
    assert torch.equal(restored[0], expected(item['output']['pred_img']))
    assert torch.equal(degraded[0], expected(item['input']))
    if number == 2:
        assert torch.equal(restored[1], expected(item['gt_img']))
    assert got == {name: pytest.approx(float(restored[0][:, 0].mean())),
                   f'input_{name}': pytest.approx(
                       float(degraded[0][:, 0].mean()))}


def test_gray_images(pyiqa):
    metric = IQAMetric('musiq', device='cpu')
    scores(metric, sample(channels=1))
    image, = pyiqa.made[0].calls[0]
    assert image.shape == (1, 3, 8, 9)
    assert torch.equal(image[:, 0], image[:, 2])


@pytest.mark.parametrize('name, message', [
    ('other', "no metric 'other'"), ('fid', 'single images'),
    ('broken', 'no connection to the weights')])
def test_refused_metrics(pyiqa, name, message):
    with pytest.raises(ConfigError, match=message) as caught:
        IQAMetric(name, device='cpu')
    assert '\n' not in str(caught.value)


def test_bad_input(pyiqa):
    with pytest.raises(ValueError, match='crop_border'):
        IQAMetric('musiq', crop_border=-1)
    with pytest.raises(DataError, match='9x3 pixels: too small'):
        scores(IQAMetric('musiq', device='cpu'), sample((3, 9)))


def test_without_pyiqa(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyiqa', None)
    with pytest.raises(ConfigError, match=r'irsde-mm\[pyiqa\]'):
        IQAMetric('musiq')


@pytest.mark.parametrize('name, ours', [
    ('psnr', PSNR()), ('ssim', SSIM()), ('vif', None)])
def test_pyiqa_itself(name, ours):
    pytest.importorskip('pyiqa')
    item = sample((64, 72))
    item['output']['pred_img'] = item['gt_img'] + 8 * torch.randn(
        3, 64, 72, generator=torch.Generator().manual_seed(1))
    options = dict(test_y_channel=False) if ours else None
    got = scores(IQAMetric(name, device='cpu', options=options), item)
    assert got[name] > got[f'input_{name}']
    if ours is not None:
        want = scores(ours, item)
        assert got[name] == pytest.approx(want[ours.key], abs=2e-3)
