"""Models in the layout of the Hugging Face Hub: folders and repositories."""
import json
import sys
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from conftest import run_tool
from hub_server import HubServer
from huggingface_hub import ModelCard
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.errors import CheckpointError, ConfigError, OutputError
from irsde_mm.inference import RestorationPipeline
from irsde_mm.inference.intervals import FEATURES, SIGNS, Calibration
from irsde_mm.model_files import bundled_models, read_checkpoint
from irsde_mm.model_files.hub_folders import CARD, CONFIG, WEIGHTS
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.samplers import JumpSampler
from irsde_mm.sde import IRSDE
from safetensors import safe_open

IMAGE = np.random.default_rng(0).integers(100, 130, (16, 12, 3),
                                          dtype=np.uint8)
load = RestorationPipeline.from_pretrained


@pytest.fixture(scope='module')
def exported(trained, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    assert run_tool('export', trained, '--out', path, '--licence',
                    'CC0-1.0') == 0
    return path


@pytest.fixture(scope='module')
def saved(exported, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('saved') / 'tiny'
    RestorationPipeline.from_file(exported, 'cpu').save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    """A copy that a test may change."""
    copy = tmp_path / 'model'
    copy.mkdir()
    for path in saved.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


@pytest.fixture
def hub(tmp_path, monkeypatch) -> HubServer:
    """A server that huggingface_hub uses, with an empty cache."""
    server = HubServer()
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, 'ENDPOINT', server.url)
    monkeypatch.setattr(
        constants, 'HUGGINGFACE_CO_URL_TEMPLATE',
        f'{server.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('HF_TOKEN', 'token-of-the-test')
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    yield server
    server.stop()


def weights_of(pipeline) -> dict:
    return {f'{i}.{key}': value for i, network in enumerate(
        (pipeline.network, *pipeline.hooks.networks()))
        for key, value in network.state_dict().items()}


def check_equal(first, second) -> None:
    a, b = weights_of(first), weights_of(second)
    assert a.keys() == b.keys() and all(
        torch.equal(value, b[key]) for key, value in a.items())
    assert np.array_equal(first(IMAGE), second(IMAGE))


# -------------------------------------------------------------- folders


@pytest.mark.grid(at_most=2)
@pytest.mark.parametrize('name', bundled_models())
def test_round_trip_of_bundled_models(name, tmp_path):
    """Weights and images are bit-identical; the card is that of the model."""
    pipeline = RestorationPipeline.from_bundled(name, 'cpu')
    pipeline.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        CONFIG, WEIGHTS, CARD}
    check_equal(pipeline, load(tmp_path, device='cpu'))
    card, own = (ModelCard.load(path) for path in (
        tmp_path / CARD, bundled_models()[name].with_suffix('.md')))
    data = card.data.to_dict()
    assert data == own.data.to_dict()
    assert (data['library_name'], data['pipeline_tag'], data['license']) == (
        'irsde_mm', 'image-to-image', 'other')
    assert 'bsds500' in data['datasets'] and 'psnr' in data['metrics']
    assert card.text.strip() == own.text.strip()


def test_content_of_the_folder(saved, exported):
    config = json.loads((saved / CONFIG).read_text())
    file = read_checkpoint(str(exported))
    assert config['library_name'] == 'irsde_mm'
    assert config['title'] == 'derain' and config['licence'] == 'CC0-1.0'
    assert config['settings'] == file['meta']['irsde_mm']
    assert config['pipeline'] == file['meta']['exported']['pipeline']
    with safe_open(saved / WEIGHTS, framework='pt') as weights:
        assert weights.metadata() == {'format': 'pt'}
        assert set(weights.keys()) == set(file['state_dict'])
    card = ModelCard.load(saved / CARD)
    assert card.data.to_dict() == dict(
        library_name='irsde_mm', pipeline_tag='image-to-image')
    assert 'ConditionalNAFNet(' in card.text and 'CC0-1.0' in card.text


def test_saving_again_keeps_the_card(saved, tmp_path):
    pipeline = load(saved, device='cpu')
    pipeline.seed, pipeline.crispness = 5, 0.5
    pipeline.save_pretrained(tmp_path, license='mit', datasets=['a', 'b'],
                             metrics=['psnr'])
    again = load(tmp_path, device='cpu')
    assert (again.seed, again.crispness) == (5, 0.5)
    check_equal(pipeline, again)
    first, second = (ModelCard.load(path / CARD)
                     for path in (saved, tmp_path))
    assert second.text == first.text
    assert second.data.to_dict() == dict(
        first.data.to_dict(), license='mit', datasets=['a', 'b'],
        metrics=['psnr'])


def test_calibrations_are_kept(saved, tmp_path):
    pipeline = load(saved, device='cpu')
    pipeline.calibration = Calibration(
        dict.fromkeys(FEATURES, 1.), [1., 2.], 40, 'x',
        dict.fromkeys(SIGNS, (0., 9.)))
    pipeline.save_pretrained(tmp_path)
    again = load(tmp_path, device='cpu')
    assert again.calibration.settings() == json.loads(
        json.dumps(pipeline.calibration.settings()))
    again.data_consistency = object()
    with pytest.raises(ConfigError, match='data_consistency'):
        again.save_pretrained(tmp_path / 'x')


def test_checkpoints_can_be_saved(trained, tmp_path):
    pipeline = RestorationPipeline.from_file(trained / 'iter_2.pth', 'cpu')
    pipeline.save_pretrained(tmp_path)
    check_equal(pipeline, load(tmp_path, device='cpu'))


def test_the_api_and_tools_take_folders(saved, exported, photo, tmp_path):
    """Options of a folder are those of a file."""
    for tile in (None, 'off'):
        a, b = (init_restorer(str(path), device='cpu', tile=tile)
                for path in (saved, exported))
        assert a.calls.tile == b.calls.tile == (tile or 'auto')
        assert np.array_equal(restore(a, IMAGE), restore(b, IMAGE))
    for model in (saved, exported):
        assert run_tool('restore', photo, '--model', model, '--out',
                        tmp_path / model.name, '--steps', 1) == 0
    results = [(tmp_path / model.name / 'my photo.png').read_bytes()
               for model in (saved, exported)]
    assert results[0] == results[1]


@pytest.mark.slow
def test_scores_equal_those_of_the_file(saved, exported, tmp_path):
    """tools/test.py takes the test set from the config that both name."""
    scores = []
    for model in (saved, exported):
        assert run_tool(
            'test', model, '--work-dir', tmp_path / model.name,
            '--cfg-options', 'test_dataloader.dataset.indices=1') == 0
        path, = (tmp_path / model.name).glob('2*/2*.json')
        scores.append({key: value for key, value in json.loads(
            path.read_text()).items() if 'time' not in key})
    assert scores[0] == scores[1] and 'PSNR' in scores[0]


def test_nothing_is_overwritten(saved, tmp_path):
    pipeline = load(saved, device='cpu')
    for name in (CONFIG, WEIGHTS, CARD):
        target = tmp_path / name
        target.mkdir()
        (target / name).write_text('mine')
        with pytest.raises(OutputError, match=f'{name}.*not overwritten'):
            pipeline.save_pretrained(target)
        assert [path.read_text() for path in target.iterdir()] == ['mine']
    with pytest.raises(OutputError, match='is a file'):
        pipeline.save_pretrained(saved / CARD)


def test_pipelines_with_unknown_settings(saved, tmp_path):
    made = RestorationPipeline(ConditionalNAFNet(
        width=4, enc_blocks=[1], dec_blocks=[1]), IRSDE(0.1))
    with pytest.raises(ConfigError, match='not loaded from a file'):
        made.save_pretrained(tmp_path)
    changed = load(saved, device='cpu')
    changed.sampler = JumpSampler(1)
    with pytest.raises(ConfigError, match='sampler .* was replaced'):
        changed.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def change(path: Path, **values) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **values}))


def test_untrusted_folders(folder):
    """Limits and checks are those of exported files."""
    def refused(match: str) -> None:
        with pytest.raises(CheckpointError, match=match) as error:
            load(folder, device='cpu')
        assert len(str(error.value)) < 600

    config = folder / CONFIG
    kept, settings = config.read_text(), json.loads(
        config.read_text())['pipeline']
    for values, match in (
            (dict(format='other'), 'does not describe a model'),
            (dict(format_version=9), 'newer version'),
            (dict(format_version='x'), 'no description'),
            (dict(sha256='0'), 'corrupted'),
            (dict(title=3), 'title is missing'),
            (dict(pipeline=[]), 'not a dict'),
            (dict(pipeline=dict(settings, network=dict(
                type='os.system'))), 'cannot be built'),
            (dict(pipeline=dict(settings, network=dict(
                settings['network'], width=10**5))), 'larger than'),
            (dict(pipeline=dict(settings, network=dict(
                settings['network'], pretrained='/etc/passwd'))), 'path|file'),
            (dict(pipeline=dict(settings, extra=1)), 'extra')):
        change(config, **values)
        refused(match)
        config.write_text(kept)
    for text in ('', '[1]', '{"format": NaN}', '[' * 10**5, 'x' * 2**21):
        config.write_text(text)
        refused('cannot be read|does not describe')
    config.write_bytes(b'\xff')
    refused('cannot be read')
    config.write_text(kept)
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    refused('corrupted')
    (folder / WEIGHTS).write_bytes(b'no')
    refused('broken')
    (folder / WEIGHTS).unlink()
    refused(f'no {WEIGHTS}')
    config.unlink()
    refused(f'no {CONFIG}')


def test_folders_have_no_revision(saved):
    with pytest.raises(ConfigError, match='local folder'):
        load(saved, revision='main')


def test_missing_package(saved, tmp_path, monkeypatch):
    """Loading a folder needs no extra; the rest names it in one line."""
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    pipeline = load(saved, device='cpu')
    for call in (lambda: pipeline.save_pretrained(tmp_path),
                 lambda: pipeline.push_to_hub('me/model'),
                 lambda: load('me/model')):
        with pytest.raises(ConfigError) as error:
            call()
        assert str(error.value) == (
            'huggingface_hub is required but not installed: run pip install '
            "'irsde-mm[hub]'.")
    assert not list(tmp_path.iterdir())


# --------------------------------------------------------- repositories


def test_push_and_load(saved, hub, tmp_path):
    """Two commits; each is loaded by its revision, and without the server."""
    pipeline = load(saved, device='cpu')
    first = pipeline.push_to_hub('me/derain', license='mit')
    commit = hub.heads['me/derain', 'main']
    assert first == f'{hub.url}/me/derain/commit/{commit}'
    check_equal(pipeline, load('me/derain', device='cpu'))
    files = hub.commits['me/derain', commit]
    assert set(files) == {CONFIG, WEIGHTS, CARD, '.gitattributes'}
    assert files[WEIGHTS] == (saved / WEIGHTS).read_bytes()
    assert ModelCard(files[CARD].decode()).data.license == 'mit'
    pipeline.seed = 7
    pipeline.push_to_hub('me/derain')
    old = load('me/derain', revision=commit, device='cpu')
    assert (old.seed, load('me/derain', device='cpu').seed) == (0, 7)
    hub.stop()
    assert load('me/derain', device='cpu').seed == 7


def test_only_the_files_of_the_model_are_downloaded(saved, hub):
    hub.commit('me/x', {path.name: path.read_bytes()
                        for path in saved.iterdir()})
    hub.commit('me/x', {'big.bin': b'0' * 100, 'code.py': b'raise SystemExit'})
    load('me/x', device='cpu')
    read = {path.rpartition('/')[2] for _, path in hub.requests
            if '/resolve/' in path}
    assert read == {CONFIG, WEIGHTS, CARD}


def test_command_line(saved, hub, photo, tmp_path):
    """Names without hf:// are never looked up on the Hub."""
    hub.commit('me/x', {path.name: path.read_bytes()
                        for path in saved.iterdir()}, branch='v1')
    for model, out in ((saved, 'a'), ('hf://me/x@v1', 'b')):
        assert run_tool('restore', photo, '--model', model, '--out',
                        tmp_path / out, '--device', 'cpu') == 0
    a, b = ((tmp_path / out / 'my photo.png').read_bytes() for out in 'ab')
    assert a == b
    hub.requests.clear()
    with pytest.raises(ConfigError, match="no config 'me/x'"):
        RestorationInferencer('me/x', device='cpu')
    assert hub.requests == []


def test_errors_of_the_hub(saved, hub, tmp_path, monkeypatch):
    (tmp_path / 'empty').mkdir()  # where x and ../x do not exist
    monkeypatch.chdir(tmp_path / 'empty')
    hub.commit('me/x', {'notes.txt': b''})
    for repo, revision, match in (
            ('me/none', None, "'me/none' cannot be downloaded"),
            ('me/x', 'v9', "'me/x' cannot be downloaded"),
            ('me/x', None, f"'me/x' has no {CONFIG}"),
            ('./x', None, 'neither a folder'), ('x', None, 'neither'),
            ('a/b/c', None, 'neither a folder'), ('../x', None, 'neither')):
        with pytest.raises(CheckpointError, match=match) as error:
            load(repo, revision=revision)
        assert '\n' not in str(error.value)
    pipeline = load(saved, device='cpu')
    with pytest.raises(ConfigError, match='OWNER/NAME'):
        pipeline.push_to_hub('derain')
    hub.stop()
    with pytest.raises(CheckpointError, match='cannot be downloaded'):
        load('me/never', device='cpu')
    with pytest.raises(OutputError, match="'me/x' cannot be written"):
        pipeline.push_to_hub('me/x')
