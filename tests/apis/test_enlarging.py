"""Super-resolution models enlarge photos as the images of their tests are."""
import numpy as np
import pytest
import torch
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.apis.inference import enlargement
from irsde_mm.apis.restoring import batch_data, in_batches
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


def test_the_network_sees_what_it_sees_in_testing(model):
    inputs = batch_data(model, [PHOTO])['inputs']
    expected = Upsample(4)(dict(img=PHOTO))['img']
    bgr = torch.from_numpy(expected).permute(2, 0, 1) / 255
    assert inputs.shape == (1, 3, 40, 48)
    assert any(torch.allclose(inputs[0], image, atol=1e-6)
               for image in (bgr, bgr.flip(0)))
    small = batch_data(model, [PHOTO], enlarge=False)['inputs']
    assert small.shape == (1, 3, 10, 12)


def test_results_are_larger(model):
    assert enlargement(model) == 4
    assert restore(model, PHOTO).shape == (40, 48, 3)
    # a megapixel of restored images makes a batch
    assert in_batches(model, [(128, 128)] * 5) == [[0, 1, 2, 3], [4]]
    other = init_restorer('quickstart/derain', device='cpu')
    assert enlargement(other) == 1


def test_pictures_of_a_photo_that_was_enlarged(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        'irsde_mm.apis.inferencer.restorer_from_config',
        lambda *_: model)
    monkeypatch.setattr('irsde_mm.apis.inferencer.find_model',
                        lambda *_: (model.cfg, 'weights'))
    inferencer = RestorationInferencer('sr', device='cpu')
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
