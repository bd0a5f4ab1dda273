"""RefiningRestorer with each process and output that it is meant for."""
import numpy as np
import pytest
import torch
from irsde_mm.apis import init_restorer, restore
from irsde_mm.apis.export import export
from irsde_mm.config import complete_config
from irsde_mm.inference import RestorationPipeline
from irsde_mm.models import RefiningRestorer
from irsde_mm.registry import MODELS
from mmagic.structures import DataSample
from mmengine.config import Config

NETWORK = dict(type='irsde_mm.ConditionalNAFNet', width=4, enc_blocks=[1],
               dec_blocks=[1])
IRSDE = dict(type='irsde_mm.IRSDE', max_sigma=10 / 255, num_steps=10)
STRAIGHT = dict(type='irsde_mm.StraightSDE', sigma=10 / 255, num_steps=10)
JUMP = dict(type='irsde_mm.JumpSampler', num_steps=3)
CASES = dict(
    clean=dict(sde=IRSDE, output=dict(
        type='irsde_mm.CleanOutput', residual=True)),
    preconditioned=dict(sde=IRSDE, output=dict(
        type='irsde_mm.PreconditionedOutput')),
    straight=dict(
        sde=STRAIGHT, generator=dict(NETWORK, conditional=False),
        sampler=dict(JUMP, eta=0.), output=dict(
            type='irsde_mm.VelocityOutput', per_step=False)),
    no_noise=dict(
        sde=dict(STRAIGHT, sigma=0.), sampler=dict(JUMP, eta=0.),
        output=dict(type='irsde_mm.VelocityOutput', per_step=False)),
    bridge=dict(
        sde=dict(STRAIGHT, bridge=True), output=dict(
            type='irsde_mm.CleanOutput', residual=True)))


def config(case) -> dict:
    return dict(dict(
        type='irsde_mm.RefiningRestorer', generator=NETWORK, sampler=JUMP,
        pixel_loss=dict(type='irsde_mm.OutputLoss'),
        initial=dict(type='irsde_mm.RegressionNetwork', network=NETWORK),
        data_preprocessor=dict(
            type='mmagic.DataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
            output_channel_order='RGB')), **CASES[case])


@pytest.fixture(scope='module')
def baseline(tmp_path_factory):
    """Checkpoint of a regression network that changes images."""
    torch.manual_seed(0)
    network = MODELS.build(config('clean')['initial'])
    for p in network.parameters():
        p.data += 0.02 * torch.randn_like(p)
    path = tmp_path_factory.mktemp('baseline') / 'cnn.pth'
    torch.save(dict(meta={}, state_dict={
        f'generator.{key}': value for key, value
        in network.state_dict().items()}), path)
    return path


@pytest.fixture(params=CASES)
def model(request, baseline) -> RefiningRestorer:
    """A model with the weights of the baseline and measured values."""
    torch.manual_seed(1)
    model = MODELS.build(dict(
        config(request.param), initial_checkpoint=str(baseline)))
    model.init_weights()
    for p in model.generator.parameters():
        p.data += 0.02 * torch.randn_like(p)
    model.case = request.param
    model.measure([batch(2)])
    return model.eval()


def batch(n) -> dict:
    g = torch.Generator().manual_seed(0)
    inputs, clean = torch.randint(0, 256, (2, n, 3, 8, 8), generator=g).byte()
    return dict(inputs=list(inputs), data_samples=[
        DataSample(gt_img=image) for image in clean])


def test_training_starts_from_the_result_of_the_baseline(model):
    """Losses are finite at all times; only the process learns."""
    seen = []
    model.train()
    model.pixel_loss.register_forward_hook(
        lambda module, args, kwargs, loss: seen.append(kwargs),
        with_kwargs=True)
    data = model.data_preprocessor(batch(4), training=True)
    for _ in range(10):
        loss = model(**data, mode='loss')['loss']
        loss.backward()
        assert loss.isfinite()
    assert {int(t) for k in seen for t in k['t']} == set(range(1, 11))
    mu = model.initial(data['inputs']).clamp(0, 1)
    assert (mu - data['inputs']).abs().mean() > 0.01
    torch.testing.assert_close(seen[0]['mu'], mu)
    assert model.generator.conv_out.weight.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in model.initial.parameters())


@pytest.mark.parametrize('model', ['preconditioned'], indirect=True)
def test_values_are_measured_on_the_refined_image(model):
    data = model.data_preprocessor(batch(2), training=True)
    mu = model.initial(data['inputs']).clamp(0, 1)
    error = (data['data_samples'].gt_img - mu).square().mean().sqrt()
    assert model.measured['sigma_data'] == pytest.approx(float(error), 1e-5)


def test_checkpoints_and_exported_files(model, tmp_path):
    """Both restore as the model does, without config and baseline."""
    image = np.random.default_rng(0).integers(0, 256, (20, 31, 3), np.uint8)
    model.cfg = complete(model.case)
    expected = restore(model, image)
    path, exported = tmp_path / 'iter_1.pth', tmp_path / 'refine.safetensors'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        irsde_mm=model.settings)), path)
    export(model, exported, 'refine')
    other = MODELS.build(config(model.case))
    checkpoint = torch.load(path, weights_only=True)
    other.check_checkpoint(checkpoint)
    other.load_state_dict(checkpoint['state_dict'])
    other.adopt_settings(checkpoint)
    other.cfg = model.cfg
    assert other.settings == model.settings
    np.testing.assert_array_equal(restore(other.eval(), image), expected)
    pipeline = RestorationPipeline.from_file(exported, 'cpu')
    np.testing.assert_array_equal(restore(pipeline, image), expected)
    loaded = init_restorer(str(path), device='cpu')  # 'balanced'
    np.testing.assert_array_equal(
        restore(loaded, image, sampler=model.sampler), expected)
    assert str(loaded.sde) == str(pipeline.sde) == str(model.sde)


def test_crispness_0_is_the_baseline(model):
    """For any number of calls, since it costs none."""
    mu = torch.rand(2, 3, 8, 8)
    expected = model.initial(mu).clamp(0, 1)
    for steps in (1, 3):
        sampler = model.sampler.with_steps(steps)
        none, half, full = (model(mu, mode='tensor', sampler=sampler,
                                  crispness=s) for s in (0, 0.5, 1))
        torch.testing.assert_close(none, expected)
        torch.testing.assert_close(half, (none + full) / 2)
        assert not torch.equal(none, full)


def complete(case) -> Config:
    cfg = Config(dict(model=config(case), test_dataloader=None))
    complete_config(cfg)
    return cfg


def test_seeds_change_the_result_unless_there_is_no_noise(model):
    images = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        first, second = (model(images, generator=torch.Generator().manual_seed(
            seed)) for seed in (0, 1))
    assert torch.equal(first, second) == (model.case == 'no_noise')
