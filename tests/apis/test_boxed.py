"""The models in the box: they load, restore, and say what they are."""
import copy

import numpy as np
import pytest
import yaml
from conftest import ROOT
from irsde_mm.apis import boxed_models, init_restorer
from irsde_mm.apis.boxed import WEIGHTS, find_boxed
from irsde_mm.apis.configs import load_config
from irsde_mm.errors import ConfigError
from irsde_mm.models.restorers.settings import plain
from irsde_mm.weight_files import read_exported
from mmengine.registry import DATASETS, DefaultScope

#: What each promises on the 100 photos of BSDS500 val, in dB.
GAINS = dict(derain=3, denoise=5, inpaint=6, dehaze=4, deblur=0.5, sr=0.3)
BOXED = boxed_models()
META = {model.get('Weights'): model for model in yaml.safe_load(
    (ROOT / 'configs/boxed/metafile.yml').read_text())['Models']}


def row(page, name):
    """Pairs (input, restored) of the line of a table about a model."""
    line, = [line for line in page.read_text().splitlines()
             if line.startswith(f'| {name} |') and ' / ' in line]
    return [tuple(map(float, cell.split(' / ')))
            for cell in line.split('|')[2:-1]]


def test_nothing_else_is_in_the_box():
    assert set(BOXED) == set(GAINS)
    assert {f'{name}.md' for name in BOXED} == {
        path.name for path in WEIGHTS.glob('*.md')}


@pytest.mark.parametrize('name', BOXED)
def test_files_are_small_and_say_their_terms(name):
    assert BOXED[name].stat().st_size <= 2_000_000
    exported = read_exported(str(BOXED[name]))['meta']['exported']
    assert 'BSDS500' in exported['licence']
    assert exported['config']['model']['type'] in (
        'irsde_mm.IRSDERestorer', 'irsde_mm.RefiningRestorer')


@pytest.mark.parametrize('name', BOXED)
def test_the_config_that_is_named_is_the_one_in_the_file(name):
    """Process, network, objective, sampler and degradation."""
    weights = f'irsde_mm/weights/{name}.safetensors'
    cfg = load_config(str(ROOT / META[weights]['Config']))
    inside = load_config(str(BOXED[name]))
    for key in ('generator', 'sde', 'sampler', 'pixel_loss'):
        assert inside.model[key] == cfg.model[key]
    ours, theirs = (plain(c.test_dataloader.dataset.to_dict()['pipeline'])
                    for c in (inside, cfg))
    assert ours == theirs


@pytest.mark.parametrize('name', BOXED)
def test_card_index_and_documents_agree(name):
    scores = row(BOXED[name].with_suffix('.md'), name)
    assert scores == row(ROOT / 'docs/models.md', name)
    model = META[f'irsde_mm/weights/{name}.safetensors']
    assert [restored for _, restored in scores] == list(
        model['Results'][0]['Metrics'].values())
    before, after = scores[0]
    assert after - before >= GAINS[name]


@pytest.mark.parametrize('name', BOXED)
def test_degraded_photos_become_better(name):
    """Photos that training never saw, degraded as the file says."""
    model = init_restorer(name, device='cpu')
    dataset = model.cfg.test_dataloader.dataset
    crop = dict(type='Crop', keys=['gt'], crop_size=(128, 128),
                random_crop=False)
    with DefaultScope.overwrite_default_scope('mmagic'):
        photos = DATASETS.build(dict(
            type='irsde_mm.BuiltinPhotos', split='test', pipeline=[
                crop, *copy.deepcopy(dataset.pipeline[1:])]))
    model.data_preprocessor.data_keys = ['gt_img']
    gains = []
    for photo in photos:
        x0 = photo['data_samples'].gt_img.double()
        pred = model.test_step(dict(
            inputs=[photo['inputs']], data_samples=[photo['data_samples']]
        ))[0].output.pred_img.double()
        before, after = (
            float((image.round().clip(0, 255) - x0).square().mean())
            for image in (photo['inputs'].double(), pred))
        gains.append(10 * np.log10(before / after))
    assert np.mean(gains) > GAINS[name] / 2, gains


def test_what_exists_goes_before_the_box(tmp_path, monkeypatch):
    assert find_boxed('deblur') == str(BOXED['deblur'])
    assert find_boxed('quickstart/derain') == 'quickstart/derain'
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'deblur').mkdir()
    assert find_boxed('deblur') == 'deblur'
    with pytest.raises(ConfigError, match="no config 'derian'"):
        init_restorer('derian')
