"""The picture of the crispness has a column for each value."""
import draw_crispness
import numpy as np
import torch
from conftest import run_tool
from irsde_mm.inference import RestorationPipeline
from irsde_mm.inference.arrays import Upscale
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.samplers import JumpSampler
from irsde_mm.sde import IRSDE, CleanOutput


def test_columns():
    torch.manual_seed(0)
    network = ConditionalNAFNet(width=4, enc_blocks=[1], middle_blocks=1,
                                dec_blocks=[1]).requires_grad_(False).eval()
    for p in network.parameters():
        p += 0.01 * torch.randn_like(p)
    pipe = RestorationPipeline(
        network, IRSDE(0.1, num_steps=10), JumpSampler(),
        CleanOutput(residual=True), upscale=Upscale(4))
    columns = draw_crispness.images_of(pipe, 2)
    assert list(columns) == ['bicubic', *(
        f'crispness {s}' for s in draw_crispness.VALUES), 'clean']
    images = [image.astype(float) for image in columns.values()]
    assert len({image.shape for image in images}) == 1
    for i, image in enumerate(images):
        assert all((image != other).any() for other in images[:i])
    # the low resolution keeps the mean of the photo
    assert abs(images[0].mean() - images[-1].mean()) < 1
    picture = draw_crispness.draw(columns)
    side = draw_crispness.SIDE * draw_crispness.ZOOM
    assert picture.shape[0] > 2 * side and picture.shape[1] > 6 * side
    assert np.array_equal(
        picture[-side - 4:-4, -side - 4:-4:][::2, ::2],
        crop(columns['clean'], *draw_crispness.CORNERS[-1]))


def crop(image: np.ndarray, y: int, x: int) -> np.ndarray:
    side = draw_crispness.SIDE
    return image[y:y + side, x:x + side, ::-1]


def test_errors(error, tmp_path):
    assert 'crisp' in error('draw_crispness', 'quickstart/sr',
                            tmp_path / 'crisp.pth')
    assert run_tool('draw_crispness', '--help') == 0
