# Each target does everything on a fresh machine; install is the set-up alone.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps
LOCK := $(PY) -m uv pip compile setup.cfg --quiet --no-annotate
INSTALLED := $(VENV)/.installed
# one process per core, four at most, with one thread each
PYTEST := -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal
test test-slow test-lowest: export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := install
.PHONY: install demo demo-all test test-slow test-lowest lint docs dist lock clean

install: $(INSTALLED)

demo: $(INSTALLED)
	$(PY) tools/demo.py

demo-all: $(INSTALLED)
	$(PY) tools/demo.py --tasks all

test: $(INSTALLED)
	$(PY) $(PYTEST)

test-slow: $(INSTALLED)
	$(PY) $(PYTEST) -m slow

# the fast tests on the lowest versions that setup.cfg admits
test-lowest: $(INSTALLED)
	$(PYTHON) -m venv --clear $(VENV)-lowest
	$(LOCK) --extra dev --resolution lowest-direct --output-file $(VENV)-lowest/lock.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --no-deps \
	    -r $(VENV)-lowest/lock.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --no-deps \
	    --no-build-isolation --editable .
	$(VENV)-lowest/bin/python $(PYTEST)

lint: $(INSTALLED)
	$(PY) -m ruff check .

# the pages of docs/ in site/, to be opened from the disk
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

# sdist and wheel in dist/, checked for upload
dist: $(INSTALLED)
	rm -rf build dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*

# the newest versions that setup.cfg admits, for Python 3.11 and later
UNIVERSAL := --universal --python-version 3.11 --upgrade \
    --custom-compile-command 'make lock'
lock: $(INSTALLED)
	$(LOCK) $(UNIVERSAL) --extra train --extra lite --extra diffusers \
	    --extra app --extra hub --output-file requirements.txt
	$(LOCK) $(UNIVERSAL) --extra dev --constraint requirements.txt \
	    --output-file requirements-dev.txt

# everything that make makes; work_dirs/ and weights/ stay
clean:
	rm -rf $(VENV) $(VENV)-lowest site build dist *.egg-info .pytest_cache \
	    .ruff_cache

# A new environment when a version changes: nothing of the old one remains.
$(VENV)/.requirements: requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit( \
	    "error: python3 is too old, 3.11 is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) -r requirements-dev.txt
	touch $@

$(INSTALLED): $(VENV)/.requirements setup.cfg pyproject.toml
	$(PIP) --no-build-isolation --editable .
	$(PY) tools/prepare_weights.py lpips
	$(PY) tools/prepare_weights.py dists
	touch $@
