"""Processes on latents: training, restoring, files, errors."""
import numpy as np
import pytest
import torch
from conftest import GOLDEN
from irsde_mm.apis import convert_state_dict, init_restorer, restore
from irsde_mm.apis.export import export
from irsde_mm.config import complete_config
from irsde_mm.errors import CheckpointError, ConfigError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.models import AutoencoderModel, LatentRestorer
from irsde_mm.registry import MODELS
from mmagic.structures import DataSample
from mmengine.config import Config

AUTOENCODER = dict(type='irsde_mm.LatentUNet', base_channels=4,
                   channel_factors=[1, 2, 2], latent_channels=4)
NETWORK = dict(type='irsde_mm.ConditionalNAFNet', in_channels=4, width=4,
               enc_blocks=[1], dec_blocks=[1], long_skip=True)
IRSDE = dict(type='irsde_mm.IRSDE', max_sigma=50 / 255, num_steps=10)
PREPROCESSOR = dict(type='mmagic.DataPreprocessor', mean=[0.] * 3,
                    std=[255.] * 3, output_channel_order='RGB')
PHOTOS = np.random.default_rng(0).integers(0, 256, (3, 20, 31, 3), np.uint8)


def config(**options) -> dict:
    return dict(dict(
        type='irsde_mm.LatentRestorer', generator=NETWORK,
        autoencoder=AUTOENCODER, sde=IRSDE,
        sampler=dict(type='irsde_mm.JumpSampler', num_steps=3),
        output=dict(type='irsde_mm.CleanOutput', residual=True),
        pixel_loss=dict(type='irsde_mm.OutputLoss'),
        data_preprocessor=PREPROCESSOR), **options)


def batch(*sizes) -> dict:
    g = torch.Generator().manual_seed(0)
    pairs = [torch.randint(0, 256, (2, 3, *size), generator=g).byte()
             for size in sizes]
    return dict(inputs=[pair[0] for pair in pairs], data_samples=[
        DataSample(gt_img=pair[1], metainfo=dict(gt_path=f'{i}.png'))
        for i, pair in enumerate(pairs)])


def perturbed(model):
    """Return a model whose weights all have an effect."""
    torch.manual_seed(1)
    for p in model.parameters():
        p.data += 0.02 * torch.randn_like(p)
    return model.eval()


@pytest.fixture(scope='module')
def autoencoder(tmp_path_factory):
    """Checkpoint of an autoencoder."""
    model = perturbed(MODELS.build(dict(
        type='irsde_mm.AutoencoderModel', generator=AUTOENCODER,
        data_preprocessor=PREPROCESSOR)))
    path = tmp_path_factory.mktemp('autoencoder') / 'iter_1.pth'
    torch.save(dict(meta={}, state_dict=model.state_dict()), path)
    return str(path)


@pytest.fixture(scope='module')
def model(autoencoder) -> LatentRestorer:
    model = MODELS.build(config(autoencoder_checkpoint=autoencoder))
    model.init_weights()
    perturbed(model.generator)
    model.cfg = Config(dict(model=config(), test_dataloader=None))
    complete_config(model.cfg)
    return model.eval()


# ---------------------------------------------------------- the autoencoder


def test_published_losses(golden):
    g = golden('latent_unet_ch8')
    weights, network = convert_state_dict(torch.load(
        GOLDEN / 'latent_unet_ch8_official.pth', weights_only=True),
        'latent_unet')
    model = AutoencoderModel(network, dict(type='mmagic.L1Loss'))
    model.generator.load_state_dict(weights)
    losses = model.forward_train(g['lq'], DataSample(gt_img=g['gt']))
    for name, factor in (('rec', 1), ('rep', 1), ('reg', 0.001)):
        torch.testing.assert_close(
            losses[f'loss_{name}'], factor * g[f'loss_{name}'],
            rtol=1e-5, atol=0)
    total, logged = model.parse_losses(losses)
    torch.testing.assert_close(total, g['loss_total'], rtol=1e-5, atol=0)
    assert set(logged) == {'loss', 'loss_rec', 'loss_rep', 'loss_reg'}


def test_validation_decodes_the_clean_image():
    """With the features of the degraded one, in the usual format."""
    model = perturbed(MODELS.build(dict(
        type='irsde_mm.AutoencoderModel', generator=AUTOENCODER,
        pixel_loss=dict(type='mmagic.L1Loss'),
        data_preprocessor=PREPROCESSOR)))
    data = batch((20, 31))
    lq, gt = (image[None].flip(1) / 255 for image in (
        data['inputs'][0], data['data_samples'][0].gt_img))
    with torch.no_grad():
        expected = model.generator.decode(
            model.generator.encode(gt)[0], model.generator.encode(lq)[1])
        sample, = model.val_step(data)
    torch.testing.assert_close(sample.output.pred_img, expected[0].flip(
        0).clamp(0, 1) * 255, rtol=0, atol=0.01)
    assert sample.gt_img.max() > 1
    with pytest.raises(ConfigError, match='train a LatentRestorer'):
        model.forward_tensor(lq)


# ----------------------------------------------------------------- training


def test_training_uses_latents_of_a_frozen_autoencoder(model):
    seen = []
    hook = model.pixel_loss.register_forward_hook(
        lambda module, args, kwargs, loss: seen.append(kwargs),
        with_kwargs=True)
    model.train()
    data = model.data_preprocessor(batch((16, 24), (16, 24)), training=True)
    model(**data, mode='loss')['loss'].backward()
    hook.remove()
    for key, images in (('mu', data['inputs']),
                        ('x0', data['data_samples'].gt_img)):
        torch.testing.assert_close(
            seen[0][key], model.autoencoder.encode(images)[0])
    assert seen[0]['mu'].shape == (2, 4, 4, 6)
    assert model.generator.conv_out.weight.grad.abs().sum() > 0
    assert not model.autoencoder.training
    assert all(p.grad is None for p in model.autoencoder.parameters())
    model.eval()


# ---------------------------------------------------------------- restoring


def test_result_is_decoded_with_features_of_the_degraded_image(model):
    """The sampler's result is decoded, of any size."""
    for size in ((20, 31), (1, 1), (16, 16)):
        images = torch.rand(1, 3, *size)
        with torch.no_grad():
            mu, hidden = model.autoencoder.encode(images)
            x0 = model.sampler.sample(
                model.sde, model.pipeline.denoiser(lambda network, *a, **k:
                                                   network(*a, **k), mu),
                *model.sde.start(mu, torch.Generator().manual_seed(3))[:1],
                mu, model.sde.num_steps, torch.Generator().manual_seed(4))
            assert x0.shape == mu.shape
            expected = model.autoencoder.decode(x0, hidden)
        start = model.sde.start(mu, torch.Generator().manual_seed(3))
        result = model(images, generator=torch.Generator().manual_seed(4),
                       start=start)
        assert result.shape == images.shape
        torch.testing.assert_close(result, expected)


def test_images_of_a_batch_are_independent(model):
    names = [f'{i}.png' for i in range(3)]
    together = model.pipeline.restore_batch(list(PHOTOS), names)
    for photo, name, expected in zip(PHOTOS, names, together):
        alone, = model.pipeline.restore_batch([photo], [name])
        assert np.abs(alone.astype(int) - expected).max() <= 1
    assert not np.array_equal(together[0], together[1])


def test_images_of_a_padded_batch_are_independent(model):
    """mmagic pads images of different sizes; the padding has no effect."""
    sizes, photos = [(20, 31), (17, 24)], []
    batch = torch.rand(2, 3, 20, 31)
    together = model.pipeline.restore(
        batch, sizes=sizes, generators=model.pipeline.generators(2, ['a'] * 2),
        callback=lambda progress: photos.append(progress.photos))
    assert together.shape == batch.shape
    assert photos == [range(1)] * 4 + [range(1, 2)] * 4
    for image, result, (h, w) in zip(batch, together, sizes):
        alone = model.pipeline.restore(
            image[None, :, :h, :w],
            generators=model.pipeline.generators(1, ['a']))
        torch.testing.assert_close(result[:, :h, :w], alone[0])
    assert not together[1, :, 17:].any()


def test_seeds(model):
    first, again, other = (restore(model, PHOTOS[0], seed=seed)
                           for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_checkpoints_and_exported_files(model, tmp_path):
    """Both contain both networks and restore as the model does."""
    expected = restore(model, PHOTOS[0])
    path, exported = tmp_path / 'iter_1.pth', tmp_path / 'a.safetensors'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(
        irsde_mm=model.settings)), path)
    export(model, exported, 'latent')
    pipeline = init_restorer(str(exported), device='cpu')
    assert isinstance(pipeline, RestorationPipeline)
    assert pipeline.channels == 3 and pipeline.network.long_skip
    np.testing.assert_array_equal(restore(pipeline, PHOTOS[0]), expected)
    loaded = init_restorer(str(path), device='cpu')  # 'balanced'
    np.testing.assert_array_equal(
        restore(loaded, PHOTOS[0], sampler=model.sampler), expected)


def test_weights_file_as_config(model, tmp_path):
    """tools/test.py builds the restorer from the file."""
    from irsde_mm.config import load_config
    exported = tmp_path / 'a.safetensors'
    export(model, exported, 'latent')
    cfg = load_config(str(exported))
    assert cfg.model.type == 'irsde_mm.LatentRestorer'
    assert cfg.model.autoencoder == AUTOENCODER
    assert len(cfg.model.data_preprocessor.mean) == 3


@pytest.mark.slow
def test_tiles(model):
    """The autoencoder and the process run in tiles, which overlap."""
    g = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 140, 150, generator=g)
    image = torch.nn.functional.avg_pool2d(image, 9, 1, 4)
    whole = model.pipeline(image[0], seed=0, tile='off')
    sides = []
    hook = model.autoencoder.conv_in.register_forward_hook(
        lambda module, args, out: sides.append(args[0].shape[-2:]))
    model.latents.calls.tile = 128
    try:
        parts = model.pipeline(image[0], seed=0, tile=128)
    finally:
        model.latents.calls.tile = 'auto'
        hook.remove()
    assert len(sides) == 8 and max(max(side) for side in sides) <= 128
    assert (parts - whole).abs().mean() < 0.02
    assert parts.shape == whole.shape == (3, 140, 150)


def test_crispness_averages_images(model):
    """The image of the mean latent is not the mean of the images."""
    assert model.pipeline.choose_dial(0.5).mean == 'draws'


def test_progress_shows_images(model):
    shapes = []
    model.pipeline(PHOTOS[0], callback=lambda progress: shapes.append(
        progress.states()[0].shape))
    assert shapes == [(20, 31, 3)] * 4


def test_memory_is_estimated_for_latents(model):
    """A call of the process has a 16th of the pixels."""
    plain = RestorationPipeline(model.generator, model.sde, model.sampler)
    assert model.pipeline.call_bytes(256, 256) == plain.call_bytes(64, 64)


# ------------------------------------------------------------------- errors


def test_misfits_are_refused():
    for options, words in (
            (dict(generator=dict(NETWORK, in_channels=3)),
             '4 latent channels.*takes 3'),
            (dict(sde=dict(type='irsde_mm.DenoisingSDE', max_sigma=0.3)),
             'DenoisingSDE starts at the noise level'),
            (dict(sde=dict(type='irsde_mm.ResShift')), 'ResShift clamps'),
            (dict(autoencoder=NETWORK), 'must be a LatentUNet')):
        with pytest.raises(ConfigError, match=words):
            MODELS.build(config(**options))


def test_missing_checkpoints(tmp_path, model):
    with pytest.raises(ConfigError, match='autoencoder_checkpoint'):
        MODELS.build(config()).init_weights()
    path = str(tmp_path / 'other.pth')
    torch.save(dict(meta={}, state_dict=model.state_dict()), path)
    with pytest.raises(CheckpointError, match='not a checkpoint of model.aut'):
        MODELS.build(config(autoencoder_checkpoint=path)).init_weights()
    only = {key: value for key, value in model.state_dict().items()
            if key.startswith('generator.')}
    torch.save(dict(state_dict=only, meta=dict(irsde_mm=model.settings)), path)
    with pytest.raises(CheckpointError, match="lacks.*'autoencoder"):
        init_restorer(path, device='cpu')
    only = {key: value for key, value in model.state_dict().items()
            if key.startswith('autoencoder.')}
    torch.save(dict(state_dict=only, meta=dict(irsde_mm=model.settings)), path)
    with pytest.raises(CheckpointError, match="lacks.*'generator"):
        init_restorer(path, device='cpu')
    absent = str(tmp_path / 'absent.pth')
    with pytest.raises(CheckpointError, match='no checkpoint.*absent.pth'):
        MODELS.build(config(autoencoder_checkpoint=absent)).init_weights()


def test_options_that_need_images_are_refused(model):
    with pytest.raises(ConfigError, match='data_consistency'):
        model.pipeline(PHOTOS[0], data_consistency='mask')
    data = model.data_preprocessor(batch((16, 24)), training=True)
    with pytest.raises(ConfigError, match='no likelihood of images'):
        model.bits_per_dim(**data, num_times=2)
