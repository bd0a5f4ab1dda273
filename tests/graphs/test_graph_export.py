"""Exported graphs equal their models, and name what cannot be exported."""
import json
import subprocess
import venv
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from benchmarks.graphs import measure_graph, show_graph
from conftest import ROOT
from irsde_mm import commands
from irsde_mm.apis import init_restorer
from irsde_mm.commands import export as command
from irsde_mm.config import config_scope, load_config
from irsde_mm.errors import ConfigError, OutputError
from irsde_mm.graphs import export as export_module
from irsde_mm.graphs.export import ExportOptions, export_graph
from irsde_mm.graphs.module import RestorationGraph
from irsde_mm.graphs.runner import open_graph
from irsde_mm.graphs.support import (check_pipeline, choose_sampler,
                                     with_plain_hooks)
from irsde_mm.inference import Hooks, RestorationPipeline
from irsde_mm.io.files import GRAPHS
from irsde_mm.io.metadata import read_metadata
from irsde_mm.model_files import bundled_models
from irsde_mm.registry import MODELS
from models import NAFNET, UNET, write_model
from PIL import Image
from safetensors.numpy import load_file

#: Odd sizes, multiples of the divisors, and less than a divisor.
SIZES = [(37, 45), (32, 48), (24, 17), (3, 21), (1, 1)]
NOISE = dict(type='irsde_mm.NoiseOutput')
DENOISING = dict(type='irsde_mm.DenoisingSDE', max_sigma=0.3)


def sampler(name: str, steps: int = 2, **args) -> dict:
    return dict(type=f'irsde_mm.{name}Sampler', num_steps=steps, **args)


def sde(name: str, **args) -> dict:
    return dict(type=f'irsde_mm.{name}', **args)


CASES = dict(
    unet=dict(network=UNET), unconditional=dict(
        network=dict(UNET, conditional=False), sde=DENOISING, output=NOISE,
        sigma=0.1, sampler=sampler('ProbabilityFlow')),
    euler=dict(output=NOISE, sampler=sampler('EulerMaruyama', 4)),
    mean_ode=dict(output=NOISE, sampler=sampler('MeanODE', 4)),
    posterior=dict(sampler=sampler('Posterior', 3, clamp=[0, 1])),
    multistep=dict(sampler=sampler('Multistep', 4)),
    multistep_sde=dict(sampler=sampler('Multistep', 4, variant='sde',
                                       grid='uniform')),
    goub=dict(sde=sde('GOUB', max_sigma=0.1)),
    unidb=dict(sde=sde('UniDB', max_sigma=0.1)),
    i2sb=dict(sde=sde('I2SB')),
    vpsde=dict(sde=sde('VPSDE', num_steps=100, beta_end=0.1), output=NOISE,
               sampler=sampler('Posterior', 3, clamp=[-1, 1])),
    resshift=dict(sde=sde('ResShift')), rddm=dict(sde=sde('RDDM')),
    straight=dict(sde=sde('StraightSDE', sigma=0.1),
                  output=dict(type='irsde_mm.VelocityOutput')),
    refining=dict(initial=dict(type='irsde_mm.RegressionNetwork',
                               network=UNET)),
    super_resolution=dict(upscale=dict(scale=2, mode='bicubic')),
    bgr=dict(order='BGR'),
    gray=dict(network=dict(NAFNET, in_channels=1)),
    mean=dict(crispness=0.5),
    averaged=dict(network=dict(NAFNET, self_ensemble=8)),
    patches=dict(network=dict(NAFNET, patch_size=4)),
    pooling=dict(network=dict(NAFNET, local_pooling=8)))
FIXED = ('pooling', )
#: Cases that differ from another in the coefficients of a step alone, which
#: test_module_equals_the_pipeline compares.
ALIKE = ('mean_ode', 'goub', 'unidb', 'i2sb', 'resshift', 'rddm')
#: Cases exported with torch, too: a .pt2 file is made of the same module.
BOTH = ('multistep_sde', 'refining', 'super_resolution', 'patches')


def largest_difference(pipeline, path: Path, sizes=SIZES, **options) -> float:
    """Return the largest difference of a pixel between file and pipeline,
    for the same noise and the given sizes."""
    runner, found = open_graph(str(path)), 0.
    for i, (h, w) in enumerate(sizes):
        torch.manual_seed(i)
        scale, c = pipeline.upscale, pipeline.channels
        image = torch.rand(1, c, h, w)
        inputs = dict(image=image.numpy())
        noise = torch.randn(runner.spec.draws, 1, c, scale * h, scale * w)
        if len(noise):
            inputs['noise'] = noise.numpy()
        large = pipeline.upscaling(image) if scale > 1 else image
        if pipeline.order == 'BGR':
            large = large.flip(1)
        wanted = pipeline.restore(large, generators=iter(noise), **options)
        if pipeline.order == 'BGR':
            wanted = wanted.flip(1)
        restored = torch.from_numpy(runner.run(inputs))
        assert restored.shape == (1, c, scale * h, scale * w)
        found = max(found, float((restored - wanted.clamp(0, 1)).abs().max()))
    return found


@pytest.fixture(scope='module')
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp('model') / 'tiny.safetensors')


@pytest.fixture(scope='module')
def onnx_file(model) -> Path:
    """The model, exported by the command."""
    assert irsde('export', model, '--format', 'onnx', '--out',
                 model.with_suffix('.onnx')) == 0
    return model.with_suffix('.onnx')


@pytest.fixture(scope='module')
def torch_file(model) -> Path:
    path = model.with_suffix('.pt2')
    export_graph(RestorationPipeline.from_file(model, 'cpu'), path,
                 ExportOptions('torch'))
    return path


def irsde(*args) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('sys.argv', ['irsde', *map(str, args)])
        try:
            commands.main()
        except SystemExit as end:
            return end.code
    return 0


# ------------------------------------------------------------------- tiny


def test_onnx_equals_the_pipeline(model, onnx_file):
    pipeline = RestorationPipeline.from_file(model, 'cpu')
    assert largest_difference(pipeline, onnx_file) < 1e-4


def test_export_with_a_self_ensemble(model, onnx_file, tmp_path, capsys):
    """With the number of copies of the option, not of the model."""
    path = tmp_path / 'averaged.onnx'
    assert irsde('export', model, '--format', 'onnx', '--self-ensemble', 2,
                 '--out', path) == 0
    pipeline = RestorationPipeline.from_file(model, 'cpu')
    assert pipeline.self_ensemble == 1
    pipeline.self_ensemble = 2
    assert largest_difference(pipeline, path) < 1e-4
    assert largest_difference(pipeline, onnx_file) > 1e-3
    capsys.readouterr()
    assert irsde('export', model, '--format', 'onnx', '--self-ensemble', 3,
                 '--out', tmp_path / 'other.onnx') == 2
    assert 'one of 1, 2, 4, 8' in capsys.readouterr().err


@pytest.mark.slow
def test_pt2_equals_the_pipeline(model, torch_file):
    pipeline = RestorationPipeline.from_file(model, 'cpu')
    assert largest_difference(pipeline, torch_file) < 1e-4


@pytest.mark.slow
def test_pt2_draws_the_noise_of_the_pipeline(model, torch_file, tmp_path):
    """For photos, by name and by seed."""
    image = np.random.default_rng(0).integers(0, 256, (19, 26, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / 'photo.png')
    for options in ({}, dict(seed=3)):
        wanted, = init_restorer(str(model), device='cpu').restore_batch(
            [image[..., ::-1]], ['photo.png'], **options)
        found = open_graph(str(torch_file)).restore(
            image[..., ::-1], 'photo.png', **options)
        assert abs(found.astype(int) - wanted).max() <= 1
    assert irsde('restore', tmp_path / 'photo.png', '--model', torch_file,
                 '--out', tmp_path / 'out', '--seed', 3) == 0
    written = np.asarray(Image.open(tmp_path / 'out' / 'photo.png'))
    assert abs(written[..., ::-1].astype(int) - wanted).max() <= 1
    assert read_metadata(tmp_path / 'out' / 'photo.png', 3) == {}


@pytest.mark.slow
def test_pt2_is_loaded_by_torch(torch_file):
    program = torch.export.load(torch_file)
    restored = program.module()(torch.rand(1, 3, 21, 30),
                                torch.randn(3, 1, 3, 21, 30))
    assert restored.shape == (1, 3, 21, 30)


def test_description(onnx_file, torch_file):
    for path in (onnx_file, torch_file):
        spec = open_graph(str(path)).spec
        assert (spec.channels, spec.scale, spec.calls, spec.draws) == (
            3, 1, 2, 3)
        assert spec.height is None and spec.bytes_per_pixel > 0
        assert spec.texts['title'] == 'tiny'
        assert spec.texts['licence'] == 'CC0-1.0'
        assert json.loads(spec.texts['pipeline'])['network'] == NAFNET
        assert json.loads(spec.texts['sampling']) == dict(
            sampler='JumpSampler', steps=2, eta=0.7, stochastic=True,
            crispness=None, sigma=None, weights='float32')


def test_the_network_occurs_once(onnx_file, model):
    """As a function, whose weights are initializers of the model."""
    network = onnx.load(onnx_file)
    onnx.checker.check_model(network, full_check=True)
    assert [function.name for function in network.functions] == ['generator']
    calls = [node for node in network.graph.node
             if node.op_type == 'generator']
    assert len(calls) == 2 and calls[0].input[2:] == calls[1].input[2:]
    own = RestorationPipeline.from_file(model, 'cpu').network
    numbers = sum(np.prod(w.dims) for w in network.graph.initializer
                  if w.name.startswith('generator.'))
    # without the time embedding, which is computed in advance
    time = sum(p.numel() for p in own.time_mlp.parameters())
    assert numbers <= 1.1 * sum(p.numel() for p in own.parameters()) - time
    assert not network.graph.node[0].metadata_props  # no traces of the source


def test_nothing_is_overwritten(model, onnx_file, tmp_path, capfd):
    before = onnx_file.read_bytes()
    assert irsde('export', model, '--format', 'onnx', '--out', onnx_file) == 2
    assert 'is not overwritten' in capfd.readouterr().err
    assert irsde('export', model, '--format', 'onnx', '--out',
                 tmp_path / 'x.pt2') == 2
    assert 'must end in .onnx' in capfd.readouterr().err
    assert onnx_file.read_bytes() == before
    assert not list(tmp_path.iterdir())


def test_a_file_that_differs_is_not_kept(model, tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, 'write_onnx',
                        lambda path, *_: path.write_bytes(b'x'))
    monkeypatch.setattr(export_module, 'compare', lambda *_: 0.01)
    with pytest.raises(ConfigError, match='differs .* by 1.0e-02'):
        export_graph(RestorationPipeline.from_file(model, 'cpu'),
                     tmp_path / 'x.onnx', ExportOptions())
    assert not list(tmp_path.iterdir())


def test_a_file_made_in_the_meantime_is_kept(model, tmp_path, monkeypatch):
    path = tmp_path / 'x.onnx'

    def write(draft, *_):
        draft.write_bytes(b'new')
        path.write_bytes(b'other')

    monkeypatch.setattr(export_module, 'write_onnx', write)
    monkeypatch.setattr(export_module, 'compare', lambda *_: 0.)
    with pytest.raises(OutputError, match='is not overwritten'):
        export_graph(RestorationPipeline.from_file(model, 'cpu'), path,
                     ExportOptions())
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b'other']


@pytest.mark.parametrize('case', CASES)
def test_module_equals_the_pipeline(tmp_path, case):
    """Of all components, before the export: the same numbers, from as many
    draws as were counted."""
    path = write_model(tmp_path / 'x.safetensors', **CASES[case])
    pipeline = RestorationPipeline.from_file(path, 'cpu')
    graph = RestorationGraph(pipeline, pipeline.sampler)
    scale, c = pipeline.upscale, pipeline.channels
    image = torch.rand(2, c, 13, 22)
    noise = torch.randn(graph.count_draws(), 2, c, 13 * scale, 22 * scale)
    with torch.no_grad():
        found = graph(image, noise if len(noise) else None)
    left = iter(noise)
    inputs = pipeline.upscaling(image) if scale > 1 else image
    if pipeline.order == 'BGR':
        inputs, found = inputs.flip(1), found.flip(1)
    wanted = pipeline.restore(inputs, generators=left).clamp(0, 1)
    assert (found - wanted).abs().max() < 1e-5
    assert next(left, None) is None


def test_noise_that_ends_too_early(model):
    pipeline = RestorationPipeline.from_file(model, 'cpu')
    with pytest.raises(ValueError, match='more noise is needed'):
        pipeline.restore(torch.rand(1, 3, 8, 8), generators=iter(
            [torch.randn(1, 3, 8, 8)]))


# --------------------------------------------------------------- refusals


@pytest.mark.parametrize('args, words', [
    (['--height', 3], '--height and --width together'),
    (['--height', 3, '--width', 3, '--dynamic'], 'or --dynamic'),
    (['--height', 0, '--width', 3], 'at least 1'),
    (['--steps', 0], 'less than 1'), (['--steps', 101], 'at most'),
    (['--sampler', 'nothing'], 'unknown sampler'),
    (['--sampler', 'dpm', '--steps', 5], 'choose another --sampler'),
    (['--sigma', 0.1], 'omit --sigma'), (['--crispness', 2], 'crispness'),
    (['--steps', 30, '--crispness', 0.5, '--sampler', 'posterior'], None)])
def test_refused_options(model, tmp_path, capfd, args, words):
    """In one line, before any work; the last case is not refused, because
    one call estimates the mean."""
    if words is None:
        pipeline = RestorationPipeline.from_file(model, 'cpu')
        assert choose_sampler(pipeline, ExportOptions(
            sampler='posterior', steps=30, crispness=0.5)).num_steps == 30
        return
    assert irsde('export', model, '--format', 'onnx', '--out',
                 tmp_path / 'x.onnx', *args) == 2
    error = capfd.readouterr().err
    assert words in error and error.count('\n') <= 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('settings, options, words', [
    (dict(network=dict(NAFNET, local_pooling=8)), {}, '--height and --width'),
    (dict(network=dict(NAFNET, self_ensemble=8)), dict(steps=13),
     'contain 104 network calls'),
    (dict(network=dict(NAFNET, conditional=False), sde=DENOISING,
          output=NOISE, sigma='estimate'), {}, 'fix it with --sigma'),
    (dict(network=dict(NAFNET, conditional=False), sde=DENOISING,
          output=NOISE), dict(sigma=0.5), 'outside the range'),
    (dict(network=dict(NAFNET, conditional=False), sde=DENOISING,
          output=NOISE), dict(sigma=0.), 'no noise to remove'),
    ({}, dict(format='torch', half=True), 'only for --format onnx'),
    (dict(sde=sde('GOUB', max_sigma=0.1), output=NOISE), dict(
        sampler='posterior', steps=60, crispness=0.5), '300 network calls')])
def test_refused_models(tmp_path, settings, options, words):
    path = write_model(tmp_path / 'x.safetensors', **settings)
    pipeline = RestorationPipeline.from_file(path, 'cpu')
    with pytest.raises(ConfigError, match=words):
        export_graph(pipeline, tmp_path / 'x.onnx', ExportOptions(**options))
    assert [p.name for p in tmp_path.iterdir()] == ['x.safetensors']


def test_other_pipelines_are_refused(model):
    pipeline = RestorationPipeline.from_file(model, 'cpu')
    pipeline.data_consistency = pipeline  # anything but None
    with pytest.raises(ConfigError, match='data_consistency'):
        check_pipeline(pipeline, ExportOptions())
    pipeline.data_consistency = None
    pipeline.network = torch.nn.Identity()
    with pytest.raises(ConfigError, match='Identity'):
        check_pipeline(pipeline, ExportOptions())
    pipeline.hooks = type('OtherHooks', (Hooks, ), {})()
    with pytest.raises(ConfigError, match='OtherHooks'):
        with_plain_hooks(pipeline)
    with pytest.raises(ConfigError, match='not a diffusion model'):
        with_plain_hooks(type('CNN', (), dict(name='CNN'))())


@pytest.mark.parametrize('name', ['onnx', 'onnxscript', 'onnxruntime'])
def test_missing_extra(model, tmp_path, monkeypatch, capfd, name):
    """One line names the extra, before the model is loaded."""
    monkeypatch.setattr(
        'importlib.util.find_spec',
        lambda found: None if found == name else find_spec(found))
    monkeypatch.setattr('irsde_mm.apis.inference.open_pipeline', None)
    assert irsde('export', model, '--format', 'onnx', '--out',
                 tmp_path / 'x.onnx') == 2
    assert capfd.readouterr().err == (
        f'error: {name} is required but not installed: run pip install '
        "'irsde-mm[onnx]'.\n")


def test_default_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind, suffix in GRAPHS.items():
        args = command.parser().parse_args(['a/b.safetensors', '--format',
                                            kind])
        assert command.new_file(args) == Path(f'b{suffix}')


# ------------------------------------------------------------------- slow

@pytest.mark.slow
@pytest.mark.parametrize('case, kind', [
    *((case, 'onnx') for case in CASES if case not in ALIKE),
    *((case, 'torch') for case in BOTH)])
def test_components(tmp_path, case, kind):
    """Networks, processes, samplers, outputs and settings."""
    path = write_model(tmp_path / 'x.safetensors', **CASES[case])
    pipeline = RestorationPipeline.from_file(path, 'cpu')
    size = (21, 30) if case in FIXED else None
    out = tmp_path / f'x{GRAPHS[kind]}'
    _, difference = export_graph(pipeline, out, ExportOptions(kind, size=size))
    assert difference < 1e-4
    sizes = [size] if size else SIZES[:3]
    assert largest_difference(pipeline, out, sizes) < 1e-4


@pytest.mark.slow
def test_half_precision_weights(model, onnx_file, tmp_path):
    """The file has about half the size, and results differ by rounding."""
    pipeline = RestorationPipeline.from_file(model, 'cpu')
    path = tmp_path / 'half.onnx'
    export_graph(pipeline, path, ExportOptions(half=True, steps=1))
    assert largest_difference(pipeline, path, SIZES[:2], sampler=(
        pipeline.choose_sampler(None, 1))) < 0.01
    kinds = {weight.data_type for weight in onnx.load(path).graph.initializer
             if weight.name.startswith('generator.')}
    assert onnx.TensorProto.FLOAT not in kinds
    assert onnx.TensorProto.FLOAT16 in kinds


@pytest.mark.slow
@pytest.mark.parametrize('name', ['denoise', 'sr', 'auto'])
def test_bundled_models(name, tmp_path):
    """One of each kind: deblur, derain and inpaint have the structure of
    auto, dehaze that of sr. The file is at most 1.2 times as large as the
    weights in float32, plus 1 MB."""
    source = bundled_models()[name]
    pipeline = init_restorer(str(source), device='cpu')
    pipeline.self_ensemble = 1  # each copy takes a minute to export
    sigma = 0.1 if pipeline.sde.starts_at_noise_level else None
    path = tmp_path / f'{name}.onnx'
    export_graph(pipeline, path, ExportOptions(steps=2, sigma=sigma))
    if sigma:
        pipeline.sigma = sigma
    weights = 4 * sum(tensor.size for tensor in load_file(source).values())
    assert path.stat().st_size < 1.2 * weights + 1e6
    assert largest_difference(pipeline, path, sampler=(
        pipeline.choose_sampler(None, 2))) < 1e-4


@pytest.mark.slow
def test_benchmark(model, capsys):
    row = measure_graph(RestorationPipeline.from_file(model, 'cpu'),
                        Namespace(size=16, repeats=2))
    assert row['calls'] == 2 and row['error'] < 1e-4
    assert min(row['ours_ms'], row['onnxruntime_ms'], row['ratio']) > 0
    show_graph(row, 'the title')
    assert 'the title' in capsys.readouterr().out


@pytest.mark.slow
def test_environment_without_torch(onnx_file, tmp_path):
    """examples/run_onnx.py with onnxruntime and numpy only."""
    venv.create(tmp_path / 'venv', with_pip=False)
    site, = (tmp_path / 'venv' / 'lib').glob('python*/site-packages')
    for name in ('numpy', 'onnxruntime'):
        folder = Path(find_spec(name).origin).parent
        (site / name).symlink_to(folder)
        libraries = folder.with_name(f'{name}.libs')
        if libraries.is_dir():
            (site / libraries.name).symlink_to(libraries)
    python = tmp_path / 'venv' / 'bin' / 'python'
    np.save(tmp_path / 'in.npy', np.zeros((19, 23, 3), np.uint8))
    code = 'import torch'
    assert subprocess.run([python, '-c', code], capture_output=True
                          ).returncode == 1
    subprocess.run([python, str(ROOT / 'examples' / 'run_onnx.py'),
                    str(onnx_file), 'in.npy', 'out.npy'], check=True,
                   cwd=tmp_path, env={})
    assert np.load(tmp_path / 'out.npy').shape == (19, 23, 3)


@pytest.mark.slow
def test_models_built_by_mmagic(trained, tmp_path, photo):
    """Work directories and refining models export like files."""
    out = tmp_path / 'work.onnx'
    assert irsde('export', trained, '--format', 'onnx', '--out', out) == 0
    assert irsde('restore', photo, '--model', out, '--out',
                 tmp_path / 'restored') == 0
    cfg = load_config('quickstart/derain', {
        'model.type': 'irsde_mm.RefiningRestorer',
        'model.initial': dict(
            type='irsde_mm.RegressionNetwork', network=dict(
                type='irsde_mm.ConditionalNAFNet', width=4, enc_blocks=[1],
                middle_blocks=1, dec_blocks=[1]))})
    with config_scope(cfg):
        pipeline = MODELS.build(cfg.model).eval().pipeline
    _, difference = export_graph(pipeline, tmp_path / 'refine.onnx',
                                 ExportOptions())
    assert difference < 1e-4


def test_hooks_of_restorers():
    """Those of a latent restorer are refused, the others replaced."""
    cfg = load_config('quickstart/derain')
    with config_scope(cfg):
        pipeline = MODELS.build(cfg.model).pipeline
    assert type(with_plain_hooks(pipeline).hooks) is Hooks
    assert type(pipeline.hooks) is not Hooks, 'the pipeline is unchanged'
    cfg = load_config('quickstart/latent_dehaze')
    with config_scope(cfg):
        latent = MODELS.build(cfg.model).pipeline
    with pytest.raises(ConfigError, match='latents'):
        with_plain_hooks(latent)
