"""LPIPS, DISTS, FID and NIQE: values, weights, small images."""
from types import SimpleNamespace

import lpips
import numpy as np
import pytest
import torch
from conftest import ROOT
from irsde_mm.errors import CheckpointError
from irsde_mm.evaluation import DISTS, FID, LPIPS, NIQE
from irsde_mm.evaluation.frechet import frechet_distance
from mmagic.engine.runner import MultiTestLoop
from mmagic.evaluation import Evaluator
from mmagic.evaluation.functional.fid_inception import (InceptionV3,
                                                        fid_inception_v3)
from mmagic.evaluation.metrics.niqe import niqe
from scipy.linalg import sqrtm
from torch.utils.data import DataLoader
from torchvision.models import alexnet, vgg16


def random_weights(build) -> dict:
    """Return random weights; torchvision's own initialization is slow."""
    with torch.device('meta'):
        shapes = {key: value.shape
                  for key, value in build().state_dict().items()
                  if not key.endswith('num_batches_tracked')}
    g = torch.Generator().manual_seed(0)

    def values(key, shape):
        if len(shape) > 1:
            fan_in = np.prod(shape[1:])
            return torch.randn(shape, generator=g) * (2 / fan_in)**.5
        ones = key.endswith(('bn.weight', 'running_var'))
        return torch.ones(shape) if ones else torch.zeros(shape)

    return {key: values(key, shape) for key, shape in shapes.items()}


@pytest.fixture(scope='module')
def alex(tmp_path_factory):
    """A file like torchvision's, with a truncated classifier."""
    path = tmp_path_factory.mktemp('weights') / 'alex.pth'
    weights = random_weights(lambda: alexnet().features)
    weights = {f'features.{key}': value for key, value in weights.items()}
    torch.save({**weights, 'classifier.1.weight': torch.zeros(2)}, path)
    return str(path)


@pytest.fixture(scope='module')
def inception(tmp_path_factory):
    """A file like pytorch-fid's."""
    path = tmp_path_factory.mktemp('weights') / 'inception.pth'
    torch.save(random_weights(lambda: fid_inception_v3(False)), path)
    return str(path)


@pytest.fixture
def fid(inception):
    """FID with averages instead of Inception, which takes 1 s per image."""
    metric = FID(inception, device='cpu')
    metric.network = torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten())
    return metric


def sample(seed=0, size=(33, 40), channels=3, spread=20):
    g = torch.Generator().manual_seed(seed)
    gt = torch.randint(0, 256, (channels, *size), generator=g).byte()

    def near(s):
        return gt + s * torch.randn(gt.shape, generator=g)

    return dict(gt_img=gt, output=dict(pred_img=near(spread).clamp(0, 255)),
                input=near(3 * spread), gt_path=f'a/{seed}.png')


def perfect(**kwargs):
    s = sample(**kwargs)
    return {**s, 'output': dict(pred_img=s['gt_img'].float())}


def gray(s):
    return {'gt_img': s['gt_img'][:1], 'input': s['input'][:1],
            'output': {'pred_img': s['output']['pred_img'][:1]}}


def in_color(s):
    return {'gt_img': s['gt_img'].expand(3, -1, -1),
            'input': s['input'].expand(3, -1, -1),
            'output': {'pred_img': s['output']['pred_img'].expand(3, -1, -1)}}


def scores(metric, *samples):
    metric.results.clear()
    metric.process(None, list(samples))
    return metric.compute_metrics(metric.results)


def evaluate(samples, *metrics):
    """Run mmagic's test loop on samples; return the scores."""
    model = SimpleNamespace(
        eval=lambda: None, data_preprocessor=None, test_step=list)
    runner = SimpleNamespace(
        model=model, call_hook=lambda *args, **kwargs: found.update(
            kwargs.get('metrics', {})),
        build_evaluator=lambda evaluator: evaluator,
        visualizer=SimpleNamespace())
    found = {}
    MultiTestLoop(runner, DataLoader(samples, collate_fn=list),
                  Evaluator(list(metrics))).run()
    return found


def pretrained(build, path):
    """Return a function like torchvision's with the weights of a file."""

    def network(pretrained):
        with torch.device('meta'):
            network = build()
        network.classifier = torch.nn.Identity()
        network.load_state_dict({
            key: value for key, value in torch.load(path).items()
            if not key.startswith('classifier.')}, assign=True)
        return network

    return network


def package_lpips(monkeypatch, net, path):
    """Return the network of the lpips package."""
    build = dict(alex=('alexnet', alexnet), vgg=('vgg16', vgg16))[net]
    monkeypatch.setattr(f'torchvision.models.{build[0]}',
                        pretrained(build[1], path))
    return lpips.LPIPS(net=net, verbose=False)


def package_score(network, image, clean, **options):
    """Return the score of two images (C, H, W), BGR in 0..255."""
    with torch.no_grad():
        return network(*(x.float().flip(0)[None].clamp(0, 255) / 255
                         for x in (image, clean)), **options).item()


@pytest.mark.parametrize('net, key', [('alex', 'LPIPS'),
                                      ('vgg', 'LPIPS_VGG')])
def test_lpips_matches_the_package(net, key, alex, vgg16_file, tmp_path,
                                   monkeypatch):
    s, path = sample(), alex if net == 'alex' else vgg16_file
    network = package_lpips(monkeypatch, net, path)
    expected = package_score(network, s['input'], s['gt_img'], normalize=True)
    got = scores(LPIPS(path, net, device='cpu'), s)
    assert set(got) == {key, f'input_{key}'}
    assert got[f'input_{key}'] == pytest.approx(expected, rel=1e-5)
    assert 0 < got[key] < got[f'input_{key}']
    torch.save(network.state_dict(), tmp_path / 'all.pth')
    whole = LPIPS(str(tmp_path / 'all.pth'), net, device='cpu')
    assert scores(whole, s) == got


@pytest.fixture(scope='module')
def parameters(tmp_path_factory):
    """A file like that of DISTS' alpha and beta."""
    g = torch.Generator().manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'dists.pth'
    torch.save({key: torch.rand(1, 1475, 1, 1, generator=g)
                for key in ('alpha', 'beta')}, path)
    return str(path)


def test_dists_matches_the_package(vgg16_file, parameters, monkeypatch):
    package = pytest.importorskip('DISTS_pytorch.DISTS_pt')
    monkeypatch.setattr('torchvision.models.vgg16',
                        pretrained(vgg16, vgg16_file))
    network = package.DISTS(load_weights=False)
    for key, value in torch.load(parameters).items():
        getattr(network, key).data = value
    metric = DISTS(vgg16_file, parameters, device='cpu')
    for s in (sample(), gray(sample(1)), sample(2, (16, 33))):
        got = scores(metric, s)
        color = in_color(s) if len(s['gt_img']) == 1 else s
        for key, image in (('DISTS', color['output']['pred_img']),
                           ('input_DISTS', color['input'])):
            assert got[key] == pytest.approx(
                package_score(network, image, color['gt_img']), abs=1e-5)


#: Scores of the lpips and dists-pytorch packages with torchvision's weights
#: for the images of the next test.
MEASURED = {'LPIPS': 0.01707, 'input_LPIPS': 0.90080, 'LPIPS_VGG': 0.03383,
            'input_LPIPS_VGG': 0.49778, 'DISTS': 0.04934,
            'input_DISTS': 0.33814}


@pytest.mark.parametrize('metric', [
    LPIPS, lambda **kwargs: LPIPS(net='vgg', **kwargs), DISTS],
    ids=['LPIPS', 'LPIPS_VGG', 'DISTS'])
def test_scores_with_prepared_weights(metric, monkeypatch):
    """After tools/prepare_weights.py, which `make test` runs."""
    monkeypatch.chdir(ROOT)
    metric = metric(device='cpu')
    if not metric.has_weights:
        pytest.skip(f'no weights for {metric.key}: {metric.advice}')
    c, y, x = torch.meshgrid(torch.arange(3.), torch.arange(64.),
                             torch.arange(48.), indexing='ij')
    clean = 127.5 + 100 * torch.sin(x / 5 + c) * torch.cos(y / 7)
    shifted = 127.5 + 80 * torch.sin(x / 5 + c + .3) * torch.cos(y / 7)
    degraded = (clean + 60 * torch.sin(x * y)).clamp(0, 255)
    got = scores(metric, dict(
        gt_img=clean.flip(0), input=degraded.flip(0),
        output=dict(pred_img=shifted.flip(0))))
    assert len(got) == 2
    for key, value in got.items():
        assert value == pytest.approx(MEASURED[key], abs=1e-4)


def test_lpips_does_not_round(alex):
    metric = LPIPS(alex, device='cpu')
    s = perfect()
    assert scores(metric, s)['LPIPS'] == 0
    s['output']['pred_img'] = (s['output']['pred_img'] - 0.4).abs()
    assert scores(metric, s)['LPIPS'] > 0


def test_lpips_averages_and_repeats(alex):
    metric = LPIPS(alex, device='cpu')
    a, b = sample(0), sample(1, (50, 37))
    both = scores(metric, a, b)
    assert both['LPIPS'] == pytest.approx(np.mean(
        [scores(metric, s)['LPIPS'] for s in (a, b)]))
    assert scores(LPIPS(alex, device='cpu'), a, b) == both


def test_lpips_needs_31_pixels(alex, logged):
    metric, fine = LPIPS(alex, device='cpu'), sample(size=(31, 31))
    alone = scores(metric, fine)
    assert alone['LPIPS'] > 0 and not logged
    small = dict(sample(size=(30, 40)), gt_path='a/small.png')
    assert evaluate([small, fine], metric) == alone
    assert logged == ['LPIPS is not computed for 1 of 2 images (below 31x31 '
                    'pixels): small.png']
    assert evaluate([small], metric) == {}


@pytest.mark.parametrize('metric', [LPIPS, DISTS])
def test_vgg_needs_16_pixels(metric, vgg16_file, parameters, logged):
    options = dict(net='vgg') if metric is LPIPS else dict(
        parameters=parameters)
    metric = metric(weights=vgg16_file, device='cpu', **options)
    fine, small = (sample(size=(n, 20)) for n in (16, 15))
    assert evaluate([small, fine], metric) == scores(metric, fine)
    assert '(below 16x16 pixels)' in logged[0]


@pytest.mark.filterwarnings('ignore:Matrix is singular')
@pytest.mark.parametrize('size', [(12, 5), (7, 12), (2, 3)])
@pytest.mark.parametrize('width', [4, 9])
def test_frechet_distance_by_matrix_root(size, width):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(i, 1 + i, (n, width)) for i, n in enumerate(size))
    c1, c2 = (np.cov(x, rowvar=False) for x in (a, b))
    # the root of a singular product is exact to about 1e-7 only
    expected = np.sum((a.mean(0) - b.mean(0))**2) + np.trace(
        c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(a, b) == pytest.approx(expected, abs=1e-5)


def test_frechet_distance_of_known_gaussians():
    rng = np.random.default_rng(0)
    unit = rng.normal(size=(50, 3))
    unit -= unit.mean(0)
    unit = np.linalg.qr(unit)[0] * 7  # covariance is the identity
    a, b = unit * [1, 2, 3], unit[::-1] * [4, 2, 1] + [0, 3, 4]
    assert frechet_distance(a, b) == pytest.approx(25 + 9 + 0 + 4)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_nan():
    a = np.ones((3, 4), np.float32)
    assert np.isnan(frechet_distance(a, a * np.nan))


def test_fid_is_the_formula_on_inception_features(inception, monkeypatch):
    fid = FID(inception, device='cpu')
    samples = [sample(0), sample(1, (50, 37))]
    got = scores(fid, *samples)
    assert set(got) == {'FID', 'input_FID'}

    with torch.device('meta'):
        network = fid_inception_v3(False)
    network.load_state_dict(torch.load(inception), assign=True)
    monkeypatch.setattr('mmagic.evaluation.functional.fid_inception.'
                        'fid_inception_v3', lambda load: network)
    reference = InceptionV3().eval()  # same as in pytorch-fid

    def features(image):
        image = image.float().round().clamp(0, 255).flip(0)[None] / 255
        with torch.no_grad():
            return reference(image)[0].flatten().numpy()

    a = np.array([features(s['output']['pred_img']) for s in samples])
    b = np.array([features(s['gt_img']) for s in samples])
    kept = np.array([r['FID'] for r in fid.results])
    assert kept.shape == (2, 2048) and kept.dtype == np.float32
    np.testing.assert_allclose(kept, a, rtol=1e-3, atol=1e-4)
    assert got['FID'] == pytest.approx(frechet_distance(a, b), rel=1e-3)
    assert got['input_FID'] > got['FID'] > 0


def test_fid_of_equal_images(fid):
    assert scores(fid, perfect(seed=0), perfect(seed=1))['FID'] == \
        pytest.approx(0, abs=1e-6)


def test_fid_rounds(fid):
    a, b = perfect(seed=0), perfect(seed=1)
    for s in (a, b):
        s['output']['pred_img'] = s['output']['pred_img'] + 0.4
    assert scores(fid, a, b)['FID'] == pytest.approx(0, abs=1e-6)


def test_fid_of_one_image_is_skipped(fid, logged):
    assert evaluate([sample()], fid) == {}
    assert logged == [
        'FID is skipped: it needs at least two images, but got 1.']


def test_gray_is_three_equal_channels(alex, fid):
    a, b = gray(sample(0)), gray(sample(1))
    for metric in (LPIPS(alex, device='cpu'), fid):
        assert scores(metric, a, b) == scores(
            metric, in_color(a), in_color(b))


def test_input_of_another_size_is_not_scored(alex, fid):
    a, b = sample(0), sample(1)
    for s in (a, b):
        s['input'] = s['input'][:, ::4, ::4]
    assert set(scores(LPIPS(alex, device='cpu'), a, b)) == {'LPIPS'}
    assert set(scores(fid, a, b)) == {'FID'}
    del a['input'], b['input']
    assert set(scores(fid, a, b)) == {'FID'}


def test_metrics_without_weights_are_skipped(logged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metrics = [dict(type=f'irsde_mm.{name}') for name in
               ('PSNR', 'LPIPS', 'DISTS', 'FID', 'NIQE')]
    metrics[1:1] = [dict(type='irsde_mm.FID', weights=None)]
    got = evaluate([sample(i, (192, 192)) for i in range(2)], *metrics)
    assert set(got) == {'PSNR', 'input_PSNR', 'NIQE', 'input_NIQE'}
    assert logged == [
        "FID is skipped: no weights given (pytorch-fid's Inception-v3); see "
        'docs/tasks.md.',
        "LPIPS is skipped: no weights at 'weights/alexnet-owt-"
        "7be5be79.pth' (torchvision's AlexNet); run python "
        'tools/prepare_weights.py lpips.',
        "DISTS is skipped: no weights at 'weights/vgg16-397923af.pth' "
        "(torchvision's VGG16); run python tools/prepare_weights.py dists.",
        "FID is skipped: no weights at 'weights/pt_inception-"
        "2015-12-05-6726825d.pth' (pytorch-fid's Inception-v3); see "
        'docs/tasks.md.']


def test_all_metrics_in_one_pass(alex, fid):
    samples = [sample(i, (192, 192)) for i in range(2)]
    lpips, niqe = LPIPS(alex, device='cpu'), NIQE()
    got = evaluate(samples, fid, lpips, niqe, NIQE(prefix='more'))
    expected = {key: value for metric in (fid, lpips, niqe)
                for key, value in scores(metric, *samples).items()}
    assert set(expected) == {'FID', 'input_FID', 'LPIPS', 'input_LPIPS',
                             'NIQE', 'input_NIQE'}
    expected.update({f'more/{key}': value for key, value in expected.items()
                     if key.endswith('NIQE')})
    assert got == pytest.approx(expected)


def test_dists_without_its_parameters(vgg16_file, tmp_path, logged):
    path = tmp_path / 'dists.pth'
    assert evaluate([sample()], DISTS(vgg16_file, str(path))) == {}
    assert f"at '{path}' (DISTS' alpha and beta); run" in logged[0]
    torch.save(dict(alpha=torch.ones(3), beta=torch.ones(3)), path)
    with pytest.raises(CheckpointError, match='dists.pth.*alpha and beta'):
        evaluate([sample()], DISTS(vgg16_file, str(path)))


def test_weights_of_another_network_before_the_first_image(vgg16_file):
    with pytest.raises(CheckpointError, match='vgg16.pth.*AlexNet'):
        LPIPS(vgg16_file).prepare(
            SimpleNamespace(data_preprocessor=None), DataLoader([sample()]))


def test_unknown_net():
    with pytest.raises(ValueError, match="net must be 'alex' or 'vgg'"):
        LPIPS(net='squeeze')


@pytest.mark.parametrize('cls, name', [
    (LPIPS, 'AlexNet'), (FID, 'Inception-v3'), (DISTS, 'VGG16')])
@pytest.mark.parametrize('content', [
    b'no weights', b'', {'layer.weight': torch.ones(2)}, {1: 2}, [1],
    {'features.0.weight': torch.ones(2),
     'Conv2d_1a_3x3.conv.weight': torch.ones(2)}])
def test_wrong_weights(tmp_path, parameters, cls, name, content):
    path = tmp_path / 'wrong.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    options = dict(parameters=parameters) if cls is DISTS else {}
    metric = cls(str(path), device='cpu', **options)
    with pytest.raises(CheckpointError, match=rf'(?s)wrong\.pth.*{name}'):
        metric.process(None, [sample()])


def test_building_keeps_the_random_state(alex, inception):
    state = torch.get_rng_state()
    for metric in (LPIPS(alex, device='cpu'), FID(inception, device='cpu')):
        assert not metric.network.training
        assert not any(p.is_meta for p in metric.network.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def smooth(seed=0, **kwargs):
    """Return a sample whose pixels correlate with their neighbors."""
    s = sample(seed, **kwargs)
    image = torch.nn.functional.avg_pool2d(s['gt_img'].float(), 3, 1, 1)
    return {**s, 'output': dict(pred_img=image * 1.3 - 20)}


def test_niqe_matches_mmagic_on_rounded_images():
    s = smooth(size=(200, 300))
    image = s['output']['pred_img'].round().clamp(0, 255)
    expected = niqe(image.permute(1, 2, 0).numpy(), 4, convert_to='y')
    got = scores(NIQE(crop_border=4), s)
    assert set(got) == {'NIQE', 'input_NIQE'}
    assert got['NIQE'] == expected and np.isfinite(expected)
    assert scores(NIQE(crop_border=4), s) == got


def test_niqe_of_gray_images():
    s = gray(smooth(size=(192, 192)))
    image = s['output']['pred_img'][0].round().clamp(0, 255)
    assert scores(NIQE(), s)['NIQE'] == niqe(image.numpy(), 0, 'HW')


def test_niqe_skips_images_that_it_cannot_score(logged):
    fine = smooth(size=(192, 192))
    flat = sample(size=(192, 192))
    flat['output']['pred_img'] = torch.full((3, 192, 192), 128.)
    diverged = sample(size=(192, 192))
    diverged['output']['pred_img'] = torch.full((3, 192, 192), torch.nan)
    got = evaluate([sample(size=(191, 300)), fine, flat, diverged], NIQE())
    assert got == scores(NIQE(), fine)
    text, = logged
    assert text.startswith('NIQE is not computed for 3 of 4 images (below '
                           '192x192 pixels or without structure): ')
    assert evaluate([flat], NIQE()) == {}
    assert evaluate([fine], NIQE(crop_border=1)) == {}


def test_bad_crop_border():
    with pytest.raises(ValueError, match='crop_border'):
        NIQE(crop_border=-1)
