"""Models of the community, with random weights in their published layouts."""
import importlib
import subprocess
import sys

import numpy as np
import pytest
import spandrel
import torch
from conftest import run_tool
from irsde_mm.apis import init_restorer, restore
from irsde_mm.apis.edit_models import pipeline_of_model
from irsde_mm.config import config_scope, load_config
from irsde_mm.errors import CheckpointError, ConfigError
from irsde_mm.inference.arrays import Upscale
from irsde_mm.io.plain_json import from_json
from irsde_mm.models import SpandrelNetwork
from irsde_mm.registry import MODELS
from PIL import Image
from safetensors.torch import save_file

#: Module and class of a network, its arguments, its scale, and the key under
#: which the authors' files have the weights.
NETWORKS = {
    'ESRGAN': ('RRDB', 'RRDBNet', dict(
        num_filters=8, num_blocks=1, scale=4), 4, 'params_ema'),
    'Compact': ('SRVGG', 'SRVGGNetCompact', dict(
        num_feat=8, num_conv=2, upscale=2), 2, 'params'),
    'SwinIR': ('SwinIR', 'SwinIR', dict(
        img_size=16, window_size=8, depths=[2], embed_dim=12, num_heads=[2],
        mlp_ratio=2, resi_connection='1conv'), 1, 'params'),
    'NAFNet': ('NAFNet_arch', 'NAFNet', dict(
        width=8, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1]), 1, 'params'),
    'SCUNet': ('SCUNet', 'SCUNet', dict(
        in_nc=3, config=[1] * 7, dim=64), 1, None),
    'DnCNN': ('network_dncnn', 'DnCNN', dict(
        in_nc=3, out_nc=3, nc=8, nb=9, act_mode='R'), 1, None)}


def network(name: str, **changes) -> torch.nn.Module:
    module, cls, options, *_ = NETWORKS[name]
    module = importlib.import_module(
        f'spandrel.architectures.{name}.__arch.{module}')
    torch.manual_seed(0)
    return getattr(module, cls)(**{**options, **changes}).eval()


def save(folder, name: str, suffix: str = 'pth', **changes) -> str:
    path, key = folder / f'{name}.{suffix}', NETWORKS[name][-1]
    weights = network(name, **changes).state_dict()
    if suffix == 'safetensors':
        save_file(weights, path)
    else:
        torch.save({key: weights} if key else weights, path)
    return str(path)


@pytest.fixture(scope='module')
def files(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp('community')
    return {name: save(folder, name) for name in NETWORKS}


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (21, 30, 3), np.uint8)


def expected(path: str, image: np.ndarray) -> np.ndarray:
    """Return the result of spandrel itself for a BGR image."""
    model = spandrel.ModelLoader().load_from_file(path)
    rgb = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None]
    restored = model(rgb.float() / 255)[0].permute(1, 2, 0)
    return (255 * restored).round().byte().numpy()[..., ::-1]


@pytest.mark.parametrize('name', NETWORKS)
def test_restores_like_spandrel(files, name, picture):
    """From the file alone; the photo is enlarged by the model's scale."""
    model = init_restorer(files[name], device='cpu')
    scale = NETWORKS[name][3]
    restored = restore(model, picture)
    assert restored.shape == (21 * scale, 30 * scale, 3)
    # a photo that is upsampled and sampled again differs by rounding
    difference = np.abs(restored - expected(files[name], picture).astype(int))
    assert difference.max() <= 1 and difference.mean() < 0.01


def test_the_tests_weights_do_something(files, picture):
    """Otherwise a network that is left out would pass."""
    for name, (*_, scale, _) in NETWORKS.items():
        large = picture.repeat(scale, 0).repeat(scale, 1)
        assert np.abs(expected(files[name], picture) - large.astype(int)
                      ).mean() > 0.5, name


def test_safetensors(files, tmp_path, picture):
    path = save(tmp_path, 'NAFNet', 'safetensors')
    one, other = (restore(init_restorer(p, device='cpu'), picture)
                  for p in (path, files['NAFNet']))
    assert np.array_equal(one, other)


def test_tiles_and_batches(files):
    """Tiles of upsampled images start at pixels of the small image."""
    small = torch.rand(2, 3, 70, 90, generator=torch.Generator().manual_seed(
        0))
    large = Upscale(2)(small)
    with config_scope(load_config('_base_/default_runtime')):
        whole, tiled = (MODELS.build(dict(
            type='irsde_mm.SpandrelModel', weights=files['Compact'],
            test_cfg=dict(tile=tile))).eval() for tile in ('off', 128))
    network = SpandrelNetwork(files['Compact'])
    with torch.no_grad():
        result, parts = whole.forward_tensor(large), tiled.forward_tensor(
            large)
        assert result.shape == large.shape
        torch.testing.assert_close(result, network(small), rtol=0, atol=2e-5)
        # at the border of a tile, the small image is the closest one; tiles
        # that are not aligned with it are off by 0.05 and more
        torch.testing.assert_close(parts, result, rtol=0, atol=2e-3)


def test_cli(files, photo, tmp_path, capfd):
    out = tmp_path / 'out'
    assert run_tool('restore', photo, '--model', files['ESRGAN'], '--device',
                    'cpu', '--out', out) == 0
    width, height = Image.open(photo).size
    assert Image.open(out / photo.name).size == (4 * width, 4 * height)


def test_refinement(files, tmp_path, picture):
    """The initial network of a refining process, which is then trained."""
    cfg = load_config('quickstart/derain')
    cfg.model.update(
        type='irsde_mm.RefiningRestorer', initial=dict(
            type='irsde_mm.SpandrelModel', weights=files['NAFNet']))
    with config_scope(cfg):
        model = MODELS.build(cfg.model)
    model.init_weights()  # needs no initial_checkpoint
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    want = spandrel.ModelLoader().load_from_file(files['NAFNet'])(image)
    torch.testing.assert_close(model.condition(image), want)
    model.train()
    assert not any(p.requires_grad for p in model.initial.parameters())
    assert not model.initial.training
    restored = pipeline_of_model(model.eval())(picture)
    assert restored.shape == picture.shape


@pytest.mark.slow
def test_training_a_refinement(files, tmp_path):
    work = tmp_path / 'work'
    options = ['train_cfg.max_iters=2', 'train_cfg.val_interval=100',
               'train_dataloader.batch_size=1', 'val_cfg=None',
               'val_dataloader=None', 'val_evaluator=None']
    config = tmp_path / 'refine.py'
    config.write_text(f'''_base_ = 'irsde_mm::mixing/refine_cnn.py'
model = dict(
    initial=dict(_delete_=True, type='irsde_mm.SpandrelModel',
                 weights={files['NAFNet']!r}),
    initial_checkpoint=None)
''')
    assert run_tool('train', config, '--work-dir', work, '--cfg-options',
                    *options) == 0
    model = init_restorer(str(config), str(work / 'iter_2.pth'), device='cpu')
    want = network('NAFNet').state_dict()
    found = model.initial.generator.network.state_dict()
    assert all(torch.equal(found[key], want[key]) for key in want)
    # a single file cannot say which file has the architecture
    assert run_tool('export', work, '--out', tmp_path / 'x.safetensors') == 2


def test_quality(files, tmp_path, error):
    """Beside other models, with our metrics."""
    config, suite = tmp_path / 'nafnet.py', tmp_path / 'suite.yml'
    config.write_text('model = dict(type="irsde_mm.SpandrelModel", '
                      f'weights={files["NAFNet"]!r})\n')
    text = f'''tasks:
  rain:
    data: {{config: quickstart/derain, images: 1, metrics: [PSNR]}}
    models:
      NAFNet: {{config: {config}}}
'''
    suite.write_text(text)
    out = tmp_path / 'out'
    command = ('benchmark', 'quality', '--suite', suite, '--out')
    assert run_tool(*command, out) == 0
    entry, = (out / 'entries').glob('*.json')
    result = from_json(entry.read_text())
    assert result['network_calls'] == 1 and result['scores']['PSNR'] < 40
    assert result['parameters'] == sum(
        p.numel() for p in network('NAFNet').parameters())
    suite.write_text(text.replace(f'{config}}}', f'{config}, checkpoint: x}}'))
    assert run_tool(*command, tmp_path / 'other') == 1
    assert "remove 'checkpoint'" in (tmp_path / 'other/table.md').read_text()


def test_bad_files(files, tmp_path):
    def fails(name: str, error=CheckpointError) -> str:
        with pytest.raises(error) as caught:
            SpandrelNetwork(str(tmp_path / name))
        text = str(caught.value)
        assert name in text and '\n' not in text
        return text

    assert 'no checkpoint' in fails('missing.pth')
    assert 'cannot read' in fails('missing.safetensors')
    (tmp_path / 'text.pth').write_text('text')
    assert 'not a checkpoint' in fails('text.pth')
    torch.save({'a': torch.zeros(1)}, tmp_path / 'unknown.pth')
    assert 'no architecture' in fails('unknown.pth')
    weights = network('NAFNet').state_dict()
    del weights['encoders.1.0.conv3.weight']
    torch.save(weights, tmp_path / 'part.pth')
    assert 'incomplete' in fails('part.pth')
    save(tmp_path, 'DnCNN', in_nc=1, out_nc=1)
    gray = SpandrelNetwork(str(tmp_path / 'DnCNN.pth'))
    assert gray.in_channels == 1
    with pytest.raises(ConfigError, match='gray'):
        init_restorer(str(tmp_path / 'DnCNN.pth'), device='cpu')
    # not of the community: the message of our own files
    with pytest.raises(CheckpointError, match='convert_checkpoint'):
        init_restorer(str(tmp_path / 'unknown.pth'), device='cpu')


def test_not_trainable(files):
    with config_scope(load_config('_base_/default_runtime')):
        model = MODELS.build(dict(type='irsde_mm.SpandrelModel',
                                  weights=files['NAFNet']))
    with pytest.raises(ConfigError, match='RefiningRestorer'):
        model.forward_train(torch.zeros(1, 3, 8, 8))


@pytest.mark.slow
def test_without_spandrel(files):
    """One line names the extra, and nothing else needs the package."""
    code = f'''
import sys
sys.modules['spandrel'] = None
import irsde_mm.models as m
from irsde_mm.errors import ConfigError, CheckpointError
from irsde_mm.apis import init_restorer
try:
    m.SpandrelNetwork({files['NAFNet']!r})
except ConfigError as error:
    assert 'irsde-mm[spandrel]' in str(error), error
else:
    sys.exit('no error')
try:
    init_restorer({files['NAFNet']!r})
except CheckpointError as error:
    print(error)
'''
    done = subprocess.run([sys.executable, '-c', code], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert 'state_dict' in done.stdout
