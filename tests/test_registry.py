"""Our types are found from everywhere, and importing stays cheap."""
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
            'OutputLoss', 'RegressionNetwork', 'SuperResolver',
            'WhiteHolePreprocessor', 'GreyHolesDeepFill', 'RefiningRestorer',
            'UnetNoisePredictor', 'MAXIM', 'MultiStageRestorer'],
    DATASETS=['PairedImageDataset', 'BuiltinPhotos', 'CleanImageDataset'],
    TRANSFORMS=['RainStreaks', 'GaussianNoise', 'MotionBlur', 'KeepMask',
                'LowResolution', 'Upsample', 'Haze', 'LoadImage'],
    METRICS=['PSNR', 'SSIM', 'LPIPS', 'FID', 'NIQE', 'BitsPerDim'],
    HOOKS=['SettingsHook', 'PlainCheckpointHook', 'ProgressHook',
           'LoggerHook', 'ResultsHook', 'SkippedImagesHook'],
    OPTIM_WRAPPERS=['BFloat16OptimWrapper'])


@pytest.mark.parametrize('node, name', [
    (node, name) for node, names in NAMES.items() for name in names])
def test_found_from_everywhere(node, name):
    cls = getattr(ours, node).get(name)
    assert cls is not None
    for registries in (root, mmagic_nodes, ours):
        assert getattr(registries, node).get(f'irsde_mm.{name}') is cls


def test_diffusion_schedulers():
    for name in ('IRSDE', 'DenoisingSDE', 'VPSDE', 'GOUB', 'RDDM',
                 'NoiseOutput', 'CleanOutput', 'PosteriorSampler',
                 'JumpSampler', 'EulerMaruyamaSampler',
                 'ProbabilityFlowSampler'):
        cls = ours.DIFFUSION_SCHEDULERS.get(name)
        assert cls is not None
        assert mmagic_nodes.DIFFUSION_SCHEDULERS.get(f'irsde_mm.{name}') \
            is cls


def test_mmagic_is_found_from_ours():
    assert ours.MODELS.get('mmagic.L1Loss') is not None
    assert ours.METRICS.get('mmagic.NIQE') is not None


def python(code: str) -> str:
    return subprocess.run([sys.executable, '-W', 'ignore', '-c', code],
                          check=True, text=True, capture_output=True).stdout


def test_the_package_alone_imports_nothing_heavy():
    loaded = python('import irsde_mm, sys; print(*sys.modules)').split()
    assert not {'torch', 'mmagic', 'mmengine', 'numpy'} & set(loaded)


def test_the_cli_alone_imports_nothing_heavy():
    loaded = python('import irsde_mm.commands.cli, sys; '
                    'print(*sys.modules)').split()
    assert not {'torch', 'mmagic', 'mmengine', 'numpy'} & set(loaded)


@pytest.mark.parametrize('name', [
    'apis', 'commands', 'config', 'datasets', 'engine', 'evaluation',
    'inference', 'io', 'model_files', 'models', 'networks', 'samplers', 'sde'])
def test_every_room_can_be_imported_first(name):
    python(f'import irsde_mm.{name}')


def test_registry_module_by_itself():
    """mmengine swallows an ImportError in here: it must have none."""
    assert python('import irsde_mm.registry as r; print(r.MODELS.scope)'
                  ).split()[-1] == 'irsde_mm'


def test_a_type_is_found_without_custom_imports():
    out = python(
        "from mmengine.registry import MODELS\n"
        "net = MODELS.build(dict(type='irsde_mm.ConditionalNAFNet', width=4,"
        " enc_blocks=[1], dec_blocks=[1]))\n"
        "print(type(net).__name__)")
    assert out.split()[-1] == 'ConditionalNAFNet'


def test_missing_operators_are_named_when_called():
    from irsde_mm import compat
    from mmcv.utils import ext_loader
    compat.apply()  # once is enough, twice does no harm
    try:
        import mmcv._ext  # noqa: F401
        pytest.skip('mmcv is compiled here: nothing is stood in for')
    except ImportError:
        pass
    ext = ext_loader.load_ext('_ext', ['deform_conv_forward'])
    with pytest.raises(RuntimeError, match="'deform_conv_forward'.*mmcv"):
        ext.deform_conv_forward(torch.zeros(1))
