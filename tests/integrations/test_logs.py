"""The entries of docs/integrations.md for services that log training."""
import inspect
import re

import pytest
from conftest import ROOT
from mmengine.registry import VISBACKENDS

PAGE = (ROOT / 'docs' / 'integrations.md').read_text()
ENTRIES = [eval(text) for text in re.findall(r'`(dict\(type=.*\))` \|', PAGE)]


@pytest.mark.parametrize('entry', ENTRIES, ids=lambda entry: entry['type'])
def test_entries_name_backends_of_mmengine(entry):
    """And their arguments exist."""
    backend = VISBACKENDS.get(entry['type'])
    arguments = {key: value for key, value in entry.items() if key != 'type'}
    inspect.signature(backend).bind(save_dir='x', **arguments)


def test_both_services_have_an_entry():
    assert len(ENTRIES) == 2
