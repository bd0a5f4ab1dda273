"""mmagic's models, MAXIM and the CNN: equal settings except the model."""
from pathlib import Path

import mmagic
import pytest
import torch
from conftest import ROOT
from irsde_mm.apis import init_restorer, restore
from irsde_mm.apis.inference import as_pipeline
from irsde_mm.config import load_config
from irsde_mm.registry import MODELS
from mmagic.structures import DataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from PIL import Image
from skimage.data import astronaut
from torch.nn.functional import interpolate

CONFIGS = ROOT / 'configs'
FULL = sorted((CONFIGS / 'baselines').glob('*.py'))
SMALL = sorted((CONFIGS / 'baselines' / 'quickstart').glob('*.py'))
TUNED = [*(CONFIGS / 'bsds').glob('*_consistency.py'),
         *(CONFIGS / 'bsds').glob('*_perceptual.py')]
#: not a baseline: the process with its training data in shards
SHARDS = CONFIGS / 'bsds' / 'derain_shards.py'
BSDS = sorted({*(CONFIGS / 'bsds').glob('*_*.py')} - {*TUNED, SHARDS})
TASKS = dict(derain='cnn maxim nafnet restormer sr3',
             deblur='cnn maxim nafnet restormer',
             denoise='cnn restormer swinir', sr='cnn edsr swinir sr3',
             inpaint='cnn deepfillv2 pconv', dehaze='cnn nafnet restormer')
#: keys that may differ in a baseline
OWN = {'model', 'model_wrapper_cfg', 'optim_wrapper', 'param_scheduler',
       'train_cfg'}


def name_of(path: Path) -> str:
    return str(path.relative_to(CONFIGS).with_suffix(''))


def process_config(path: Path) -> str:
    """Return the name of the same task's config with a process."""
    folder = {FULL[0].parent: 'irsde', SMALL[0].parent: 'quickstart',
              BSDS[0].parent: 'bsds'}[path.parent]
    return f'{folder}/{path.stem.partition("_")[0]}'


def test_every_task_has_its_baselines():
    assert {p.stem for p in FULL} == {
        f'{task}_{model}' for task, models in TASKS.items()
        for model in models.split()}
    assert {p.stem.partition('_')[0] for p in SMALL} == set(TASKS)


@pytest.mark.grid(at_most=12)
@pytest.mark.parametrize('path', FULL + SMALL + BSDS, ids=name_of)
def test_only_model_and_schedule_differ(path):
    cfg = load_config(str(path)).to_dict()
    process = load_config(process_config(path)).to_dict()
    different = {key for key in {*cfg, *process}
                 if cfg.get(key) != process.get(key)}
    assert 'model' in different and different <= OWN
    iterations = [c['train_cfg'].pop('max_iters') for c in (cfg, process)]
    assert cfg['train_cfg'] == process['train_cfg']
    if path not in FULL:
        assert iterations[0] == iterations[1]


def test_only_the_training_data_is_in_shards():
    cfg, process = (load_config(f'bsds/{name}').to_dict()
                    for name in (SHARDS.stem, 'derain'))
    data, photos = (c.pop('train_dataloader') for c in (cfg, process))
    assert cfg == process
    assert data.pop('dataset')['pipeline'] == photos.pop('dataset')['pipeline']
    assert data == photos


@pytest.mark.grid(at_most=3)
@pytest.mark.parametrize('path', TUNED, ids=name_of)
def test_tuned_models_start_from_the_same_task(path):
    """Training continues with the data of the weights, half as long."""
    task = path.stem.partition('_')[0]
    before = f'{task}_cnn' if 'perceptual' in path.stem else task
    cfg, first = (load_config(f'bsds/{name}').to_dict()
                  for name in (path.stem, before))
    assert cfg['load_from'] == (
        f'work_dirs/bsds/{before}/iter_{first["train_cfg"]["max_iters"]}.pth')
    assert {key for key in {*cfg, *first} if cfg.get(key) != first.get(key)
            } <= OWN | {'custom_hooks', 'load_from'}
    assert 2 * cfg['train_cfg'].pop('max_iters') == first['train_cfg'].pop(
        'max_iters')
    assert cfg['train_cfg'] == first['train_cfg']
    for part in ('generator', 'sde', 'output'):
        assert cfg['model'].get(part) == first['model'].get(part)


@pytest.mark.grid(at_most=4)
@pytest.mark.parametrize(
    'path', [p for p in FULL + SMALL + BSDS if p.stem.endswith('_cnn')],
    ids=name_of)
def test_cnn_has_the_network_of_the_process(path):
    cfg, process = load_config(str(path)), load_config(process_config(path))
    # without a state, the degraded image is the only input
    networks = [{key: value for key, value in network.items()
                 if key != 'conditional'} for network in (
                     cfg.model.generator.network, process.model.generator)]
    assert networks[0] == networks[1]
    assert cfg.model.data_preprocessor == process.model.data_preprocessor
    assert cfg.optim_wrapper == process.optim_wrapper
    assert cfg.param_scheduler == process.param_scheduler


@pytest.mark.parametrize(
    'path', [p for p in FULL + SMALL + BSDS if p.stem.endswith('_sr3')],
    ids=name_of)
def test_sr3_has_the_network_of_the_process(path):
    """Only the process differs, which is SR3's at every size."""
    cfg, process = load_config(str(path)), load_config(process_config(path))
    assert cfg.model.generator == process.model.generator
    assert cfg.model.sde == dict(
        type='irsde_mm.VPSDE', num_steps=2000, schedule='linear',
        beta_start=1e-6, beta_end=1e-2)
    assert cfg.model.sampler.clamp == (-1, 1)
    assert cfg.model.timesteps == 'continuous'


PUBLISHED = {
    'deblur_nafnet': 'nafnet/nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-400k_'
                     'gopro',
    'derain_restormer': 'restormer/restormer_official_rain13k',
    'deblur_restormer': 'restormer/restormer_official_gopro',
    'denoise_restormer': 'restormer/restormer_official_dfwb-color-sigma25',
    'denoise_swinir': 'swinir/swinir_s128w8d6e180_8xb1-lr2e-4-1600k_dfwb-'
                      'colorDN25',
    'sr_edsr': 'edsr/edsr_x4c64b16_1xb16-300k_div2k',
    'sr_swinir': 'swinir/swinir_x4s48w8d6e180_8xb4-lr2e-4-500k_div2k',
    'inpaint_deepfillv2': 'deepfillv2/deepfillv2_8xb2_celeba-256x256',
    'inpaint_pconv': 'partial_conv/pconv_stage2_4xb2_celeba-256x256'}


def build(model: dict):
    with DefaultScope.overwrite_default_scope('mmagic'):
        return MODELS.build(model)


def predict(model, image, order, **data) -> torch.Tensor:
    """Return a model's prediction for a BGR image (3, H, W) that is loaded
    in the given channel order."""
    def ordered(x):
        return x.flip(0) if order == 'rgb' else x

    sample = DataSample(metainfo=dict(
        img_channel_order=order, gt_channel_order=order))
    sample.set_tensor_data(dict(gt_img=ordered(image), **data))
    with torch.no_grad():
        return model.eval().val_step(dict(
            inputs=[ordered(image)], data_samples=[sample])
        )[0].output.pred_img


def their_input(name: str) -> tuple:
    """Return an image in our form, in mmagic's with its channel order (also
    small, or with grey holes), and further data such as a mask."""
    side = 128 if 'inpaint' in name else 16
    image = torch.randint(0, 255, (3, side, side)).float()
    if name.startswith('sr'):
        up = interpolate(image[None], scale_factor=4, mode='bicubic',
                         align_corners=False)
        return up[0], (image, 'rgb'), {}
    if name.startswith('inpaint'):
        hole = torch.zeros(1, side, side)
        hole[:, 30:60, 50:90] = 1
        return (torch.where(hole > 0, 255., image),
                (torch.where(hole > 0, 127.5, image), 'bgr'),
                dict(mask=hole))
    return image, (image, 'rgb'), {}


@pytest.mark.grid(at_most=2)
@pytest.mark.parametrize('name', PUBLISHED)
def test_mmagic_checkpoints_load(name):
    """Names and shapes of all weights equal those of mmagic's config, and
    the same weights give the same pixels."""
    path = Path(mmagic.__file__).parent / '.mim' / 'configs'
    theirs = Config.fromfile(path / f'{PUBLISHED[name]}.py').model
    ours = load_config(f'baselines/{name}').model
    if name == 'inpaint_pconv':  # without the VGG of the loss
        theirs.update(loss_composed_percep=None, loss_out_percep=False)
    if name == 'deblur_nafnet':
        ours.generator.train_size = (1, 3, 256, 256)
    theirs, ours = build(theirs), build(ours)
    weights = theirs.state_dict()
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in weights.items()}
    ours.load_state_dict(weights)
    image, loaded, data = their_input(name)
    expected = predict(theirs, *loaded, **data)
    assert expected.std() > 1
    torch.testing.assert_close(predict(ours, image, 'bgr'), expected,
                               atol=0.02, rtol=0)


def tiny(cfg) -> None:
    """Set two iterations and the smallest network of the kind."""
    model = cfg.model
    sizes = dict(
        RegressionNetwork=dict(network=dict(width=4)),
        ConditionalNAFNet=dict(width=4),
        NAFNetLocal=dict(mid_channels=4, enc_blk_nums=[1],
                         dec_blk_nums=[1]),
        Restormer=dict(dim=8, num_blocks=[1] * 4),
        MAXIM=dict(variant=dict(width=4)),
        EDSRNet=dict(mid_channels=4, num_blocks=1),
        SwinIRNet=dict(depths=[1], num_heads=[2], embed_dim=8))
    if 'generator' in model:
        kind = model.generator.type.rpartition('.')[-1]
        cfg.merge_from_dict({'model.generator': sizes[kind]})
    cfg.train_dataloader.batch_size = 2
    cfg.train_cfg.update(max_iters=2, val_interval=10)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.indices = 1


def photos(folder: Path) -> None:
    """Write two photos in the layout of BSDS500, large enough for every
    metric."""
    for part in ('train', 'val'):
        (folder / part).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(astronaut()[100 * i:, :250][:200]).save(
                folder / part / f'{i}.png')


@pytest.mark.grid(at_most=3)
@pytest.mark.parametrize('path', [
    # refining models need a trained baseline: tests/models/test_refining.py
    p for p in SMALL + BSDS if 'refine' not in p.stem], ids=name_of)
def test_small_variants_train_test_and_restore(path, tmp_path, photo,
                                               monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / 'data' / 'bsds500')
    cfg = load_config(str(path))
    tiny(cfg)
    cfg.work_dir = str(tmp_path / 'run')
    runner = Runner.from_cfg(cfg)
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    assert any(not torch.equal(before[k], after[k]) for k in before)
    runner.test()
    scores, = (tmp_path / 'run').glob('2*/2*.json')
    assert '"PSNR"' in scores.read_text()
    cfg.dump(tmp_path / 'config.py')
    model = init_restorer(str(tmp_path / 'config.py'),
                          str(tmp_path / 'run' / 'iter_2.pth'))
    times = as_pipeline(model).upscale
    assert times == (4 if path.stem.startswith('sr_') else 1)
    assert restore(model, str(photo)).shape == (20 * times, 31 * times, 3)
