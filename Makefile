# `make demo` and `make test` do everything on a machine that has only Python 3.11 or later, make and git.
PORT := $(or $(PORT),5000)
BASE_URL := $(or $(BASE_URL),http://127.0.0.1:$(PORT))
# One more than processors, since browsers and stand-ins are waited for.
WORKERS := $(or $(WORKERS),$(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1))
PYTEST := .venv/bin/python -m pytest

.PHONY: demo test check faults bench lock

demo: export DEMO = 1
demo: export PORT := $(PORT)
demo: export BASE_URL := $(BASE_URL)
demo: .venv/product
	@.venv/bin/flask --app wsgi demo run

test: .venv/dev
	$(PYTEST) -n $(WORKERS) --maxprocesses 4 --dist worksteal

check: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/djlint --lint --quiet templates

faults: .venv/dev
	$(PYTEST) -m slow tests/faults

bench: .venv/dev
	.venv/bin/python -m tests.bench

# Rewrites the hashed requirement files after a change of the dependencies in pyproject.toml.
LOCK := .venv/bin/uv pip compile pyproject.toml --quiet --extra postgres --universal --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
lock: .venv/dev
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) -o requirements.txt
	$(LOCK) --group dev -o requirements-dev.txt
	$(LOCK) --extra celery -o docs/requirements-celery.txt

.venv/product: requirements.txt
	@.ci/install requirements.txt

.venv/dev: requirements-dev.txt
	@.ci/install requirements-dev.txt
