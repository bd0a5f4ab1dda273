"""The notebooks run and give correct results."""
import ast
import io
from base64 import b64decode

import nbformat
import numpy as np
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from PIL import Image

FOLDER = ROOT / 'docs' / 'notebooks'


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Function that runs a notebook in a kernel of this environment and
    returns some of its variables and its pictures."""
    # no kernels or settings of the user
    monkeypatch.setenv('JUPYTER_DATA_DIR', str(tmp_path / 'jupyter'))
    monkeypatch.setenv('IPYTHONDIR', str(tmp_path / 'ipython'))
    monkeypatch.setenv('TMPDIR', str(tmp_path))

    def run(name, *variables):
        notebook = nbformat.read(FOLDER / f'{name}.ipynb', 4)
        notebook.cells.append(nbformat.v4.new_code_cell(
            f'print(repr(({", ".join(variables)}, )))'))
        NotebookClient(notebook, timeout=600, kernel_name='python3',
                       resources=dict(metadata=dict(path=tmp_path))).execute()
        outputs = [output for cell in notebook.cells if cell.cell_type
                   == 'code' for output in cell.outputs]
        pictures = [Image.open(io.BytesIO(b64decode(
            output.data['image/png']))) for output in outputs
            if 'image/png' in output.get('data', {})]
        return (*ast.literal_eval(outputs[-1].text), pictures)

    return run


@pytest.mark.parametrize('path', sorted(FOLDER.glob('*.ipynb')),
                         ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get('outputs')
        assert all(len(line) < 80 for line in cell.source.splitlines())


@pytest.mark.slow
def test_inside_the_sde(execute):
    mean_error, spread_error, left, reached, exact, spread, gains, pictures = \
        execute('inside_the_sde', 'mean_error', 'spread_error', 'left',
                'reached', 'exact', 'spread', 'gains')
    # 4000 paths: four standard errors of the largest spread
    limit = 4 * 50 / 255 / 4000**0.5
    assert mean_error < limit and spread_error < limit
    assert left == pytest.approx(dict.fromkeys(left, 0.005), rel=1e-3)
    assert reached > 40 and max(exact.values()) < 1e-4
    for name in {name for name, _ in spread}:
        errors = [abs(spread[name, n]) for n in (5, 20, 100)]
        assert errors == sorted(errors, reverse=True), name
    assert spread['posterior', 5] < 0 < spread['reverse SDE, Euler', 5]
    assert abs(spread['multistep, order 2', 20]) < min(
        abs(spread[name, 20]) for name in ('jump, eta = 0', 'posterior'))
    assert min(gains.values()) > 3, 'dB, of the bundled model'
    assert len(pictures) == 8


@pytest.mark.slow
def test_train_on_your_photos(execute):
    scores, done, pictures = execute(
        'train_on_your_photos', 'scores', 'runner.iter == ITERATIONS')
    assert done and scores['restored'] > scores['degraded'] + 1
    assert len(pictures) == 5
    for picture in pictures:
        assert np.asarray(picture).std() > 10, 'not a uniform color'
