"""Pixel losses and SumLoss: values, and what a model sees of them."""
import copy

import pytest
import torch
from conftest import build_sde
from irsde_mm.errors import CheckpointError, ConfigError
from irsde_mm.models import (DetailLoss, IRSDERestorer, PerceptualLoss,
                             SumLoss)
from irsde_mm.models.losses import LikelihoodLoss
from irsde_mm.models.restorers.times import check_objective
from irsde_mm.networks import VGG16Features
from irsde_mm.registry import MODELS
from irsde_mm.sde import (GOUB, IRSDE, VPSDE, CleanOutput, EulerNoiseOutput,
                          NoiseOutput)
from mmagic.structures import DataSample
from torchvision.models import vgg16

L1, L2 = dict(type='mmagic.L1Loss'), dict(type='mmagic.MSELoss')
EULER = dict(type='irsde_mm.MaximumLikelihoodLoss')
EXACT = dict(EULER, exact=True)
LIKELIHOOD = dict(type='irsde_mm.LikelihoodLoss')


def perceptual(path, **options):
    return dict(type='irsde_mm.PerceptualLoss', weights=path, **options)


# ------------------------------------------------------------------ features


@pytest.mark.parametrize('layers', [
    ['relu1_2'], ['relu3_3', 'relu2_1'], ['relu5_3']])
def test_features_are_those_of_torchvision(layers, vgg16_file):
    weights = torch.load(vgg16_file)
    with torch.device('meta'):
        whole = vgg16().features
    whole.load_state_dict({key.removeprefix('features.'): value
                           for key, value in weights.items()}, assign=True)
    network = VGG16Features(layers)
    network.load_state_dict({
        key: weights[key] for key in network.state_dict()})
    image = torch.rand(2, 3, 20, 17)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (
        (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x, expected, names = (image - mean) / std, {}, iter((
        'relu1_1', 'relu1_2', 'relu2_1', 'relu2_2', 'relu3_1', 'relu3_2',
        'relu3_3', 'relu4_1', 'relu4_2', 'relu4_3', 'relu5_1', 'relu5_2',
        'relu5_3'))
    with torch.no_grad():
        got = network(image)
        for layer in whole[:30]:  # without the last pooling
            x = layer(x)
            if isinstance(layer, torch.nn.ReLU):
                expected[next(names)] = x
    assert set(got) == set(layers)
    for name in layers:
        torch.testing.assert_close(got[name], expected[name], rtol=1e-4,
                                   atol=1e-4)


@pytest.mark.parametrize('layers', [[], ['relu1_3'], ['conv1_1']])
def test_unknown_layers(layers):
    with pytest.raises(ValueError, match='layers must be some of relu1_1'):
        PerceptualLoss(layers=layers)


def test_features_stop_at_the_deepest_layer():
    with torch.device('meta'):
        sizes = [sum(p.numel() for p in VGG16Features([name]).parameters())
                 for name in ('relu1_1', 'relu3_3', 'relu5_3')]
    assert sizes[0] == 3 * 64 * 9 + 64 and sizes[2] == 14_714_688
    assert sizes[1] == 1_735_488


# ----------------------------------------------------------- perceptual loss


@pytest.mark.parametrize('options', [
    {}, dict(layers=['relu2_2']), dict(kind='lpips')])
def test_perceptual_loss_is_a_distance(options, vgg16_file):
    """0 for equal images, larger for larger differences; its gradient leads
    to the target."""
    loss = MODELS.build(perceptual(vgg16_file, **options))
    clean = torch.rand(2, 3, 16, 18)
    noise = torch.randn_like(clean)
    assert loss(clean, clean) == 0
    near, far = (loss(clean + s * noise, clean) for s in (.1, .5))
    assert 0 < near < far and near.shape == ()
    assert loss(clean + 5, clean).isfinite()  # beyond the range
    pred = (clean + .3 * noise).requires_grad_()
    grad, = torch.autograd.grad(loss(pred, clean), pred)
    assert (grad * noise).sum() > 0
    half = MODELS.build(perceptual(vgg16_file, loss_weight=0.5, **options))
    torch.testing.assert_close(half(clean + noise, clean),
                               loss(clean + noise, clean) / 2)


def test_perceptual_loss_sums_layers(vgg16_file):
    def value(*layers):
        return PerceptualLoss(layers=layers, weights=vgg16_file)(a, b)

    a, b = torch.rand(2, 1, 3, 8, 8)
    torch.testing.assert_close(value('relu1_2', 'relu2_2'),
                               value('relu1_2') + value('relu2_2'))


def test_perceptual_loss_of_gray_and_half_precision_images(vgg16_file):
    loss = PerceptualLoss(weights=vgg16_file)
    a, b = torch.rand(2, 2, 1, 8, 8)
    expected = loss(a.repeat(1, 3, 1, 1), b.repeat(1, 3, 1, 1))
    torch.testing.assert_close(loss(a, b), expected)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(loss(a, b), expected)


@pytest.mark.parametrize('options, side', [
    ({}, 4), (dict(layers=['relu1_2']), 1), (dict(kind='lpips'), 16)])
def test_smallest_images(options, side, vgg16_file):
    loss = PerceptualLoss(weights=vgg16_file, **options)
    small = torch.rand(1, 3, side, side)
    assert loss(small, 1 - small) > 0
    if side > 1:
        with pytest.raises(ConfigError, match=f'{side}x{side} pixels, but '
                           f'got {side}x{side - 1}'):
            loss(small[:, :, 1:], small[:, :, 1:])


def test_unknown_kind():
    with pytest.raises(ValueError, match="kind must be 'vgg' or 'lpips'"):
        PerceptualLoss(kind='alex')


def test_missing_and_wrong_weights(tmp_path):
    command = 'run python tools/prepare_weights.py lpips'
    with pytest.raises(CheckpointError, match=f"no.*none.pth'.*{command}"):
        PerceptualLoss(weights=str(tmp_path / 'none.pth')).check_images(9, 9)
    path = tmp_path / 'wrong.pth'
    for content in ({'features.0.weight': torch.zeros(64, 3, 11, 11)}, [1]):
        torch.save(content, path)
        with pytest.raises(CheckpointError) as error:
            PerceptualLoss(weights=str(path)).check_images(9, 9)
        assert str(error.value).endswith(command + '.')
        assert 'VGG16' in str(error.value)
        assert '\n' not in str(error.value)


# -------------------------------------------------------------------- detail


@pytest.mark.parametrize('size, shape', [
    (3, (7, 9)), (5, (6, 4)), (15, (20, 11)), (15, (1, 1))])
def test_detail_loss_is_l1_without_the_local_mean(size, shape):
    """Against means over explicit windows, also of images below the size."""
    a, b = torch.rand(2, 2, 3, *shape)
    errors, reach = a - b, size // 2
    expected = torch.stack([
        (errors[..., y, x] - errors[
            ..., max(0, y - reach):y + reach + 1,
            max(0, x - reach):x + reach + 1].mean((-2, -1))).abs().mean()
        for y in range(shape[0]) for x in range(shape[1])]).mean()
    loss = MODELS.build(dict(type='irsde_mm.DetailLoss', size=size))
    torch.testing.assert_close(loss(a, b), expected)
    torch.testing.assert_close(DetailLoss(size, 3.)(a, b), 3 * expected)


def test_detail_loss_ignores_constant_errors():
    pred = torch.rand(1, 3, 40, 40)
    shift = torch.tensor([.3, -.1, .2]).view(3, 1, 1)
    assert DetailLoss()(pred + shift, pred) < 1e-6
    noise = .1 * torch.randn_like(pred)
    torch.testing.assert_close(DetailLoss()(pred + noise + shift, pred),
                               DetailLoss()(pred + noise, pred))
    # the mean of noise over 15x15 pixels is small
    torch.testing.assert_close(DetailLoss()(pred + noise, pred),
                               noise.abs().mean(), rtol=.01, atol=0)


def test_detail_loss_computes_in_single_precision():
    a, b = torch.rand(2, 1, 3, 9, 9).bfloat16()
    torch.testing.assert_close(DetailLoss()(a, b),
                               DetailLoss()(a.float(), b.float()))


@pytest.mark.parametrize('size', [1, 4, -3, 3.5])
def test_sizes_without_a_center(size):
    with pytest.raises(ValueError, match='size must be an odd number'):
        DetailLoss(size)


# ---------------------------------------------------------------------- sums


def sums(*losses, weights=None):
    return SumLoss(losses, weights)


def test_sum_of_pixel_losses():
    a, b = torch.rand(2, 2, 3, 4, 4)
    loss = MODELS.build(dict(type='irsde_mm.SumLoss', losses=[L1, L2],
                             weights=[2, 0.5]))
    expected = 2 * (a - b).abs().mean() + (a - b).square().mean() / 2
    torch.testing.assert_close(loss(a, b), expected)
    torch.testing.assert_close(sums(L1, L1)(a, b), 2 * (a - b).abs().mean())


def evaluate(loss, sde, output, out, x0, mu, noise, t):
    """Return a loss of a network output, as IRSDERestorer computes it."""
    xt = sde.perturb(x0, mu, t, noise)
    if getattr(loss, 'needs_euler_form', False):
        output = output.for_euler_steps()
    return loss(sde, output.decode(sde, out, xt, mu, t), output=out,
                target=output.target(sde, xt, x0, mu, t, noise), xt=xt, x0=x0,
                mu=mu, t=t, noise=noise, weight=output.weight(sde, t))


@pytest.mark.parametrize('cls', [IRSDE, VPSDE, GOUB])
@pytest.mark.parametrize('objective', [
    EXACT, dict(type='irsde_mm.NoiseMatchingLoss'),
    dict(type='irsde_mm.OutputLoss')])
def test_pixel_losses_compare_clean_images(cls, objective, images):
    """As images in [0, 1], also for VPSDE, whose range is [-1, 1]."""
    sde, (x0, mu, noise), t = build_sde(cls), images, torch.tensor([3, 80])
    wrong = x0 + 0.1
    both = evaluate(sums(objective, L1, weights=[3, 2]), sde, CleanOutput(),
                    wrong, x0, mu, noise, t)
    alone = evaluate(MODELS.build(objective), sde, CleanOutput(), wrong, x0,
                     mu, noise, t)
    scale = 0.5 if cls is VPSDE else 1
    torch.testing.assert_close(both, 3 * alone + 2 * 0.1 * scale)


def test_x0_of_the_published_objective_is_unbiased(images):
    """The optimal output of the Euler objective, which is biased noise, is
    also that of the pixel loss."""
    sde, (x0, mu, noise), t = build_sde(IRSDE), images, torch.tensor([3, 80])
    xt = sde.perturb(x0, mu, t, noise)
    biased = EulerNoiseOutput().target(sde, xt, x0, mu, t, noise)
    assert (biased - noise).abs().max() > 1e-3

    def value(out, weights):
        return evaluate(sums(EULER, L1, weights=weights), sde, NoiseOutput(),
                        out, x0, mu, noise, t)

    assert value(biased, [1, 1]) < 1e-6
    assert value(noise, [0, 1]) > 1e-4


def test_objective_of_a_sum(vgg16_file):
    for losses, objective in (
            ([L1], 'clean'), ([L1, L2], 'clean'), ([EULER, L1], 'euler'),
            ([perceptual(vgg16_file), EXACT], 'exact'),
            ([LIKELIHOOD, L1], 'likelihood'), ([EXACT, EXACT], 'exact')):
        assert sums(*losses).objective == objective
    assert not hasattr(sums(EXACT, L1), 'importance')
    assert sums(dict(LIKELIHOOD, importance=True), L1).importance
    assert sums(LIKELIHOOD, L1).needs_stationary_end
    assert sums(EULER, L1).needs_euler_form
    assert not sums(EXACT, L1).needs_euler_form


@pytest.mark.parametrize('losses, options, words', [
    ([], {}, 'losses must contain a loss'),
    ([L1, L2], dict(weights=[1]), 'weights must contain 2 numbers'),
    ([EULER, EXACT], {}, 'single objective, but got euler and exact'),
    ([LIKELIHOOD, dict(LIKELIHOOD, importance=True)], {},
     'single importance, but got False and True')])
def test_invalid_sums(losses, options, words):
    with pytest.raises(ValueError, match=words):
        sums(*losses, **options)


def test_regression_takes_no_objective():
    with pytest.raises(ConfigError, match="'exact'.*only pixel losses"):
        sums(EXACT, L1)(*torch.rand(2, 1, 3, 4, 4))


def test_sums_need_what_their_parts_need():
    with pytest.raises(ValueError, match='LikelihoodLoss.*known'):
        check_objective(SumLoss([LikelihoodLoss(), L1]), build_sde(GOUB))


# -------------------------------------------------------------------- models


def restorer(loss, **changes) -> IRSDERestorer:
    torch.manual_seed(0)
    return MODELS.build(dict(dict(
        type='irsde_mm.IRSDERestorer', pixel_loss=loss,
        generator=dict(type='irsde_mm.ConditionalNAFNet', width=4,
                       enc_blocks=[1], dec_blocks=[1]),
        sde=dict(type='irsde_mm.IRSDE', max_sigma=30 / 255, num_steps=10),
        sampler=dict(type='irsde_mm.PosteriorSampler'),
        data_preprocessor=dict(
            type='mmagic.DataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
            output_channel_order='RGB')), **changes))


def one_loss(model):
    """Return the loss of one batch, with the same times and noise."""
    torch.manual_seed(1)
    mu, x0 = torch.rand(2, 2, 3, 16, 16)
    sample = DataSample(gt_img=x0)
    return model(mu, sample, mode='loss')['loss']


def test_restorer_takes_a_pixel_loss():
    """Of the predicted clean image: the target of CleanOutput."""
    output = dict(type='irsde_mm.CleanOutput', residual=True)
    model = restorer(L1, output=output)
    assert isinstance(model.pixel_loss, SumLoss)
    assert model.objective == model.settings['objective'] == 'clean'
    other = restorer(dict(type='irsde_mm.OutputLoss'), output=output)
    torch.testing.assert_close(one_loss(model), one_loss(other))


@pytest.mark.parametrize('kind', ['vgg', 'lpips'])
def test_models_do_not_contain_the_network(kind, vgg16_file):
    loss = dict(type='irsde_mm.SumLoss', losses=[
        EULER, perceptual(vgg16_file, kind=kind)], weights=[1, .01])
    model, plain = restorer(loss), restorer(EULER)
    value = one_loss(model)
    assert value > one_loss(plain)
    value.backward()
    assert all(p.grad is not None for p in model.parameters())
    assert list(model.state_dict()) == list(plain.state_dict())
    model.train()
    clone = copy.deepcopy(model)
    assert clone.pixel_loss.losses[1].frozen is \
        model.pixel_loss.losses[1].frozen
    torch.testing.assert_close(one_loss(clone), value)
    network = model.pixel_loss.losses[1].frozen.network
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize('saved, loaded', [(L1, EULER), (EULER, L1)])
def test_checkpoints_of_both_objectives(saved, loaded):
    """The objective of the weights, not that of the config, decides."""
    source, model = restorer(saved), restorer(loaded)
    content = dict(state_dict=source.state_dict(),
                   meta=dict(irsde_mm=source.settings))
    model.check_checkpoint(content)
    model.adopt_settings(content)
    assert model.objective == source.objective
    assert type(model.pipeline.output) is type(source.pipeline.output)
    one_loss(model)  # training continues with the loss of the config
    assert model.objective == model.pixel_loss.objective


def regression(loss):
    torch.manual_seed(0)
    return MODELS.build(dict(
        type='irsde_mm.TiledEditModel', pixel_loss=loss,
        generator=dict(type='mmagic.SRCNNNet', upscale_factor=1)))


@pytest.mark.parametrize('build', [restorer, regression])
def test_models_train_with_detail(build):
    detail = dict(type='irsde_mm.DetailLoss', loss_weight=2.)
    values = []
    for losses in ([L1], [L1, detail], [L1, detail, detail]):
        model = build(dict(type='irsde_mm.SumLoss', losses=losses))
        values.append(one_loss(model))
    values[-1].backward()
    assert all(p.grad is not None for p in model.parameters())
    assert values[0] < values[1]
    torch.testing.assert_close(values[2] - values[1], values[1] - values[0])


def test_regression_with_a_perceptual_loss(vgg16_file):
    model = regression(dict(
        type='irsde_mm.SumLoss', losses=[L1, perceptual(vgg16_file)]))
    value = one_loss(model)
    value.backward()
    assert value > 0 and set(model.state_dict()) == {
        f'generator.{key}' for key in model.generator.state_dict()}
