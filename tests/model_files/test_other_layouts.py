"""Published weights of other networks are named and refused."""
import pytest
import torch
from conftest import GOLDEN
from irsde_mm.model_files import convert_state_dict
from irsde_mm.model_files.other_layouts import other_layout


def zeros(**shapes) -> dict:
    return {name.replace('__', '.'): torch.zeros(shape)
            for name, shape in shapes.items()}


def below(prefix: str, weights: dict) -> dict:
    return {prefix + name: value for name, value in weights.items()}


def unet(width: int = 8) -> dict:
    """A part of a U-Net of denoising-diffusion-pytorch."""
    block = dict(proj__weight=(width, width, 3, 3), proj__bias=(width, ),
                 norm__weight=(width, ), norm__bias=(width, ))
    weights = zeros(
        init_conv__weight=(width, 6, 7, 7), init_conv__bias=(width, ),
        time_mlp__1__weight=(4 * width, width), final_conv__bias=(3, ),
        final_conv__weight=(3, width, 1, 1))
    for name in ('downs.0.0', 'mid_block1', 'final_res_block'):
        for i in '12':
            weights |= below(f'{name}.block{i}.', zeros(**block))
    return weights


def guided(width: int = 8, **more) -> dict:
    """A part of a U-Net of guided-diffusion."""
    return zeros(
        time_embed__0__weight=(4 * width, width),
        input_blocks__0__0__weight=(width, 3, 3, 3),
        middle_block__0__in_layers__0__weight=(width, ),
        middle_block__1__qkv__weight=(3 * width, width, 1),
        out__0__weight=(width, ), out__2__weight=(3, width, 3, 3), **more)


def swin() -> dict:
    table = torch.zeros(225, 2)
    return guided() | {
        f'input_blocks.1.1.blocks.{i}.attn.relative_position_bias_table': table
        for i in range(2)} | {
        'input_blocks.1.1.blocks.0.attn.relative_position_index':
        torch.zeros(64, 64, dtype=torch.int64)}


#: The content of published files.
FILES = {
    'RDDM trains two': dict(
        step=1, opt0={}, scaler=None, ema={'step': torch.tensor(1)},
        model=dict(
            zeros(alphas=1000), **below('model.unet0.', unet()),
            **below('model.unet1.', unet()))),
    'denoising-diffusion-pytorch': unet(),
    'ResShift\'s U-Net': dict(state_dict=below('module._orig_mod.', swin())),
    'Swin attention': swin(),
    'which I2SB trains': dict(
        net=below('diffusion_model.', guided()), optimizer={}, sched=None,
        ema=dict(decay=0.99, shadow_params=[torch.zeros(2)])),
    'guided-diffusion': guided(),
    'quantizing autoencoder': dict(state_dict=zeros(
        encoder__conv_in__weight=(8, 3, 3, 3), quantize__embedding__weight=(
            16, 3), decoder__conv_in__weight=(8, 3, 3, 3)))}


@pytest.mark.parametrize('what', FILES)
@pytest.mark.parametrize('config', [
    'family/rddm_derain', 'irsde/refusion_latent_autoencoder_dehaze'])
def test_one_line_says_what_the_file_is(what, config, tmp_path, error):
    path = tmp_path / 'published.pt'
    torch.save(FILES[what], path)
    found = error('convert_checkpoint', path, '--config', config, '--out',
                  tmp_path / 'new')
    assert 'published.pt' in found and what in found
    assert 'no network of irsde_mm can use' in found
    assert not (tmp_path / 'new').exists()


@pytest.mark.parametrize('arch', ['unet', 'nafnet', 'latent_unet'])
def test_python_function(arch):
    with pytest.raises(ValueError, match='RDDM.*groups of channels'):
        convert_state_dict(below('unet0.', unet()), arch)


def test_own_layouts_are_not_taken_for_others():
    files = sorted(GOLDEN.glob('*_official.pth'))
    assert len(files) >= 6
    for path in files:
        names = torch.load(path, weights_only=True)
        assert other_layout(names) is None, path
