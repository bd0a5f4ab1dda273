"""The page in a browser, started as a user starts it."""
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from conftest import ROOT
from irsde_mm.apis import init_restorer, restore
from irsde_mm.model_files.bundled import bundled_models
from PIL import Image
from playwright.sync_api import Error, expect, sync_playwright

FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
         '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync']
# milliseconds; long, because a busy machine is slow
TIMEOUT = 120_000
START = ('from irsde_mm.commands import main; import sys; '
         "sys.argv[0] = 'irsde'; main()")
DIVIDER = 'position of the divider between before and after'

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def browser():
    """Chromium or Chrome of the system, or the one of playwright.

    Without a browser the tests are skipped, but fail in CI.
    """
    found = filter(None, map(shutil.which, (
        'chromium', 'chromium-browser', 'google-chrome')))
    with sync_playwright() as play:
        path = next(found, play.chromium.executable_path)
        if not Path(path).exists():
            (pytest.fail if os.environ.get('CI') else pytest.skip)(
                'no Chromium or Chrome: install the package chromium, or run '
                '"playwright install chromium".')
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def started(folder, *args):
    """Run `irsde app` in a new process; yield its address."""
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
def address(browser, folder):
    with started(folder, '--max-pixels', 200_000) as address:
        yield address
    # the page deleted all photos and left no other files
    assert list(folder.iterdir()) == []


@pytest.fixture
def violations():
    """Messages of the browser about the Content-Security-Policy."""
    return []


@pytest.fixture
def page(browser, address, violations):
    page = browser.new_page(accept_downloads=True)
    page.set_default_timeout(TIMEOUT)
    expect.set_options(timeout=TIMEOUT)
    hosts, errors = set(), []
    page.on('request', lambda request: hosts.add(
        urlsplit(request.url).hostname))
    page.on('pageerror', lambda error: errors.append(error.message))
    page.on('console', lambda message: violations.append(message.text)
            if 'Content Security Policy' in message.text else None)
    page.goto(address)
    expect(page.locator('.thumbnail-item')).to_have_count(3)
    yield page
    # URLs such as data: and blob: have no host
    assert hosts <= {'127.0.0.1', None}
    assert errors == [] and violations == []
    page.close()


@pytest.fixture
def photo(tmp_path):
    """A photo with less noise than the models can remove."""
    noise = np.random.default_rng(0).normal(128, 20, (60, 80, 3))
    path = tmp_path / 'garden.png'
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path)
    return path


def upload(page, path):
    page.locator('input[type=file]').first.set_input_files(path)


def expect_text(page, text):
    expect(page.locator('#view')).to_contain_text(text)


def press(page, name):
    page.get_by_role('button', name=name, exact=True).click()


def test_upload_restore_compare_and_download(page, photo, tmp_path):
    model = next(iter(bundled_models()))
    upload(page, photo)
    expect_text(page, 'garden.png, 80 x 60 pixels')
    page.get_by_label('Seed').fill('3')
    press(page, 'Restore')
    divider = page.get_by_label(DIVIDER)
    expect(divider).to_be_visible()
    pair = page.locator('.pair')
    assert '50%' in pair.get_attribute('style')
    cut = page.locator('.before').evaluate(
        'image => getComputedStyle(image).clipPath')
    divider.focus()
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
    expect_text(page, 'coffee.png')
    results = page.get_by_role('spinbutton', name='Results')
    results.fill('2')
    results.press('Enter')
    page.get_by_label('Steps').fill('20')  # long enough to show progress
    press(page, 'Restore')
    expect(page.locator('#view progress')).to_be_visible()
    expect(page.get_by_label(DIVIDER)).to_be_visible()
    expect(page.locator('#spread img')).to_be_visible()
    page.reload()
    expect_text(page, 'The photo will appear here')
    page.locator('.thumbnail-item').nth(0).click()
    expect_text(page, 'chelsea.png')


def test_stop(page):
    page.locator('.thumbnail-item').nth(0).click()
    expect_text(page, 'chelsea.png')
    page.get_by_label('Steps').fill('100')
    press(page, 'Restore')
    expect(page.locator('#view progress')).to_be_visible()
    press(page, 'Stop')
    expect_text(page, 'stopped')
    assert page.get_by_label(DIVIDER).count() == 0


@pytest.mark.parametrize('make, text', [
    (lambda path: path.write_text('text'), "'bad.png' is not a readable"),
    (lambda path: Image.new('RGB', (500, 401)).save(path),
     'more than 200,000 pixels'),
    (lambda path: path.write_bytes(bytes(50 * 2**20 + 1)),
     'maximum allowed size')])
def test_a_file_that_cannot_be_used_gives_a_message(page, tmp_path, make,
                                                    text):
    make(tmp_path / 'bad.png')
    upload(page, tmp_path / 'bad.png')
    message = page.get_by_test_id('toast-body')
    expect(message).to_contain_text(text)
    assert str(tmp_path.parent) not in message.inner_text()


def test_the_page_fits_a_phone(page, photo):
    page.set_viewport_size(dict(width=390, height=800))
    upload(page, photo)
    expect_text(page, 'garden.png')
    assert page.evaluate('document.documentElement.scrollWidth') <= 390


def test_the_browser_enforces_the_policy(page, violations):
    with pytest.raises(Error):
        page.evaluate("fetch('https://example.com')")
    assert violations
    violations.clear()
