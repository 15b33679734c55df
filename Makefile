# The environment and the workflow's usual runs. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help heat all toys well calibrate device findings docs wheel test lint bench clean

# Rules call `python` from PATH.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# A run starts hundreds of processes: compiled code is kept, or each would compile its own.
unexport PYTHONDONTWRITEBYTECODE

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

heat: $(READY)  ## heat diffusion, end to end: results/heat/fit_metrics.json
	@snakemake --cores all results/heat/fit_metrics.json

# MNIST's files are brought by people: see workflow/studies/toys_mnist.yaml.
mnist := $(if $(wildcard data/mnist),workflow/studies/toys_mnist.yaml)

# Fluids at the published size are for a cluster: see workflow/studies/well.yaml.
all: $(READY)  ## config.yaml and all of workflow/studies, ending in results/report.html
	@snakemake --configfile $(filter-out %/toys_mnist.yaml %/well.yaml,$(wildcard workflow/studies/*.yaml)) $(mnist)

toys: planes := noisy_tv noisy_tv_right slow_tv noisy_tv_orthogonal
toys: mixture := results/toys_mixture
toys: digits := $(if $(mnist),mnist mnist_linear mnist_denoised mnist_curve)
toys: longest := $(digits:%=results/toys_%/report.html)
# One call, longest steps first: with short ones left to the end no core is idle for long.
toys: $(READY)  ## worlds whose truth is known in closed form: results/toys_*/report.html
	@snakemake $(longest) $(planes:%=results/toys_%/report.html) \
		$(planes:%=results/toys_%/phase.gif) results/toys_tv_widths/report.html \
		$(mixture)_energies/report.html $(mixture)_energies/langevin.gif \
		$(mixture)_embeddings/report.html $(mixture)_embeddings/similarities.gif \
		$(if $(longest),--prioritize $(longest)) --configfile \
		workflow/studies/toys_noisy_tv.yaml workflow/studies/toys_mixture.yaml $(mnist)
	@$(if $(mnist),,echo "data/mnist: no files, so no toys_mnist; see workflow/studies/toys_mnist.yaml")

well: $(READY)  ## a fluid's parameters by objective and architecture: results/well/report.html
	@snakemake results/well/report.html --configfile workflow/studies/fluids.yaml

calibrate: $(READY)  ## false positives on noise, coverage on planted truth: results/calibration.json
	@snakemake --cores all results/calibration.png

device: $(READY)  ## a GPU's numbers and speed, within eight minutes: results/device.json
	@python -m physprobe device --out results/device.json

findings: $(READY)  ## numbers of README.md and docs, filled from results
	@python docs/findings.py

docs: $(READY)  ## README.md and docs as a site: build/site/index.html
	@mkdocs build --strict

# What an earlier build left there would go into it.
wheel: $(READY)  ## the package with its workflow, to be installed elsewhere: dist/
	@rm -rf build && python -m pip wheel --quiet --disable-pip-version-check \
		--no-build-isolation --no-deps --wheel-dir dist .

# One thread each: two spin on small matrices.
test: export OMP_NUM_THREADS := 1
test: first := tests/test_workflow.py tests/test_well.py tests/config tests/embed tests/report tests/train
test: $(READY)  ## the whole test suite, in two processes
	@python -m pytest -q --durations=10 $(first) & failed=0; \
	python -m pytest -q --durations=10 $(first:%=--ignore=%) || failed=1; \
	wait $$! && exit $$failed

lint: $(READY)  ## style of code and workflow
	@ruff check --quiet
	@ruff format --check --quiet
	@snakefmt --check Snakefile workflow/rules
	@snakemake --lint
	@lint-imports --no-logo --no-cache
	@mypy

bench: $(READY)  ## benchmarks, one after the other, each ending in its ratio
	@failed=; for file in tests/benchmarks/bench_*.py; do \
		echo "== $$file"; python "$$file" || failed="$$failed $$file"; done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

# Snakemake's records (.snakemake) and the results belong together: both stay.
clean:  ## remove the environment and the tools' caches; results stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist lib/*.egg-info
	find lib tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock holds setuptools, so that installing the package itself needs no isolated build.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "physprobe needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." \
		"Hint: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "Installing requirements.lock into $(VENV) (once; a few minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement requirements.lock
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-build-isolation --no-deps --editable .
	@touch $@
