"""Components of mmagic in our models and ours in mmagic's."""
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, run_tool
from irsde_mm.apis import init_restorer, restore
from irsde_mm.apis.export import export
from irsde_mm.config import config_scope, load_config
from irsde_mm.errors import CheckpointError, DataError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.models.networks import UnetNoisePredictor
from irsde_mm.models.restorers.settings import full_settings
from irsde_mm.registry import MODELS
from mmengine.registry import DefaultScope

DOC = (ROOT / 'docs' / 'mixing_with_mmagic.md').read_text()
BLOCKS = re.findall(r'```(\w+)\n(.*?)```', DOC, re.S)
SHORT = ['train_dataloader.batch_size=2', 'train_cfg.max_iters=2',
         'val_dataloader.dataset.indices=1',
         'test_dataloader.dataset.indices=1']
STEPS = 'model.sampler.num_steps=1'
UNET = [STEPS, 'model.generator.network.channels_cfg=[1,1,1,1,1]']


def unet(**kwargs) -> UnetNoisePredictor:
    with DefaultScope.overwrite_default_scope('mmagic'):
        return UnetNoisePredictor(network=dict(
            type='mmagic.DenoisingUnet', image_size=32, base_channels=32,
            channels_cfg=[1, 2], resblocks_per_downsample=1,
            attention_res=[], norm_cfg=dict(type='GN', num_groups=8),
            **kwargs))


@pytest.mark.parametrize('var', ['fixed_small', 'learned_range'])
def test_mmagic_unet_predicts_noise(var):
    """Image sizes, times, the condition, and outputs with a variance."""
    net = unet(in_channels=6, out_channels=3 if 'fixed' in var else 6,
               output_cfg=dict(mean='eps', var=var)).eval()
    for p in net.parameters():
        p.data += 0.02 * torch.randn_like(p)
    xt, mu = torch.rand(2, 2, 3, 9, 13)
    with torch.no_grad():
        noise = net(xt, mu, 5)
        assert noise.shape == xt.shape
        torch.testing.assert_close(net(xt, mu, torch.tensor([5, 5])), noise)
        torch.testing.assert_close(net(xt, mu, torch.tensor(5.)), noise)
        assert not torch.equal(net(xt, 1 - mu, 5), noise)
        assert not torch.equal(net(xt, mu, 5.5), noise)
        with pytest.raises(DataError, match='conditional'):
            net(xt, None, 5)
    with pytest.raises(ValueError, match='even'):
        unet(in_channels=3)


def test_settings_of_mmagic_unet_build_it_again():
    """Its blocks are partial configs, whose defaults must stay open."""
    cfg = load_config('mixing/denoising_unet').model.generator
    shapes, again = (
        {name: p.shape for name, p in MODELS.build(c).state_dict().items()}
        for c in (cfg, full_settings(MODELS, cfg)))
    assert again == shapes


@pytest.mark.slow
def test_mmagic_unet_restores_from_every_file(tmp_path, photo):
    """Work folder, checkpoint and exported file of a network of mmagic give
    the same result, and the exported one is tested on own images."""
    run = tmp_path / 'unet'
    assert run_tool(
        'train', 'mixing/denoising_unet', '--work-dir', run, '--cfg-options',
        *SHORT, *UNET, 'train_cfg.val_begin=9') == 0
    model = init_restorer(str(run))
    alone = shutil.copy(run / 'iter_2.pth', tmp_path / 'alone.pth')
    exported = tmp_path / 'unet.safetensors'
    export(model, exported, 'mixed')
    expected = restore(model, str(photo), sampler='fast')
    for path in (alone, exported):
        np.testing.assert_array_equal(
            restore(init_restorer(str(path)), str(photo), sampler='fast'),
            expected)
    (tmp_path / 'clean').mkdir()
    for name in ('a.png', 'b.png'):
        shutil.copy(photo, tmp_path / 'clean' / name)
    assert run_tool('test', exported, '--work-dir', tmp_path / 'test',
                    '--data', tmp_path / 'clean') == 0


@pytest.fixture(scope='module')
def runs(tmp_path_factory) -> Path:
    """Folder of a tiny baseline and of a process that starts from it."""
    folder = tmp_path_factory.mktemp('refine')
    assert run_tool(
        'train', 'baselines/quickstart/derain_cnn', '--work-dir',
        folder / 'cnn', '--cfg-options', *SHORT,
        'model.generator.network.width=4') == 0
    shutil.copy(folder / 'cnn' / 'iter_2.pth', folder / 'cnn.pth')
    assert run_tool(
        'train', 'mixing/refine_cnn', '--work-dir', folder / 'refine',
        '--cfg-options', *refine(folder / 'cnn.pth')) == 0
    (folder / 'cnn.pth').unlink()
    return folder


def refine(checkpoint) -> list:
    return [*SHORT, STEPS, 'model.generator.width=4',
            'model.initial.network.width=4',
            f'model.initial_checkpoint={checkpoint}']


def test_mu_is_the_result_of_the_baseline(runs, photo):
    """One file holds both networks, the first unchanged."""
    weights = torch.load(runs / 'refine' / 'iter_2.pth', weights_only=True)
    model = init_restorer(str(runs / 'refine' / 'iter_2.pth'))
    first = init_restorer(str(runs / 'cnn'))
    image = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        mu = first.forward_tensor(image).clamp(0, 1)
        torch.testing.assert_close(model.hooks.condition(image), mu)
        plain = RestorationPipeline(
            model.network, model.sde, model.sampler, model.output)
        torch.testing.assert_close(
            model.restore(image, generators=model.generators(1)),
            plain.restore(mu, generators=model.generators(1)))
    assert 'initial' in weights['meta']['irsde_mm']
    assert restore(model, str(photo)).shape == (20, 31, 3)


def test_refining_is_tested_without_the_baselines_file(runs, tmp_path):
    assert run_tool('test', 'mixing/refine_cnn', runs / 'refine'
                    / 'iter_2.pth', '--work-dir', tmp_path, '--cfg-options',
                    *refine('none.pth')) == 0


def test_refining_is_resumed_without_the_baselines_file(runs, tmp_path):
    run = shutil.copytree(runs / 'refine', tmp_path / 'run')
    before = torch.load(run / 'iter_2.pth', weights_only=True)['state_dict']
    assert run_tool('train', 'mixing/refine_cnn', '--work-dir', run,
                    '--resume', '--cfg-options', *refine('none.pth'),
                    'train_cfg.max_iters=3') == 0
    after = torch.load(run / 'iter_3.pth', weights_only=True)['state_dict']
    changed = {key.split('.')[0] for key in before
               if not torch.equal(before[key], after[key])}
    assert changed == {'generator'}


def test_refining_is_not_resumed_with_another_network(runs, error):
    """The error comes before the work folder is changed."""
    run = runs / 'refine'
    before = sorted(run.rglob('*'))
    message = error('train', 'mixing/refine_cnn', '--work-dir', run,
                    '--resume', '--cfg-options', *refine('none.pth'),
                    'model.generator.width=8')
    assert 'width: 4 in the checkpoint, 8' in message
    assert sorted(run.rglob('*')) == before


def test_refining_learns_from_the_restored_image(runs, monkeypatch):
    model = init_restorer(str(runs / 'refine')).train()
    assert not model.initial.training
    assert not any(p.requires_grad for p in model.initial.parameters())
    from mmagic.structures import DataSample
    image, clean = torch.rand(2, 1, 3, 16, 16)
    torch.manual_seed(1)
    loss = model.forward_train(image, DataSample(gt_img=clean))['loss']
    loss.backward()
    mu = model.condition(image)
    monkeypatch.setattr(model, 'condition', lambda inputs: inputs)
    torch.manual_seed(1)
    assert loss == model.forward_train(mu, DataSample(gt_img=clean))['loss']
    assert all(p.grad is None for p in model.initial.parameters())


@pytest.mark.slow
def test_refused_baseline_files(runs, error, tmp_path):
    def message(*options):
        return error('train', 'mixing/refine_cnn', '--work-dir', tmp_path,
                     '--cfg-options', *refine('none.pth'), *options)

    assert "no checkpoint found at 'none.pth'" in message()
    cnn = f'model.initial_checkpoint={runs}/cnn/iter_2.pth'
    assert 'not a checkpoint of model.initial' in message(
        cnn, 'model.initial.network.width=8')
    assert 'not a checkpoint of model.initial' in message(
        f'model.initial_checkpoint={runs}/refine/iter_2.pth')
    assert 'set model.initial_checkpoint' in message(
        'model.initial_checkpoint=None')


def test_checkpoints_with_and_without_initial_network(runs, trained):
    plain = init_restorer(str(trained))
    path = runs / 'refine' / 'iter_2.pth'
    with pytest.raises(CheckpointError, match='initial'):
        plain.check_checkpoint(torch.load(path, weights_only=True))
    cfg = load_config('mixing/refine_cnn')
    cfg.merge_from_dict(dict(
        item.split('=') for item in refine('x') if 'width' in item))
    cfg.model.generator.width = cfg.model.initial.network.width = 4
    with config_scope(cfg):
        refining = MODELS.build(cfg.model)
    with pytest.raises(CheckpointError, match='initial'):
        refining.check_checkpoint(torch.load(
            trained / 'iter_2.pth', weights_only=True))


SIZES = dict(
    denoising_unet=UNET,
    our_data_in_nafnet=[
        'model.generator.mid_channels=4', 'model.generator.enc_blk_nums=[1]',
        'model.generator.dec_blk_nums=[1]',
        'model.generator.train_size=(1,3,64,64)'],
    pixel_loss=[STEPS, 'model.generator.width=4'])


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=pytest.mark.slow) if name == 'denoising_unet'
    else name for name in SIZES])
def test_mixed_configs_train_and_test(name, tmp_path):
    options = ['--cfg-options', *SHORT, *SIZES[name]]
    assert run_tool('train', f'mixing/{name}', '--work-dir',
                    tmp_path / 'run', *options) == 0
    assert run_tool('test', f'mixing/{name}', tmp_path / 'run' / 'iter_2.pth',
                    '--work-dir', tmp_path / 'test', *options) == 0
    scores, = (tmp_path / 'test').glob('2*/2*.json')
    assert '"PSNR"' in scores.read_text()


def test_every_mixed_config_is_run():
    assert {p.stem for p in (ROOT / 'configs' / 'mixing').glob('*.py')} == {
        *SIZES, 'refine_cnn'}


@pytest.mark.slow
def test_document(tmp_path, monkeypatch):
    """The blocks of the document run in order, with short trainings."""
    monkeypatch.chdir(tmp_path)
    namespace, commands = {}, 0
    for language, text in BLOCKS:
        name = re.match(r'# (\w+\.py)\n', text)
        if name:
            Path(name[1]).write_text(text)
        elif language == 'python':
            exec(compile(text, 'mixing_with_mmagic.md', 'exec'), namespace)
        else:
            for line in text.splitlines():
                run_line(line)
                commands += 1
    assert commands == 9 and namespace['sample']['img'].shape[2] == 3


def run_line(line: str) -> None:
    """Run a documented command with a tiny network and two iterations."""
    python, tool, *args = line.replace('iter_1600', 'iter_2').split()
    assert python == 'python'
    if Path(tool).stem == 'prepare_weights':
        assert run_tool('prepare_weights', *args) == 0
        return
    if '--cfg-options' not in args:
        args.append('--cfg-options')
    options = {'my_unet.py': [STEPS], 'my_nafnet.py': [], 'my_maxim.py': [],
               'baselines/quickstart/derain_cnn': [
                   'model.generator.network.width=4'],
               'mixing/refine_cnn': refine('')[:-1]}.get(
                   args[0], [STEPS, 'model.generator.width=4'])
    assert run_tool(Path(tool).stem, *args, *SHORT, *options) == 0, line
