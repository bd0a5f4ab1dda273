"""Changes of irsde_mm.compat to mmagic and mmengine."""
import importlib
import json
import subprocess
import sys

import pytest
from irsde_mm.compat import AUGMENTATION, TEXT_TO_IMAGE
from irsde_mm.errors import ConfigError
from irsde_mm.registry import MODELS
from irsde_mm.samplers import DiffusersSampler
from mmagic.registry import MODELS as MMAGIC_MODELS

LEFT_OUT = [(module, name) for module, names in TEXT_TO_IMAGE.items()
            for name in names]
REGISTERED = '''
import json, sys, warnings
for name in {missing}:
    sys.modules[name] = None
warnings.simplefilter('ignore')
import irsde_mm.registry
import mmagic.registry as nodes
from mmengine.logging import MMLogger
MMLogger.get_current_instance().setLevel('ERROR')
found = dict()
for name in ('MODELS', 'DATASETS', 'TRANSFORMS', 'METRICS'):
    node = getattr(nodes, name)
    node.import_from_location()
    found[name] = sorted(node.module_dict)
print(json.dumps(found))
print('diffusers' in sys.modules and sys.modules['diffusers'] is not None)
'''
#: Networks, losses and models that configs of mmagic for restoration use.
RESTORATION = {
    'BaseEditModel', 'DataPreprocessor', 'NAFNet', 'Restormer', 'SwinIRNet',
    'SRCNNNet', 'EDSRNet', 'RRDBNet', 'EDVRNet', 'BasicVSRNet', 'RDNNet',
    'LIIF', 'DeblurGanV2', 'DeepFillEncoderDecoder', 'AOTInpaintor',
    'DenoisingUnet', 'L1Loss', 'CharbonnierLoss', 'PerceptualLoss', 'GANLoss'}


def python(code: str) -> str:
    return subprocess.run([sys.executable, '-W', 'ignore', '-c', code],
                          check=True, text=True, capture_output=True).stdout


@pytest.mark.grid(at_most=1)
@pytest.mark.parametrize('missing', [
    [], ['diffusers', 'transformers', 'huggingface_hub'],
    ['av', 'controlnet_aux', 'face_alignment', 'facexlib', 'mediapipe',
     'resize_right']])
def test_registries_do_not_depend_on_optional_packages(missing):
    found, loaded = python(REGISTERED.format(missing=missing)).splitlines()[
        -2:]
    found = {name: set(keys) for name, keys in json.loads(found).items()}
    assert loaded == 'False'
    assert {name: len(keys) for name, keys in found.items()} == dict(
        MODELS=255, DATASETS=15, TRANSFORMS=64, METRICS=28)
    assert found['MODELS'] >= RESTORATION | {name for _, name in LEFT_OUT}


@pytest.mark.parametrize('module, name', LEFT_OUT)
def test_a_text_to_image_model_says_that_it_is_not_available(module, name):
    for build in (getattr(importlib.import_module(module), name),
                  lambda **kwargs: MMAGIC_MODELS.build(
                      dict(kwargs, type=name)),
                  lambda **kwargs: MODELS.build(
                      dict(kwargs, type=f'mmagic.{name}'))):
        with pytest.raises(ConfigError) as caught:
            build(unet=1)
        assert str(caught.value).startswith(f'{name} ')
        assert 'diffusers < 0.29' in str(caught.value)
        assert '\n' not in str(caught.value)


def test_a_text_to_image_model_in_a_config(tmp_path, error):
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'irsde_mm::quickstart/derain.py'\n"
                    "model = dict(_delete_=True, "
                    "type='mmagic.StableDiffusion')\n")
    message = error('train', path, '--work-dir', tmp_path / 'run')
    assert 'StableDiffusion' in message and 'text-to-image' in message


def test_mmengine_finds_packages_without_pkg_resources(tmp_path):
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'mmagic::nafnet/nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-"
        "400k_gopro.py'\n")
    lines = python(f'''
import sys
sys.modules['pkg_resources'] = None
import irsde_mm.registry, os
from mmengine import utils
from mmengine.config import Config
from mmengine.hub import get_config
print(Config.fromfile({str(tmp_path / 'mine.py')!r}).model.generator.type)
print(get_config('irsde_mm::quickstart/derain.py').model.type)
print(utils.is_installed('mmagic'), utils.is_installed('mmcv-lite')
      or utils.is_installed('mmcv'), utils.is_installed('no-package'))
print(os.path.basename(utils.get_installed_path('mmagic')))
try:
    utils.get_installed_path('mmsegmentation')
except ModuleNotFoundError as error:
    print(error.name)
''').splitlines()
    assert lines[-5:] == ['NAFNetLocal', 'irsde_mm.IRSDERestorer',
                          'True True False', 'mmagic', 'mmsegmentation']


def test_diffusers_sampler_without_diffusers(monkeypatch, photo, tmp_path,
                                             error):
    monkeypatch.setitem(sys.modules, 'diffusers', None)
    with pytest.raises(ConfigError,
                       match=r"pip install 'irsde-mm\[diffusers\]'"):
        DiffusersSampler(dict(type='DDIMScheduler'))
    message = error('restore', photo, '--task', 'derain', '--sampler', 'ddim',
                    '--out', tmp_path / 'out')
    assert 'diffusers is required but not installed' in message
    assert "pip install 'irsde-mm[diffusers]'" in message


def test_scipy_signal_is_imported_on_use():
    """mmagic's models do not need it to be imported, and their augmentation
    finds it."""
    code = f'''
import sys
import irsde_mm.registry
import mmagic.models
assert 'scipy.signal' not in sys.modules
module = sys.modules[{AUGMENTATION!r}]
bank = module.AugmentPipe().Hz_fbank
assert bank.shape[0] == 4 and bank.abs().sum() > 1, bank
assert sys.modules['scipy.signal'].convolve
'''
    subprocess.run([sys.executable, '-c', code], check=True)
