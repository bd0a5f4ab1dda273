"""Bundled models: loading, results, metadata, cards."""
import numpy as np
import pytest
import yaml
from conftest import ROOT
from irsde_mm import apis
from irsde_mm.apis import init_restorer
from irsde_mm.config import load_config
from irsde_mm.config.own_data import fixed
from irsde_mm.errors import ConfigError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.model_files import bundled_models
from irsde_mm.model_files.bundled import WEIGHTS, find_bundled
from irsde_mm.model_files.exported import read_exported
from irsde_mm.models.restorers.settings import plain
from mmengine.registry import DATASETS, DefaultScope

#: Least gain on the 100 photos of BSDS500 val, in dB.
GAINS = dict(derain=9, denoise=9.5, inpaint=16, dehaze=8, deblur=1.5, sr=0.9)
BUNDLED = bundled_models()
META = {model.get('Weights'): model for model in yaml.safe_load(
    (ROOT / 'configs/bundled/metafile.yml').read_text())['Models']}


def row(page, name):
    """Return pairs (input, restored) of a model's row in a table."""
    line, = [line for line in page.read_text().splitlines()
             if line.startswith(f'| {name} |') and ' / ' in line]
    return [tuple(map(float, cell.split(' / ')))
            for cell in line.split('|')[2:-1]]


def table_of_auto(page) -> list:
    """Return the rows of the table of several degradations."""
    lines = page.read_text().splitlines()
    start = lines.index('| degradation | input | auto | single model |') + 2
    return lines[start:lines.index('', start)]


def test_list_of_bundled_models():
    assert apis.boxed_models is bundled_models, 'the name in version 0.1'
    assert set(BUNDLED) == {'auto', *GAINS}
    assert {f'{name}.md' for name in BUNDLED} == {
        path.name for path in WEIGHTS.glob('*.md')}


@pytest.mark.parametrize('name', BUNDLED)
def test_size_and_license_of_files(name):
    assert BUNDLED[name].stat().st_size <= 6_000_000
    exported = read_exported(str(BUNDLED[name]))['meta']['exported']
    assert 'BSDS500' in exported['licence']


@pytest.mark.parametrize('name', BUNDLED)
def test_file_matches_its_config(name):
    """Process, network, objective, sampler, test images and degradation."""
    weights = f'irsde_mm/weights/{name}.safetensors'
    cfg = load_config(str(ROOT / META[weights]['Config']))
    exported = read_exported(str(BUNDLED[name]))['meta']['exported']
    if exported['format_version'] == '1':
        inside = exported['config']['model']
        assert exported['config']['test_dataloader']['dataset'][
            'pipeline'] == plain(
                cfg.test_dataloader.dataset.to_dict()['pipeline'])
    else:  # names its config instead
        inside = dict(exported['pipeline'])
        inside['generator'] = inside['network']
        assert exported['source'] == f'bundled/{name}'
    for key in ('generator', 'sde', 'sampler'):
        assert inside[key] == plain(cfg.model[key])
    pipeline = RestorationPipeline.from_bundled(name, 'cpu')
    assert pipeline.degradation == plain(
        [step.to_dict() for step in cfg.degradation])


@pytest.mark.parametrize('name', GAINS)
def test_card_index_and_docs_agree(name):
    scores = row(BUNDLED[name].with_suffix('.md'), name)
    assert scores == row(ROOT / 'docs/models.md', name)
    model = META[f'irsde_mm/weights/{name}.safetensors']
    assert [restored for _, restored in scores] == list(
        model['Results'][0]['Metrics'].values())
    before, after = scores[0]
    assert after - before >= GAINS[name]


def test_card_index_and_docs_agree_on_auto():
    rows = table_of_auto(BUNDLED['auto'].with_suffix('.md'))
    assert rows == table_of_auto(ROOT / 'docs/models.md')
    cells = [row.strip('| ').split(' | ') for row in rows]
    results = META['irsde_mm/weights/auto.safetensors']['Results']
    assert [(kind, *map(float, auto.split(' / ')))
            for kind, _, auto, _ in cells] == [
        (result['Dataset'].partition(', ')[2], *result['Metrics'].values())
        for result in results]
    for kind, before, after, _ in cells:
        gain = float(after.split()[0]) - float(before.split()[0])
        assert gain > (-0.2 if kind == 'blur' else 0.5), kind


@pytest.mark.parametrize('name', BUNDLED)
def test_restoration_improves_photos(name):
    """On photos not used in training, degraded as the file specifies."""
    pipeline = RestorationPipeline.from_bundled(name, 'cpu')
    crop = dict(type='Crop', keys=['gt'], crop_size=(128, 128),
                random_crop=False)
    steps = [fixed(step) for step in pipeline.degradation]
    with DefaultScope.overwrite_default_scope('mmagic'):
        photos = DATASETS.build(dict(
            type='irsde_mm.BuiltinPhotos', split='test', pipeline=[
                crop, *steps, dict(type='PackInputs')]))
    pipeline.upscaling = None  # the last degradation upscales
    gains = []
    for photo in photos:
        x0 = photo['data_samples'].gt_img.double()
        degraded = photo['inputs'].float().flip(0) / 255
        restored = pipeline(degraded).flip(0).double() * 255
        before, after = (
            float((image.round().clip(0, 255) - x0).square().mean())
            for image in (photo['inputs'].double(), restored))
        gains.append(10 * np.log10(before / after))
    assert np.mean(gains) > GAINS.get(name, 1) / 2, gains


def test_existing_files_take_precedence(tmp_path, monkeypatch):
    assert find_bundled('deblur') == str(BUNDLED['deblur'])
    assert find_bundled('quickstart/derain') == 'quickstart/derain'
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'deblur').mkdir()
    assert find_bundled('deblur') == 'deblur'
    with pytest.raises(ConfigError, match="no config 'derian'"):
        init_restorer('derian')


def test_inpainting_leaves_white_sides_white():
    """Photos of any size are padded; zeros there used to spread as a dark
    band over white parts."""
    photo = np.random.default_rng(0).integers(60, 190, (25, 33, 3), np.uint8)
    photo = photo.repeat(4, 0).repeat(4, 1)[:97, :129]
    photo[:, 88:] = 255
    pipeline = RestorationPipeline.from_bundled('inpaint', 'cpu')
    assert pipeline(photo, seed=1)[:, 100:].min() > 240
    for level in pipeline.network.modules():
        level.pad_mode = 'constant'
    assert pipeline(photo, seed=1)[:, 100:].min() < 200
