"""The page in a browser, started as a user starts it."""
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
from conftest import ROOT
from irsde_mm.apis import init_restorer, restore
from irsde_mm.model_files.bundled import bundled_models
from PIL import Image
from playwright.sync_api import expect, sync_playwright

BROWSER = next(filter(None, map(shutil.which, (
    'chromium', 'chromium-browser', 'google-chrome'))), None)
FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
         '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
# a machine with other work does everything late
PATIENCE = 120_000
START = ('from irsde_mm.commands import main; import sys; '
         "sys.argv[0] = 'irsde'; main()")
RESTORED = 'how much of the photo is shown as it was'

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    BROWSER is None, reason='there is no Chromium or Chrome')]


@contextmanager
def started(folder, *args):
    """`irsde app` in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, '-c', START, 'app', '--port', '0', '--device', 'cpu',
         *map(str, args)], stdout=subprocess.PIPE, text=True, cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT), TMPDIR=str(folder)))
    try:
        yield next(word for line in process.stdout for word in line.split()
                   if word.startswith('http'))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('page')


@pytest.fixture(scope='module')
def address(folder):
    with started(folder, '--max-pixels', 200_000) as address:
        yield address
    # photos go with the page, and it left nothing where it was started
    assert list(folder.iterdir()) == []


@pytest.fixture
def page(address):
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(accept_downloads=True)
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        hosts = set()
        page.on('request', lambda request: hosts.add(
            urlsplit(request.url).hostname))
        page.goto(address)
        expect(page.locator('.thumbnail-item')).to_have_count(3)
        yield page
        # data: and blob: have none
        assert hosts <= {'127.0.0.1', None}
        browser.close()


@pytest.fixture
def photo(tmp_path):
    """Less noisy than the models can take."""
    noise = np.random.default_rng(0).normal(128, 20, (60, 80, 3))
    path = tmp_path / 'garden.png'
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path)
    return path


def upload(page, path):
    page.locator('input[type=file]').first.set_input_files(path)


def shows(page, text):
    expect(page.locator('#view')).to_contain_text(text)


def press(page, name):
    page.get_by_role('button', name=name, exact=True).click()


def test_upload_restore_slide_and_download(page, photo, tmp_path):
    model = next(iter(bundled_models()))
    upload(page, photo)
    shows(page, 'garden.png, 80 x 60 pixels')
    page.get_by_label('Seed').fill('3')
    press(page, 'Restore')
    slider = page.get_by_label(RESTORED)
    expect(slider).to_be_visible()
    pair = page.locator('.pair')
    assert '50%' in pair.get_attribute('style')
    cut = page.locator('.before').evaluate(
        'image => getComputedStyle(image).clipPath')
    slider.focus()
    for _ in range(20):
        page.keyboard.press('ArrowRight')
    assert '60%' in pair.get_attribute('style')
    assert cut != page.locator('.before').evaluate(
        'image => getComputedStyle(image).clipPath')
    with page.expect_download() as download:
        press(page, 'Download the result (PNG)')
    assert download.value.suggested_filename == f'garden_{model}.png'
    download.value.save_as(tmp_path / 'down.png')
    with Image.open(tmp_path / 'down.png') as picture:
        assert picture.format == 'PNG'
        pixels = np.asarray(picture)[..., ::-1]
    expected = restore(init_restorer(model, device='cpu'), photo, seed=3)
    assert (pixels == expected).all()


def test_an_example_several_results_and_reload(page):
    page.get_by_label('Model').click()
    page.get_by_role('option', name='derain').click()
    page.locator('.thumbnail-item').nth(1).click()
    shows(page, 'coffee.png')
    results = page.get_by_role('spinbutton', name='Results')
    results.fill('2')
    results.press('Enter')
    press(page, 'Restore')
    expect(page.locator('#view progress')).to_be_visible()
    expect(page.get_by_label(RESTORED)).to_be_visible()
    expect(page.locator('#spread img')).to_be_visible()
    page.reload()
    shows(page, 'The photo appears here')
    page.locator('.thumbnail-item').nth(0).click()
    shows(page, 'chelsea.png')


def test_stop(page):
    page.locator('.thumbnail-item').nth(0).click()
    shows(page, 'chelsea.png')
    page.get_by_label('Steps').fill('100')
    press(page, 'Restore')
    expect(page.locator('#view progress')).to_be_visible()
    press(page, 'Stop')
    shows(page, 'stopped')
    assert page.get_by_label(RESTORED).count() == 0


@pytest.mark.parametrize('make, words', [
    (lambda path: path.write_text('text'), "'bad.png' is not a readable"),
    (lambda path: Image.new('RGB', (500, 401)).save(path),
     'more than 200,000 pixels'),
    (lambda path: path.write_bytes(bytes(50 * 2**20 + 1)),
     'maximum allowed size')])
def test_what_cannot_be_used_is_a_message(page, tmp_path, make, words):
    make(tmp_path / 'bad.png')
    upload(page, tmp_path / 'bad.png')
    message = page.get_by_test_id('toast-body')
    expect(message).to_contain_text(words)
    assert str(tmp_path.parent) not in message.inner_text()


def test_a_phone_is_wide_enough(page, photo):
    page.set_viewport_size(dict(width=390, height=800))
    upload(page, photo)
    shows(page, 'garden.png')
    assert page.evaluate('document.documentElement.scrollWidth') <= 390
