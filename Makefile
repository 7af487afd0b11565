# Every command of this repository. Each sets up .venv by itself where that is still to do.
# Settings: PYTHON=… EXTRAS=text,ray SHOPSYNTH_TORCH=cpu (see scripts/bootstrap.sh), ARGS="…" for the tool.

PY := .venv/bin/python
# Two test workers on one thread each: numeric libraries would otherwise start a thread per core in both.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1 \
	RAYON_NUM_THREADS=1 POLARS_MAX_THREADS=1 TOKENIZERS_PARALLELISM=false
# Nothing is fetched from a model hub behind our back.
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_HUB_DISABLE_TELEMETRY=1
WORKERS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix docs e2e bench lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## build .venv (about a minute the first time, nothing afterwards)
	@sh scripts/bootstrap.sh

# The pseudonyms of a public data set protect nobody, so their key is no secret. A real shop sets its own.
demo: setup ## run the whole journey on the real shop data in examples/
	@SHOPSYNTH_PSEUDONYM_KEY=public-demo-data $(OFFLINE) \
		.venv/bin/shopsynth run examples/online_retail.toml --workspace demo-workspace $(ARGS)

test: setup ## run the tests, with at least 90 % of the lines covered
	@COVERAGE_FILE=$(CURDIR)/.coverage $(ONE_THREAD) $(OFFLINE) $(PY) -m pytest -n $(WORKERS) --dist worksteal \
		--cov --cov-report=term-missing:skip-covered --cov-fail-under=90 $(ARGS)

check: setup ## check style, types and who imports whom
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

fix: setup ## repair what can be repaired by machine
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: setup ## build the documentation into site/
	.venv/bin/zensical build --clean --strict $(ARGS)

e2e: setup ## run only the tests that open the report in a browser
	@$(OFFLINE) $(PY) -m pytest -m e2e $(ARGS)

bench: setup ## run one benchmark: make bench NAME=g2 ARGS="--data DIR"
	@test -n "$(NAME)" || { echo "which one? make bench NAME=…, out of:"; ls benchmarks/*.py; exit 2; }
	@$(OFFLINE) $(PY) benchmarks/$(NAME).py $(ARGS)

lock: setup ## renew requirements.lock (needs uv and the network)
	@sh scripts/lock.sh

clean: ## remove caches, the built docs and the demo's workspace; .venv stays
	@rm -rf .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist site demo-workspace
