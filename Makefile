# Each does everything on a fresh machine; install is the set-up alone.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: install demo demo-all test test-slow lint docs clean

install: $(INSTALLED)

demo: $(INSTALLED)
	$(PY) tools/demo.py

demo-all: $(INSTALLED)
	$(PY) tools/demo.py --tasks all

test: $(INSTALLED)
	$(PY) -m pytest

test-slow: $(INSTALLED)
	$(PY) -m pytest -m slow

lint: $(INSTALLED)
	$(PY) -m ruff check .

# the pages of docs/ in site/, to be opened from the disk
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

# everything that make makes; trained models in work_dirs/ stay
clean:
	rm -rf $(VENV) site build dist *.egg-info .pytest_cache .ruff_cache

$(INSTALLED): requirements.txt requirements-app.txt requirements-dev.txt setup.cfg pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check \
	    -r requirements.txt -r requirements-app.txt -r requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	touch $@
