# Two commands on a bare machine with Python >= 3.11: make demo, make test. Each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint benchmark docs clean

demo: .venv/installed-base
	$(BIN)/unscatter demo --out demo

test: .venv/installed-test
	$(BIN)/ruff check src tests benchmarks tools examples
	$(BIN)/ruff format --check src tests benchmarks tools examples
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 2

benchmark: .venv/installed-test
	$(BIN)/python benchmarks/forward.py
	$(BIN)/python benchmarks/factorize_speed.py
	$(BIN)/python benchmarks/factorize_accuracy.py
	$(BIN)/python benchmarks/classify_speed.py
	$(BIN)/python benchmarks/volume_speed.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/engine_accuracy.py runs/icsd.h5
	$(BIN)/python benchmarks/reading_speed.py
	$(BIN)/python benchmarks/fuzz_patterns.py
	$(BIN)/python benchmarks/order_coverage.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/refine_speed.py
	$(BIN)/python benchmarks/supercell_loop.py
	$(BIN)/python benchmarks/suitability_rates.py
	$(BIN)/python benchmarks/trisamide_order.py
	$(BIN)/python benchmarks/trisamide_command_line.py
	$(BIN)/python benchmarks/counted_zeros.py
	$(BIN)/python benchmarks/fuzz_planes.py
	$(BIN)/python benchmarks/trisamide_torsion.py

docs: .venv/installed-test
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	$(BIN)/sphinx-build -W -b html docs docs/_build/html

clean:
	rm -rf .venv demo docs/_build

.venv/installed-base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "unscatter needs Python 3.11 or later; type for example: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/installed-test: .venv/installed-base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e training-data -e ".[train,test]"
	@touch $@
