"""The page without a browser: what its handlers give and what it serves."""
import re
import socket
import sys
import tempfile
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from conftest import ROOT, run_tool
from irsde_mm.apis import init_restorer, restore
from irsde_mm.app import server
from irsde_mm.app.desk import CLEARED, OWN, Desk
from irsde_mm.app.page import WAITING, build_page
from irsde_mm.app.work import Stopped, watched
from irsde_mm.commands import app as command
from irsde_mm.commands import cli
from irsde_mm.datasets import BuiltinPhotos
from irsde_mm.errors import ImageError
from irsde_mm.io.reader import read_image
from irsde_mm.model_files import bundled_models
from PIL import Image
from starlette.testclient import TestClient

VISITOR = SimpleNamespace(session_hash='somebody')


@pytest.fixture(scope='module')
def desk(trained, tmp_path_factory) -> Desk:
    file = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    assert run_tool('export', trained, '--out', file) == 0
    return Desk(dict(tiny=str(file)), max_pixels=10_000, device='cpu')


@pytest.fixture(scope='module')
def client(desk, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:  # where uploads go
        patch.setattr(tempfile, 'tempdir', str(tmp_path_factory.mktemp('up')))
        with TestClient(server.build_app(build_page(desk))) as client:
            yield client


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / 'photo.png'
    path.write_text('no picture')
    return path


def restored(desk, path, **options) -> list:
    options = dict(sampler=OWN, steps=0, seed=0, samples=1) | options
    return list(desk.restore(str(path) if path else None, 'tiny', **options,
                             request=VISITOR))


def test_states_then_the_result_and_its_file(desk, photo):
    with Image.open(photo) as picture:
        size = picture.size
    files = []
    for seen in desk.restore(str(photo), 'tiny', OWN, 0, 5, 1, VISITOR):
        if isinstance(seen[1].get('value'), str):  # while it is there
            files.append(seen[1]['value'])
            with Image.open(files[-1]) as picture:
                assert picture.format == 'PNG' and picture.size == size
                pixels = np.asarray(picture)[..., ::-1]
    view, _, spread, draws, states = seen
    assert len(files) == 1 and files[0].endswith('/my photo_tiny.png')
    expected = restore(init_restorer(desk.models['tiny'], device='cpu'),
                       photo, seed=5)
    assert (pixels == expected).all()
    assert view.count('<img') == 2 and 'type="range"' in view
    assert not spread['visible'] and not draws['visible']
    assert states['visible'] and len(states['value']) >= 1


def test_several_results_and_where_they_differ(desk, photo):
    *way, (_, _, spread, draws, _) = restored(desk, photo, samples=3, steps=1)
    assert any('<progress' in seen[0] for seen in way)
    assert spread['visible'] and draws['visible']
    assert len(draws['value']) == 3
    first, second, _ = map(np.asarray, draws['value'])
    assert (first != second).any()


def test_several_results_that_are_one(desk, photo, monkeypatch):
    sde = desk.inferencer('tiny').pipeline.sde
    monkeypatch.setattr(sde, 'start', lambda mu, generator=None, sigma=None: (
        mu, sde.num_steps))
    with pytest.warns(UserWarning, match='all draws are identical'):
        *_, (view, _, spread, draws, _) = restored(
            desk, photo, samples=2, sampler='ode')
    assert 'all results are the same' in view
    assert not spread['visible'] and not draws['visible']


@pytest.mark.parametrize('options, words', [
    (dict(sampler='fastest'), 'unknown sampler'),
    (dict(steps=1000), 'steps'), (dict(samples=99), '99 results')])
def test_options_of_no_use(desk, photo, options, words):
    with pytest.raises(gr.Error) as error:
        restored(desk, photo, **options)
    assert words in error.value.message
    assert not desk.running


def test_a_model_that_is_not_offered(desk, photo):
    with pytest.raises(gr.Error, match='there is no model'):
        list(desk.restore(str(photo), '/etc/passwd', OWN, 0, 0, 1, VISITOR))


def test_a_bad_photo_in_the_words_of_the_command_line(desk, bad):
    with pytest.raises(ImageError) as there:
        read_image(bad)
    for press in (desk.look, lambda path: restored(desk, path)):
        with pytest.raises(gr.Error) as here:
            press(str(bad))
        assert here.value.message == str(there.value).replace(
            f'{bad.parent}/', '')
        assert not here.value.print_exception


def test_a_photo_that_turns_out_to_be_bad(tmp_path):
    rng, desk = np.random.default_rng(0), Desk(
        dict(denoise='denoise'), max_pixels=10_000, device='cpu')
    path = tmp_path / 'noise.png'
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(
        path)
    with pytest.raises(gr.Error) as error:
        list(desk.restore(str(path), 'denoise', 'fast', 0, 0, 1, VISITOR))
    assert error.value.message.startswith("'noise.png': the noise level")
    assert not desk.running


def test_the_white_level_of_a_deep_photo(desk, tmp_path, monkeypatch):
    said, files = [], {}
    monkeypatch.setattr(gr, 'Warning', lambda text, **_: said.append(text))
    for name, scale in (('<12>.png', 16), ('16.png', 256)):
        pixels = np.arange(240, dtype=np.uint16).reshape(12, 20) * scale
        Image.fromarray(pixels).save(tmp_path / name)
        files[name] = str(tmp_path / name)
    dark, bright = (desk.look(files['<12>.png'], white) for white in (0, 4095))
    text, = said
    assert text.startswith("'&lt;12&gt;.png' has 16 bits per channel but uses")
    assert bright.split('<figcaption>')[0] == desk.look(
        files['16.png']).split('<figcaption>')[0] != dark.split(
            '<figcaption>')[0]
    with pytest.raises(gr.Error, match='white=9 is not'):
        desk.look(files['16.png'], 9)
    *_, (first, *_) = list(desk.restore(files['<12>.png'], 'tiny', OWN, 0, 3,
                                        1, VISITOR, 4095))
    *_, (second, *_) = list(desk.restore(files['16.png'], 'tiny', OWN, 0, 3, 1,
                                         VISITOR))
    assert pictures(first) == pictures(second) and len(said) == 1


def pictures(view: str) -> list:
    return re.findall(r'src="(data:[^"]*)"', view)


def test_a_photo_that_is_too_large_or_missing(desk, tmp_path):
    path = tmp_path / 'large.png'
    Image.new('RGB', (101, 100)).save(path)
    with pytest.raises(gr.Error, match='more than 10,000 pixels'):
        desk.look(str(path))
    with pytest.raises(gr.Error, match='no photo'):
        restored(desk, None)
    assert '<img' not in desk.look(None)


def test_names_are_no_html(desk, tmp_path):
    path = tmp_path / '<img src=x>.png'
    path.write_text('')
    with pytest.raises(gr.Error) as error:
        desk.look(str(path))
    assert '&lt;img' in error.value.message
    Image.new('RGB', (9, 9)).save(path)
    assert desk.look(str(path)).count('<img') == 1


def test_examples_are_degraded_as_the_model_undoes_it(desk):
    shown = desk.show_examples('tiny')
    clean = {info['gt_path'].removesuffix('.png'): info['gt']
             for info in BuiltinPhotos('test').load_data_list()}
    assert shown['visible']
    assert {name for _, name in shown['value']} == set(clean)
    for place, (path, name) in enumerate(shown['value']):
        pixels = read_image(path).astype(int)
        h, w = pixels.shape[:2]
        top, left = ((a - b) // 2 for a, b in zip(clean[name].shape, (h, w)))
        added = pixels - clean[name][top:top + h, left:left + w]
        # rain is bright
        assert added.max() > 30 and added.min() >= 0
        taken, view = Desk(desk.models, 10**6).take_example(
            'tiny', SimpleNamespace(index=place))
        assert (read_image(taken) == pixels).all() and '<img' in view


@pytest.mark.parametrize('name', bundled_models())
def test_every_bundled_model_restores_an_example(name, tmp_path):
    """Examples are degraded, and the size of the result fits."""
    desk = Desk({name: name}, 10**6, 'cpu')
    shown = desk.show_examples(name)['value']
    assert len(shown) == 3
    path, _ = desk.take_example(name, SimpleNamespace(index=0))
    upscale = desk.inferencer(name).pipeline.upscale
    with Image.open(path) as example:
        centre = [(side - 48) // 2 for side in example.size]
        part = example.crop((*centre, *(side + 48 for side in centre)))
        clean, = (info['gt'] for info in BuiltinPhotos('test').load_data_list()
                  if info['gt_path'] == Path(path).name)
        h, w = (side * upscale for side in example.size[::-1])
        top, left = ((a - b) // 2 for a, b in zip(clean.shape, (h, w)))
        clean = Image.fromarray(clean[top:top + h, left:left + w, ::-1])
        assert np.asarray(clean.resize(example.size)).tobytes() \
            != example.tobytes()
    part.save(tmp_path / 'part.png')
    for outputs in desk.restore(str(tmp_path / 'part.png'), name, OWN, 2, 0, 1,
                                VISITOR):
        if isinstance(outputs[1].get('value'), str):
            with Image.open(outputs[1]['value']) as result:
                size = result.size
    assert size == (48 * upscale, 48 * upscale)
    assert len(outputs[4]['value']) >= 1


def test_stop_ends_at_the_next_step(desk, photo):
    seen = []
    for outputs in desk.restore(str(photo), 'tiny', 'paper', 0, 0, 1,
                                VISITOR):
        seen.append(outputs)
        desk.stop(VISITOR)
    assert 'stopped' in seen[-1][0] and seen[-1][1:] == CLEARED
    assert len(seen) < 5 and not desk.running
    desk.stop(VISITOR)  # nothing runs


def test_work_ends_when_nobody_looks():
    seen = []

    def work(callback):
        while True:
            callback(1)
            seen.append(1)

    news = watched(work, str, Event())
    assert next(news) == '1'
    news.close()
    assert seen  # and the thread is over, or this test would not end


def test_work_that_fails_and_work_that_is_stopped():
    with pytest.raises(ZeroDivisionError):
        list(watched(lambda callback: 1 / 0, str, Event()))
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        list(watched(lambda callback: callback(1), str, stop))


def test_nothing_comes_from_other_hosts(client):
    answer = client.get('/')
    assert answer.status_code == 200
    loaded = re.findall(r'<(?:script|link|img)\b[^>]*?(?:src|href)="([^"]+)',
                        answer.text)
    assert loaded
    assert [url for url in loaded if '//' in url] == []
    assert "default-src 'self'" in answer.headers['Content-Security-Policy']
    config = client.get('/config').json()
    assert not config['analytics_enabled'] and not config['stylesheets']
    assert not config['show_api']
    assert client.get('/docs').status_code == 404


@pytest.mark.parametrize('path', ['/etc/passwd', str(ROOT / 'setup.cfg'),
                                  'setup.cfg', '../../../etc/passwd'])
def test_files_of_the_machine_are_out_of_reach(client, path):
    assert client.get(f'/gradio_api/file={path}').status_code in (403, 404)


def test_a_photo_has_to_be_uploaded_not_named(client, photo):
    """Neither files of the server nor web addresses do for an upload."""
    number = next(fn['id'] for fn in client.get('/config').json()[
        'dependencies'] if fn['targets'][0][1] == 'upload')

    def look(path) -> str:
        client.post('/gradio_api/queue/join', json=dict(
            fn_index=number, session_hash='s', data=[dict(
                path=str(path), meta=dict(_type='gradio.FileData')), 0]))
        return client.get('/gradio_api/queue/data?session_hash=s').text

    for path in (photo, '/etc/passwd', ROOT / 'docs/images/comparison.jpg',
                 'http://192.0.2.1/photo.png'):
        answer = look(path)
        assert '"success":false' in answer and 'data:image' not in answer
        assert 'Traceback' not in answer
    uploaded = client.post('/gradio_api/upload', files=dict(
        files=('a.png', photo.read_bytes()))).json()[0]
    answer = look(uploaded)
    assert '"success":true' in answer and 'data:image' in answer


def test_uploads_are_limited(client):
    large = bytes(50 * 2**20 + 1)
    answer = client.post('/gradio_api/upload', files=dict(
        files=('large.png', large)))
    assert answer.status_code == 413
    assert 'maximum allowed size' in answer.text


def test_one_at_a_time_and_few_that_wait(desk):
    page = build_page(desk)
    assert page._queue.max_size == WAITING
    restoring = next(fn for fn in page.fns.values()
                     if fn.name == 'restore')
    assert restoring.concurrency_limit in ('default', 1)
    assert page._queue.default_concurrency_limit == 1


@pytest.fixture
def start(monkeypatch, capfd, desk):
    """Runs `irsde app` without its waiting for visitors; gives what it said
    and its exit code."""
    served = []
    monkeypatch.setattr(server, 'serve', lambda *args: served.append(args))

    def run(*args):
        monkeypatch.setattr(sys, 'argv', ['app', *map(str, args)])
        code = 0
        try:
            cli.run(command.main, command.parser())
        except SystemExit as end:
            code = end.code
        out, err = capfd.readouterr()
        assert 'Traceback' not in err
        assert bool(served) == (code == 0)
        return code, out + err

    return run


def test_the_command_says_where_the_page_is(start, desk):
    code, said = start('--model', desk.models['tiny'], '--port', 0)
    assert code == 0 and re.search(r'http://127\.0\.0\.1:\d+', said)
    assert Path(tempfile.gettempdir()).is_dir()  # again, the private one went
    assert 'warning' not in said


def test_other_hosts_are_warned_of(start, desk):
    code, said = start('--model', desk.models['tiny'], '--port', 0,
                       '--host', '0.0.0.0')
    assert code == 0 and 'warning: anyone' in said


@pytest.mark.parametrize('args, words', [
    (['--port', '70000'], 'cannot listen'),
    (['--host', '192.0.2.1'], 'cannot listen'),
    (['--host', 'no such host'], 'cannot listen'),
    (['--model', 'nowhere', '--port', 0], "no config 'nowhere'"),
    (['--max-pixels', 0, '--port', 0], '--max-pixels'),
    (['--device', 'abacus', '--port', 0], 'abacus')])
def test_what_can_be_wrong_with_the_command(start, desk, args, words):
    if '--model' not in args:
        args = [*args, '--model', desk.models['tiny']]
    code, said = start(*args)
    assert code == 2 and words in said
    assert len(said.strip().splitlines()) <= 2


def test_a_port_that_is_taken(start, desk):
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        code, said = start('--model', desk.models['tiny'], '--port', port)
    assert code == 2 and f'port {port}' in said


def test_without_gradio(start, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    code, said = start()
    assert code == 2
    assert "pip install 'irsde-mm[app,lite]'" in said
