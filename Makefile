# make demo, demo-all, test: each does everything on a fresh machine.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

.PHONY: demo demo-all test test-slow lint clean

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

# everything that make makes; trained models in work_dirs/ stay
clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache

$(INSTALLED): requirements.txt requirements-app.txt requirements-dev.txt setup.cfg pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check \
	    -r requirements.txt -r requirements-app.txt -r requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --editable .
	touch $@
