"""The call paths in docs/architecture.md agree with the code."""
import re
import sys
from pathlib import Path

import irsde_mm
import pytest
from conftest import ROOT, TINY, run_tool

PACKAGE = Path(irsde_mm.__file__).parent
PAGE = (ROOT / 'docs' / 'architecture.md').read_text()
STATION = re.compile(r'^\| \d \| `(\S+)` \| `(\S+)` \|', re.M)


def stations(title: str) -> list:
    """Return files and functions of a path, in order."""
    part = PAGE.split(f'## {title}\n')[1].split('\n## ')[0]
    found = [(file, name.rpartition('.')[2])
             for file, name in STATION.findall(part)]
    assert 5 <= len(found) <= 8
    return found


@pytest.fixture
def calls():
    """Files and functions of the package, numbered by their first call."""
    found = {}

    def note(frame, event, _):
        code = frame.f_code
        if event == 'call' and code.co_filename.startswith(str(PACKAGE)):
            file = Path(code.co_filename).relative_to(PACKAGE)
            found.setdefault((str(file), code.co_name), len(found))

    sys.setprofile(note)
    yield found
    sys.setprofile(None)


def check(path: list, calls: dict) -> None:
    assert [station for station in path if station not in calls] == []
    assert sorted(path, key=calls.get) == path


def test_path_of_a_photo(calls, photo, tmp_path):
    assert run_tool('restore', photo, '--task', 'derain', '--steps', 1,
                    '--out', tmp_path / 'out') == 0
    check(stations('Restoring a photo, step by step'), calls)


def test_path_of_a_training_step(calls, tmp_path):
    assert run_tool('train', 'quickstart/derain', '--work-dir', tmp_path,
                    '--cfg-options', *TINY, 'train_cfg.max_iters=1',
                    'val_cfg=None', 'val_dataloader=None',
                    'val_evaluator=None') == 0
    check(stations('A training step'), calls)


def test_functions_exist():
    for file, name in STATION.findall(PAGE):
        text = (PACKAGE / file).read_text()
        for part in name.split('.'):
            assert re.search(rf'(class|def) {part}\b', text), (file, name)
