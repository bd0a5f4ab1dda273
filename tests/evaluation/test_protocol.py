"""Metrics of the published protocol against independent computations."""
import numpy as np
import pytest
import torch
from irsde_mm.evaluation import PSNR, SSIM
from mmagic.evaluation.metrics import PSNR as MmagicPSNR
from mmagic.evaluation.metrics.ssim import ssim as mmagic_ssim


def sample(size=(32, 40), spread=20, name='a/x.png', channels=3):
    g = torch.Generator().manual_seed(0)
    gt = torch.randint(0, 256, (channels, *size), generator=g).byte()

    def near(s):
        return (gt + s * torch.randn(gt.shape, generator=g)).clamp(0, 255)

    return dict(gt_img=gt, output=dict(pred_img=near(spread)),
                input=near(2 * spread), gt_path=name)


def scores(metric, *samples):
    metric.process(None, list(samples))
    return metric.compute_metrics(metric.results)


def test_psnr_is_the_formula():
    s = sample()
    a = s['output']['pred_img'].numpy().round()[:, 4:-4, 4:-4]
    b = s['gt_img'].numpy().astype(float)[:, 4:-4, 4:-4]
    expected = 10 * np.log10(255**2 / ((a - b)**2).mean())
    got = scores(PSNR(crop_border=4), s)
    assert got['PSNR'] == pytest.approx(expected, abs=1e-9)
    assert got['input_PSNR'] < got['PSNR'] - 3


def test_luma_has_matlab_weights():
    s = sample()

    def luma(image):  # BGR
        b, g, r = image[:, 4:-4, 4:-4]
        return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255

    a = luma(s['output']['pred_img'].numpy().round())
    b = luma(s['gt_img'].numpy().astype(float))
    expected = 10 * np.log10(255**2 / ((a - b)**2).mean())
    got = scores(PSNR(channel='y', crop_border=4), s)
    assert got['PSNR_Y'] == pytest.approx(expected, abs=1e-4)


def test_images_are_rounded():
    s = sample()
    s['gt_img'] = s['gt_img'].clamp(0, 254)
    s['output']['pred_img'] = s['gt_img'] + 0.4
    assert scores(PSNR(), s)['PSNR'] == float('inf')
    plain = MmagicPSNR()
    plain.process(None, [s])
    assert plain.results[0]['PSNR'] < 60, 'mmagic does not round'


def test_ssim_matches_mmagic_on_rounded_images():
    s = sample()
    a = s['output']['pred_img'].round().permute(1, 2, 0).numpy()
    expected = mmagic_ssim(a, s['gt_img'].permute(1, 2, 0).numpy(),
                           crop_border=4)
    got = scores(SSIM(crop_border=4), s)
    assert got['SSIM'] == pytest.approx(expected, abs=1e-4)
    y = scores(SSIM(channel='y', crop_border=4), s)
    expected = mmagic_ssim(
        a, s['gt_img'].permute(1, 2, 0).numpy(), crop_border=4,
        convert_to='Y', channel_order='BGR')
    assert y['SSIM_Y'] == pytest.approx(expected, abs=1e-4)


def test_mean_over_images():
    a, b = sample(), sample((48, 64), 60)
    both = scores(PSNR(), a, b)['PSNR']
    assert both == pytest.approx(
        (scores(PSNR(), a)['PSNR'] + scores(PSNR(), b)['PSNR']) / 2)


def test_no_input_score_without_input():
    s = sample()
    del s['input']
    assert set(scores(PSNR(), s)) == {'PSNR'}


def test_gray_images():
    s = sample(channels=1)
    got = scores(PSNR(channel='y'), s)
    assert got['PSNR_Y'] == scores(PSNR(), s)['PSNR']


@pytest.mark.parametrize('metric, size, words', [
    (PSNR(crop_border=4), (8, 9), 'below 1x1 pixels after crop_border=4'),
    (SSIM(), (10, 20), 'below 11x11 pixels'),
    (SSIM(channel='y', crop_border=2), (30, 14),
     'below 11x11 pixels after crop_border=2')])
def test_too_small_images_are_skipped(metric, size, words, logged):
    """They are named and do not change the mean."""
    fine = sample()
    metric.process(None, [fine])
    alone = metric.compute_metrics(metric.results)
    assert len(alone) == 2 and not logged
    metric.process(None, [sample(size, name='b/small.png')])
    assert metric.compute_metrics(metric.results) == alone
    assert logged == [f'{metric.key} is not computed for 1 of 2 images '
                    f'({words}): small.png']
    assert metric.compute_metrics(metric.results[1:]) == {}


def test_diverged_results_are_not_skipped():
    s = sample()
    s['output']['pred_img'][:] = float('nan')
    assert np.isnan(scores(PSNR(), s)['PSNR'])


def test_bad_arguments():
    with pytest.raises(ValueError, match='channel'):
        PSNR(channel='luma')
    with pytest.raises(ValueError, match='crop_border'):
        SSIM(crop_border=-1)
