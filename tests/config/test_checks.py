"""Checks of models and their data before training."""
from types import SimpleNamespace

import pytest
from irsde_mm.config.checks import check_holes
from irsde_mm.datasets.transforms import KeepMask
from irsde_mm.errors import ConfigError
from irsde_mm.models import WhiteHolePreprocessor


@pytest.mark.parametrize('color, fits', [
    (255, True), ((255, 255, 255), True), (0, False), ('random', False),
    ((255, 255, 0), False)])
def test_masks_are_found_in_white_holes_only(color, fits):
    model = SimpleNamespace(data_preprocessor=WhiteHolePreprocessor())
    dataset = SimpleNamespace(pipeline=SimpleNamespace(
        transforms=[KeepMask(color=color)]))
    if fits:
        check_holes(model, dataset)
    else:
        with pytest.raises(ConfigError, match=r'KeepMask\.color.*white'):
            check_holes(model, dataset)
    check_holes(SimpleNamespace(), dataset)  # models that need no mask
