"""Config files with fields that nothing reads."""
import warnings

import pytest
from irsde_mm.config.unread import check_file
from irsde_mm.errors import ConfigError

BASE = ('size = 64\nother = 1\n'
        'train_dataloader = dict(dataset=dict(size=size))\n')


@pytest.fixture
def child(tmp_path):
    """Function that writes a config with a base and returns its path."""
    (tmp_path / 'base.py').write_text(BASE)

    def write(text: str, base: str = "_base_ = './base.py'\n"):
        path = tmp_path / 'child.py'
        path.write_text(base + text)
        return path

    return write


def warned(path, reads=()) -> list:
    """Return the warnings about a valid config."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        check_file(path, reads)
    return [str(w.message) for w in caught if 'child.py' in str(w.message)]


@pytest.mark.parametrize('text, message', [
    ('trian_cfg = dict(max_iters=3)', "'trian_cfg'; did you mean 'train_cfg'"),
    ('size = 32', r'child\.py.*size=32 is set too late.*set '
                  r'train_dataloader\.dataset\.size'),
])
def test_refused(child, text, message):
    with pytest.raises(ConfigError, match=message):
        check_file(child(text))


def test_misspelt_name_without_a_base(child):
    with pytest.raises(ConfigError, match="'train_cfg'"):
        check_file(child('trian_cfg = dict()', base=''))


@pytest.mark.parametrize('name, text', [
    ('child.yaml', '_base_: ./base.py\ntrian_cfg:\n  max_iters: 3\n'),
    ('child.json', '{"_base_": "./base.py",\n"trian_cfg": {"max_iters": 3}}'),
])
def test_other_formats(child, name, text):
    path = child('').with_name(name)
    path.write_text(text)
    with pytest.raises(ConfigError, match="'trian_cfg'; did you mean"):
        check_file(path)
    path.write_text(text.replace('trian', 'train'))
    assert not warned(path)


@pytest.mark.parametrize('text', [
    'work_dir = "x"\ncustom_imports = dict(imports=[])',
    # the config's own variables
    'sizes = [1, 2]\nmodel = dict(sizes=sizes)',
    'size = 32\ntrain_dataloader = dict(dataset=dict(size=size))',
    "size = 32\ntrain_dataloader = dict(dataset=dict(size='{{_base_.size}}'))",
    'def double(x):\n    return 2 * x\nmodel = dict(n=double(3))',
    'import math\nfor i in range(3):\n    model = dict(n=math.sqrt(i))',
    'for train_cfgs in range(2):\n    model = dict(n=train_cfgs)',
    'size = 64',  # unchanged
])
def test_accepted(child, text):
    assert not warned(child(text))


def test_configs_saved_by_a_runner(child):
    """They contain unused variables of the original config."""
    assert not warned(child('patch_size = 3\ntrain_dataloader = dict()', ''))
    text, = warned(child('vals_dataloader = 3\nval_dataloader = 3', ''))
    assert "'vals_dataloader'; did you mean 'val_dataloader'" in text


def test_warnings(child):
    text, = warned(child('lr = 1e-3'))
    assert "child.py': nothing reads 'lr'" in text
    path = child('patch_size = 32',
                 "_base_ = 'irsde_mm::quickstart/denoise.py'\n")
    text, = warned(path)
    assert 'patch_size=32 has no effect' in text
    assert 'train_dataloader.dataset.pipeline.0.crop_size' in text
    assert not warned(path, reads=('patch_size', ))
