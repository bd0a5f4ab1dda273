"""Super-resolution models enlarge photos as their test data does."""
import numpy as np
import pytest
import torch
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.apis.export import export
from irsde_mm.apis.inference import as_pipeline
from irsde_mm.datasets.transforms import Upsample

PHOTO = np.random.default_rng(0).integers(256, size=(10, 12, 3),
                                          dtype=np.uint8)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp('sr') / 'sr.py'
    path.write_text("_base_ = 'irsde_mm::quickstart/sr.py'\n"
                    'model = dict(generator=dict(width=4), '
                    'sampler=dict(num_steps=2))\n')
    torch.manual_seed(0)
    return init_restorer(str(path), device='cpu')


def test_inputs_equal_those_of_testing(model):
    inputs, sizes = model.pipeline.as_inputs([PHOTO])
    expected = Upsample(4)(dict(img=PHOTO))['img']
    bgr = torch.from_numpy(expected).permute(2, 0, 1) / 255
    assert inputs.shape == (1, 3, 40, 48) and sizes == [(40, 48)]
    torch.testing.assert_close(inputs[0], bgr.flip(0))
    small, _ = model.pipeline.as_inputs([PHOTO], enlarge=False)
    assert small.shape == (1, 3, 10, 12)


def test_results_are_larger(model):
    pipeline = as_pipeline(model)
    assert pipeline.upscale == 4
    for h, w in ((10, 12), (9, 7), (1, 1)):
        assert restore(model, PHOTO[:h, :w]).shape == (4 * h, 4 * w, 3)
    # a batch has at most a megapixel of restored images
    assert pipeline.in_batches([(128, 128)] * 5) == [[0, 1, 2, 3], [4]]
    other = init_restorer('quickstart/derain', device='cpu')
    assert as_pipeline(other).upscale == 1


@pytest.mark.parametrize('name', ['sr_cnn', 'sr_edsr'])
def test_mmagic_models_enlarge(name):
    model = init_restorer(f'baselines/quickstart/{name}', device='cpu')
    assert as_pipeline(model).upscale == 4
    assert restore(model, PHOTO).shape == (40, 48, 3)


def test_pictures_of_an_enlarged_photo(model, tmp_path):
    path = tmp_path / 'sr.safetensors'
    export(model, path, 'sr')
    inferencer = RestorationInferencer(str(path), device='cpu')
    found = inferencer(PHOTO, compare=True, samples=2, trajectory=True,
                       show_progress=False)
    result, = found['predictions']
    assert result.image.shape == (40, 48, 3)
    assert result.spread.shape == (40, 48)
    drawn, = found['visualization']
    assert drawn['compare'].shape[1] >= 2 * 48
    frames = inferencer.interpolate(PHOTO, PHOTO[::-1].copy(), 3,
                                    show_progress=False)
    assert [frame.shape for frame in frames] == 3 * [(40, 48, 3)]
