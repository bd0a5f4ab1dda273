"""Registries find our types, and imports stay cheap."""
import os
import subprocess
import sys

import irsde_mm.registry as ours
import mmagic.registry as mmagic_nodes
import mmengine.registry as root
import pytest
import torch

NAMES = dict(
    MODELS=['IRSDERestorer', 'ConditionalUNet', 'ConditionalNAFNet',
            'MaximumLikelihoodLoss', 'NoiseMatchingLoss', 'LikelihoodLoss',
            'OutputLoss', 'PerceptualLoss', 'DetailLoss', 'SumLoss',
            'RegressionNetwork',
            'SuperResolver', 'WhiteHolePreprocessor', 'GreyHolesDeepFill',
            'RefiningRestorer', 'UnetNoisePredictor', 'MAXIM',
            'MultiStageRestorer', 'LatentUNet', 'LatentRestorer',
            'AutoencoderModel'],
    DATASETS=['PairedImageDataset', 'BuiltinPhotos', 'CleanImageDataset'],
    TRANSFORMS=['RainStreaks', 'GaussianNoise', 'PoissonNoise', 'JPEG',
                'MotionBlur', 'KeepMask', 'LowResolution', 'Upsample', 'Haze',
                'LoadImage'],
    METRICS=['PSNR', 'SSIM', 'LPIPS', 'DISTS', 'FID', 'NIQE', 'BitsPerDim'],
    HOOKS=['SettingsHook', 'PlainCheckpointHook', 'ProgressHook',
           'LoggerHook', 'ResultsHook', 'SkippedImagesHook'],
    OPTIM_WRAPPERS=['BFloat16OptimWrapper'])


@pytest.mark.parametrize('node', NAMES)
def test_found_from_every_registry(node):
    for name in NAMES[node]:
        cls = getattr(ours, node).get(name)
        assert cls is not None, name
        for registries in (root, mmagic_nodes, ours):
            assert getattr(registries, node).get(f'irsde_mm.{name}') is cls


def test_diffusion_schedulers():
    for name in ('IRSDE', 'DenoisingSDE', 'VPSDE', 'GOUB', 'UniDB',
                 'I2SB', 'ResShift', 'RDDM', 'StraightSDE', 'NoiseOutput',
                 'CleanOutput', 'PosteriorSampler', 'JumpSampler',
                 'EulerMaruyamaSampler', 'ProbabilityFlowSampler',
                 'MeanODESampler'):
        cls = ours.DIFFUSION_SCHEDULERS.get(name)
        assert cls is not None
        assert mmagic_nodes.DIFFUSION_SCHEDULERS.get(f'irsde_mm.{name}') \
            is cls


def test_our_registries_find_mmagic():
    assert ours.MODELS.get('mmagic.L1Loss') is not None
    assert ours.METRICS.get('mmagic.NIQE') is not None


def python(code: str) -> str:
    return subprocess.run([sys.executable, '-W', 'ignore', '-c', code],
                          check=True, text=True, capture_output=True).stdout


def test_package_and_cli_import_nothing_heavy():
    loaded = python('import irsde_mm.commands.cli, sys; '
                    'print(*sys.modules)').split()
    assert not {'torch', 'mmagic', 'mmengine', 'numpy'} & set(loaded)


#: Packages that do not import mmagic, and those that do.
LIGHT = ('apis', 'commands', 'config', 'graphs', 'inference', 'integrations',
         'io', 'model_files', 'networks', 'operators', 'samplers', 'scale',
         'sde')
HEAVY = ('datasets', 'engine', 'evaluation', 'models')


def test_packages_are_sorted_by_weight():
    folder = os.path.dirname(ours.__file__)
    assert {*LIGHT, *HEAVY, 'app'} == {
        name for name in os.listdir(folder)
        if os.path.isfile(os.path.join(folder, name, '__init__.py'))}


def test_every_light_package_can_be_imported_first():
    """In forked processes that have imported torch only."""
    python(f'''if True:
        import importlib, os, torch
        for name in {LIGHT}:
            child = os.fork()
            if not child:
                importlib.import_module(f'irsde_mm.{{name}}')
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, name''')


@pytest.mark.slow
@pytest.mark.parametrize('name', HEAVY)
def test_every_heavy_package_can_be_imported_first(name):
    python(f'import irsde_mm.{name}')


@pytest.mark.slow
def test_registry_module_imports_on_its_own():
    """mmengine would hide an ImportError of this module."""
    assert python('import irsde_mm.registry as r; print(r.MODELS.scope)'
                  ).split()[-1] == 'irsde_mm'


def test_types_are_found_without_custom_imports():
    out = python(
        "from mmengine.registry import MODELS\n"
        "net = MODELS.build(dict(type='irsde_mm.ConditionalNAFNet', width=4,"
        " enc_blocks=[1], dec_blocks=[1]))\n"
        "print(type(net).__name__)")
    assert out.split()[-1] == 'ConditionalNAFNet'


def test_missing_operators_raise_when_called():
    from irsde_mm import compat
    from mmcv.utils import ext_loader
    compat.apply()  # again: it is idempotent
    try:
        import mmcv._ext  # noqa: F401
        pytest.skip('mmcv has its operators here')
    except ImportError:
        pass
    ext = ext_loader.load_ext('_ext', ['deform_conv_forward'])
    with pytest.raises(RuntimeError, match="'deform_conv_forward'.*mmcv"):
        ext.deform_conv_forward(torch.zeros(1))
