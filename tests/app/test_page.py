"""The page without a browser: its event handlers and its responses."""
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
from conftest import ROOT, VERSION_1, run_tool
from irsde_mm.apis import init_restorer, restore
from irsde_mm.app import server
from irsde_mm.app.page import MAX_WAITING, build_page
from irsde_mm.app.progress import Stopped, iterate_progress
from irsde_mm.app.service import CLEARED, DEFAULT_SAMPLER, RestorationService
from irsde_mm.app.view import data_url
from irsde_mm.commands import app as command
from irsde_mm.commands import cli
from irsde_mm.datasets import BuiltinPhotos
from irsde_mm.errors import ImageError
from irsde_mm.inference.intervals import Calibration, sampler_text
from irsde_mm.io.reader import read_image
from irsde_mm.model_files import bundled_models
from irsde_mm.model_files.exported import write_calibrated
from PIL import Image
from starlette.testclient import TestClient

REQUEST = SimpleNamespace(session_hash='session')


@pytest.fixture(scope='module')
def service(trained, tmp_path_factory) -> RestorationService:
    file = tmp_path_factory.mktemp('exported') / 'tiny.safetensors'
    assert run_tool('export', trained, '--out', file) == 0
    return RestorationService(dict(tiny=str(file)), max_pixels=10_000,
                              device='cpu')


@pytest.fixture(scope='module')
def client(service, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:  # folder of uploads
        patch.setattr(tempfile, 'tempdir', str(tmp_path_factory.mktemp('up')))
        with TestClient(server.build_app(build_page(service))) as client:
            yield client


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / 'photo.png'
    path.write_text('not an image')
    return path


def updates(service, path, **options) -> list:
    """Return all updates of a restoration by the tiny model."""
    options = dict(sampler=DEFAULT_SAMPLER, steps=0, seed=0,
                   samples=1) | options
    return list(service.restore(str(path) if path else None, 'tiny',
                                **options, request=REQUEST))


def test_width_of_the_interval(service, photo, tmp_path):
    from irsde_mm.apis.drawing import draw_spread
    calibration = Calibration(
        dict(constant=1., change=0.1), [20.] * 401, 10,
        sampler_text(service.inferencer('tiny').pipeline.sampler),
        dict(change=(0., 255.), scale=(0., 1.)))
    file = tmp_path / 'calibrated.safetensors'
    write_calibrated(Path(service.models['tiny']), file, calibration)
    other = RestorationService(dict(tiny=str(file)), 10_000, 'cpu')
    view, *_, width = updates(other, photo, interval=0.9)[-1]
    assert 'unlike the photos of the calibration' in view
    assert width['visible']
    result, = other.inferencer('tiny')(str(photo), seed=0, interval=0.9)[
        'predictions']
    drawn = draw_spread((result.upper - result.lower).mean(axis=2),
                        'mean width')
    assert width['value'].size == drawn.shape[1::-1]
    with pytest.raises(gr.Error, match='no calibration'):
        updates(service, photo, interval=0.9)
    with pytest.raises(gr.Error, match='holds for'):
        updates(other, photo, interval=0.9, steps=1)


def test_states_then_the_result_and_its_file(service, photo):
    with Image.open(photo) as picture:
        size = picture.size
    files = []
    for update in service.restore(str(photo), 'tiny', DEFAULT_SAMPLER, 0, 5, 1,
                                  REQUEST):
        if isinstance(update[1].get('value'), str):  # deleted afterwards
            files.append(update[1]['value'])
            with Image.open(files[-1]) as picture:
                assert picture.format == 'PNG' and picture.size == size
                pixels = np.asarray(picture)[..., ::-1]
    view, _, spread, draws, states, width = update
    assert len(files) == 1 and files[0].endswith('/my photo_tiny.png')
    expected = restore(init_restorer(service.models['tiny'], device='cpu'),
                       photo, seed=5)
    assert (pixels == expected).all()
    assert view.count('<img') == 2 and 'type="range"' in view
    assert not spread['visible'] and not draws['visible']
    names = [text for _, text in states['value']]
    assert states['visible'] and names and len(set(names)) == len(names)
    assert not width['visible']


def test_several_results_and_their_spread(service, photo):
    *steps, (_, _, spread, draws, states, _) = updates(
        service, photo, samples=3, steps=1)
    assert any('<progress' in view for view, *_ in steps)
    # only of the first result
    assert [text for _, text in states['value']] in (
        ['step 0'], ['step 1'], ['step 0', 'step 1'])
    assert spread['visible'] and draws['visible']
    assert len(draws['value']) == 3
    first, second, _ = map(np.asarray, draws['value'])
    assert (first != second).any()


def test_several_identical_results(service, photo, monkeypatch):
    sde = service.inferencer('tiny').pipeline.sde
    monkeypatch.setattr(sde, 'start', lambda mu, generator=None, sigma=None: (
        mu, sde.num_steps))
    with pytest.warns(UserWarning, match='all draws are identical'):
        *_, (view, _, spread, draws, _, _) = updates(
            service, photo, samples=2, sampler='ode')
    assert 'all results are identical' in view
    assert not spread['visible'] and not draws['visible']


def test_crispness(service, photo):
    model = init_restorer(service.models['tiny'], device='cpu')
    shown = []
    for s in (0, 1):
        *_, (view, *_) = updates(service, photo, crispness=s)
        expected = restore(model, photo, seed=0, crispness=s)
        shown.append(images(view)[0])
        assert shown[-1] == data_url(expected)
    assert shown[0] != shown[1]


@pytest.mark.parametrize('options, message', [
    (dict(crispness=2), 'crispness=2 must be'),
    (dict(crispness=0.5, steps=1), 'at least 2 calls'),
    (dict(sampler='fastest'), 'unknown sampler'),
    (dict(steps=1000), 'steps'), (dict(samples=99), 'got 99')])
def test_invalid_options(service, photo, options, message):
    with pytest.raises(gr.Error) as error:
        updates(service, photo, **options)
    assert message in error.value.message
    assert not service.running


def test_unknown_model(service, photo):
    with pytest.raises(gr.Error, match='unknown model'):
        list(service.restore(str(photo), '/etc/passwd', DEFAULT_SAMPLER, 0, 0,
                             1, REQUEST))


def test_a_bad_photo_has_the_message_of_the_command_line(service, bad):
    with pytest.raises(ImageError) as expected:
        read_image(bad)
    for event in (service.preview, lambda path: updates(service, path)):
        with pytest.raises(gr.Error) as error:
            event(str(bad))
        assert error.value.message == str(expected.value).replace(
            f'{bad.parent}/', '')
        assert not error.value.print_exception


def test_a_photo_that_the_model_refuses(tmp_path):
    rng = np.random.default_rng(0)
    model = str(VERSION_1 / 'denoise.safetensors')
    service = RestorationService(dict(denoise=model), max_pixels=10_000,
                                 device='cpu')
    path = tmp_path / 'noise.png'
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(
        path)
    with pytest.raises(gr.Error) as error:
        list(service.restore(str(path), 'denoise', 'fast', 0, 0, 1, REQUEST))
    assert error.value.message.startswith("'noise.png': the noise level")
    assert not service.running


def test_white_level_of_a_16_bit_photo(service, tmp_path, monkeypatch):
    warnings, files = [], {}
    monkeypatch.setattr(gr, 'Warning',
                        lambda text, **_: warnings.append(text))
    for name, scale in (('<12>.png', 16), ('16.png', 256)):
        pixels = np.arange(240, dtype=np.uint16).reshape(12, 20) * scale
        Image.fromarray(pixels).save(tmp_path / name)
        files[name] = str(tmp_path / name)
    dark, bright = (service.preview(files['<12>.png'], white)
                    for white in (0, 4095))
    warning, = warnings
    assert warning.startswith(
        "'&lt;12&gt;.png' has 16 bits per channel but uses")
    assert bright.split('<figcaption>')[0] == service.preview(
        files['16.png']).split('<figcaption>')[0] != dark.split(
            '<figcaption>')[0]
    with pytest.raises(gr.Error, match='white=9 is not'):
        service.preview(files['16.png'], 9)
    *_, (first, *_) = updates(service, files['<12>.png'], seed=3, white=4095)
    *_, (second, *_) = updates(service, files['16.png'], seed=3)
    assert images(first) == images(second) and len(warnings) == 1


def images(view: str) -> list:
    return re.findall(r'src="(data:[^"]*)"', view)


def test_a_photo_that_is_too_large_or_missing(service, tmp_path):
    path = tmp_path / 'large.png'
    Image.new('RGB', (101, 100)).save(path)
    with pytest.raises(gr.Error, match='more than 10,000 pixels'):
        service.preview(str(path))
    with pytest.raises(gr.Error, match='no photo'):
        updates(service, None)
    assert '<img' not in service.preview(None)


def test_file_names_are_escaped(service, tmp_path):
    path = tmp_path / '<img src=x>.png'
    path.write_text('')
    with pytest.raises(gr.Error) as error:
        service.preview(str(path))
    assert '&lt;img' in error.value.message
    Image.new('RGB', (9, 9)).save(path)
    assert service.preview(str(path)).count('<img') == 1


def test_examples_have_the_degradation_of_the_model(service):
    gallery = service.show_examples('tiny')
    clean = {info['gt_path'].removesuffix('.png'): info['gt']
             for info in BuiltinPhotos('test').load_data_list()}
    assert gallery['visible']
    assert {name for _, name in gallery['value']} == set(clean)
    for index, (path, name) in enumerate(gallery['value']):
        pixels = read_image(path).astype(int)
        h, w = pixels.shape[:2]
        top, left = ((a - b) // 2 for a, b in zip(clean[name].shape, (h, w)))
        added = pixels - clean[name][top:top + h, left:left + w]
        # rain is bright
        assert added.max() > 30 and added.min() >= 0
        other = RestorationService(service.models, 10**6)
        selected, view = other.select_example(
            'tiny', SimpleNamespace(index=index))
        assert (read_image(selected) == pixels).all() and '<img' in view


@pytest.mark.parametrize('name', bundled_models())
def test_every_bundled_model_restores_an_example(name, tmp_path):
    """Examples are degraded, and the result has the expected size."""
    service = RestorationService({name: name}, 10**6, 'cpu')
    assert len(service.show_examples(name)['value']) == 3
    path, _ = service.select_example(name, SimpleNamespace(index=0))
    upscale = service.inferencer(name).pipeline.upscale
    with Image.open(path) as example:
        center = [(side - 48) // 2 for side in example.size]
        part = example.crop((*center, *(side + 48 for side in center)))
        clean, = (info['gt'] for info in BuiltinPhotos('test').load_data_list()
                  if info['gt_path'] == Path(path).name)
        h, w = (side * upscale for side in example.size[::-1])
        top, left = ((a - b) // 2 for a, b in zip(clean.shape, (h, w)))
        clean = Image.fromarray(clean[top:top + h, left:left + w, ::-1])
        assert np.asarray(clean.resize(example.size)).tobytes() \
            != example.tobytes()
    part.save(tmp_path / 'part.png')
    for update in service.restore(str(tmp_path / 'part.png'), name,
                                  DEFAULT_SAMPLER, 2, 0, 1, REQUEST):
        if isinstance(update[1].get('value'), str):
            with Image.open(update[1]['value']) as result:
                size = result.size
    assert size == (48 * upscale, 48 * upscale)
    assert len(update[4]['value']) >= 1


def test_stop_takes_effect_at_the_next_step(service, photo):
    seen = []
    for update in service.restore(str(photo), 'tiny', 'paper', 0, 0, 1,
                                  REQUEST):
        seen.append(update)
        service.stop(REQUEST)
    assert 'stopped' in seen[-1][0] and seen[-1][1:] == CLEARED
    assert len(seen) < 5 and not service.running
    service.stop(REQUEST)  # nothing to stop


def test_task_ends_when_its_progress_is_closed():
    steps = []

    def task(callback):
        while True:
            callback(1)
            steps.append(1)

    progress = iterate_progress(task, str, Event())
    assert next(progress) == '1'
    progress.close()  # waits for the thread
    assert steps


def test_errors_and_stops_of_a_task():
    with pytest.raises(ZeroDivisionError):
        list(iterate_progress(lambda callback: 1 / 0, str, Event()))
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        list(iterate_progress(lambda callback: callback(1), str, stop))


def test_nothing_is_loaded_from_other_hosts(client):
    response = client.get('/')
    assert response.status_code == 200
    urls = re.findall(r'<(?:script|link|img)\b[^>]*?(?:src|href)="([^"]+)',
                      response.text)
    assert urls
    assert [url for url in urls if '//' in url] == []
    policy = response.headers['Content-Security-Policy']
    assert policy == server.POLICY and "default-src 'self'" in policy
    config = client.get('/config').json()
    assert not config['analytics_enabled'] and not config['stylesheets']
    assert not config['footer_links'] and not config['run_history']
    assert all(event['api_visibility'] == 'private'
               for event in config['dependencies'] if event['targets']
               and event['targets'][0][1] != 'unload')


@pytest.mark.parametrize('path', [
    'docs', 'manifest.json', 'openapi.json', 'gradio_api/openapi.json',
    'gradio_api/info', 'gradio_api/runs', 'gradio_api/app_id', 'monitoring',
    'gradio_api/deep_link', 'login', 'pwa_icon', 'svelte/x'])
def test_other_routes_of_gradio_are_closed(client, path):
    response = client.get(f'/{path}', follow_redirects=False)
    assert response.status_code == 404
    assert response.headers['Content-Security-Policy'] == server.POLICY


@pytest.mark.parametrize('route', ['file=', 'file/', 'proxy='])
@pytest.mark.parametrize('url', [
    'https://example.com/a.png', 'http://127.0.0.1/a.png', 'HTTPS://a.b/',
    'https:%2F%2Fexample.com', 'ftp://example.com/a.png'])
def test_no_redirect_and_no_proxy(client, monkeypatch, route, url):
    """No file of another host, whether Gradio would redirect or fetch it."""
    monkeypatch.setattr(socket, 'getaddrinfo', None)
    response = client.get(f'/gradio_api/{route}{url}', follow_redirects=False)
    assert response.status_code == 404 and 'location' not in response.headers
    assert response.text == 'Not Found'


@pytest.mark.parametrize('path', ['/etc/passwd', str(ROOT / 'setup.cfg'),
                                  'setup.cfg', '../../../etc/passwd'])
def test_files_of_the_server_are_not_accessible(client, path):
    assert client.get(f'/gradio_api/file={path}').status_code in (403, 404)


def test_a_photo_must_be_an_upload(client, photo):
    """Not the path of a file of the server, and not a URL."""
    number = next(event['id'] for event in client.get('/config').json()[
        'dependencies'] if event['targets'][0][1] == 'upload')

    def preview(path) -> str:
        client.post('/gradio_api/queue/join', json=dict(
            fn_index=number, session_hash='s', data=[dict(
                path=str(path), meta=dict(_type='gradio.FileData')), 0]))
        return client.get('/gradio_api/queue/data?session_hash=s').text

    for path in (photo, '/etc/passwd', ROOT / 'docs/images/comparison.jpg',
                 'http://192.0.2.1/photo.png'):
        response = preview(path)
        assert '"success":false' in response and 'data:image' not in response
        assert 'Traceback' not in response
    uploaded = client.post('/gradio_api/upload', files=dict(
        files=('a.png', photo.read_bytes()))).json()[0]
    response = preview(uploaded)
    assert '"success":true' in response and 'data:image' in response


def test_size_of_uploads_is_limited(client):
    large = bytes(50 * 2**20 + 1)
    response = client.post('/gradio_api/upload', files=dict(
        files=('large.png', large)))
    assert response.status_code == 413
    assert 'maximum allowed size' in response.text


def test_one_restoration_at_a_time_and_a_short_queue(service):
    page = build_page(service)
    assert page._queue.max_size == MAX_WAITING
    restoring = next(fn for fn in page.fns.values()
                     if fn.name == 'restore')
    assert restoring.concurrency_limit in ('default', 1)
    assert page._queue.default_concurrency_limit == 1


@pytest.fixture
def start(monkeypatch, capfd, service):
    """Run `irsde app` without serving; return its exit code and output."""
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


def test_the_command_prints_the_address(start, service):
    code, output = start('--model', service.models['tiny'], '--port', 0)
    assert code == 0 and re.search(r'http://127\.0\.0\.1:\d+', output)
    assert Path(tempfile.gettempdir()).is_dir()  # the shared one again
    assert 'warning' not in output


def test_a_public_address_is_warned_of(start, service):
    code, output = start('--model', service.models['tiny'], '--port', 0,
                         '--host', '0.0.0.0')
    assert code == 0 and 'warning: anyone' in output


@pytest.mark.parametrize('args, message', [
    (['--port', '70000'], 'cannot listen'),
    (['--host', '192.0.2.1'], 'cannot listen'),
    (['--host', 'no such host'], 'cannot listen'),
    (['--model', 'nowhere', '--port', 0], "no config 'nowhere'"),
    (['--max-pixels', 0, '--port', 0], '--max-pixels'),
    (['--device', 'abacus', '--port', 0], 'abacus')])
def test_invalid_arguments_of_the_command(start, service, args, message):
    if '--model' not in args:
        args = [*args, '--model', service.models['tiny']]
    code, output = start(*args)
    assert code == 2 and message in output
    assert len(output.strip().splitlines()) <= 2


def test_a_port_in_use(start, service):
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        code, output = start('--model', service.models['tiny'], '--port', port)
    assert code == 2 and f'port {port}' in output


def test_without_gradio(start, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    code, output = start()
    assert code == 2
    assert "pip install 'irsde-mm[app,lite]'" in output
