# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := flows schemas transforms warehouse expectations reports demo

.PHONY: demo test check bench trust clean browser office
.DELETE_ON_ERROR:

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))' || \
	  { echo "Carmony needs Python 3.11, 3.12 or 3.13. Set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/python -m compileall -q $(VENV)/lib $(PACKAGES) >/dev/null 2>&1 || true
	@touch $@

demo: $(VENV)/.installed
	@rm -rf build/demo-study
	$(BIN)/carmony demo build/demo-study
	$(BIN)/carmony run build/demo-study

# The processes of tests share the cores: each takes one thread of Polars.
test: $(VENV)/.installed browser office
	POLARS_MAX_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Tests open the report in a real browser.
browser:
	@if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the browser tests"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium"; exit 1; \
	  fi; \
	fi

# Tests open the workbooks of queries in LibreOffice, as centers do.
office:
	@if ! command -v soffice >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing libreoffice-calc for the tests of workbooks"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libreoffice-calc >/dev/null; \
	  else \
	    echo "The tests of workbooks need LibreOffice. On Debian: sudo apt-get install libreoffice-calc"; exit 1; \
	  fi; \
	fi

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

bench: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/python benchmarks/ingest.py --doc build/benchmark.md

# The campaigns of docs/trust.md, whole; they take an hour or more.
trust: $(VENV)/.installed browser
	@rm -rf build/trust && mkdir -p build/trust
	CARMONY_TRUST=full CARMONY_TRUST_FIGURES=$(CURDIR)/build/trust $(BIN)/python -m pytest -n 2 --dist loadfile tests/trust tests/warehouse/test_publish.py
	$(BIN)/python tests/trust/write_figures.py build/trust

clean:
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
