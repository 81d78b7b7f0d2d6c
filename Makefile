# Everything starts here. On a fresh Debian or macOS machine only Python 3.11+ and make are needed;
# each target makes its own .venv. GNU make 3.81 (macOS) is enough.
SHELL := /bin/sh
PY := .venv/bin/python
BENCH_PY := .venv-bench/bin/python
LOCKS := requirements/dev.txt requirements/data.txt
BENCH_LOCKS := requirements/bench.txt requirements/data.txt

# make demo CITIZENS=100000 OUT=here; make bench CITIZENS=1000000 BENCHES=benchmarks/speed.py
CITIZENS ?=
OUT ?=
BENCHES ?= $(filter-out benchmarks/kill.py,$(wildcard benchmarks/*.py))
TESTS ?=
BUNDLE ?= dist/bundle

.PHONY: help demo serve test check format bench bundle try-bundle lock communes clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-11s %s\n", $$1, $$2 }'

.venv/.ready: $(LOCKS) pyproject.toml scripts/bootstrap.sh
	@scripts/bootstrap.sh .venv $(LOCKS)
	@touch $@

.venv-bench/.ready: $(BENCH_LOCKS) pyproject.toml scripts/bootstrap.sh
	@scripts/bootstrap.sh .venv-bench $(BENCH_LOCKS)
	@touch $@

demo: .venv/.ready ## the whole story on generated data; prints the path of the report
	@.venv/bin/quychu demo $(if $(CITIZENS),--citizens $(CITIZENS)) $(if $(OUT),--out "$(OUT)")

serve: .venv/.ready ## the confirmation service and the simulated identity provider together, on this machine
	@.venv/bin/quychu trial $(if $(OUT),--dir "$(OUT)")

test: .venv/.ready ## all tests and the examples in docstrings; ends with the list of tests not run and for want of what
	@$(PY) scripts/system_tools.py --install
	@$(PY) -m pytest $(TESTS)

check: .venv/.ready ## ruff, mypy, who may import whom, licences, lock files
	@$(PY) scripts/check.py

format: .venv/.ready ## put the code into its form
	@$(PY) -m ruff check --quiet --fix-only .
	@$(PY) -m ruff format .

bench: .venv-bench/.ready ## print the README's figures: make bench CITIZENS=100000 BENCHES=benchmarks/accuracy.py
	@set -e; for bench in $(BENCHES); do echo "== $$bench"; \
		$(BENCH_PY) "$$bench" $(if $(CITIZENS),--citizens $(CITIZENS)); done

bundle: .venv/.ready ## one folder that installs without network on Linux and Windows
	@$(PY) scripts/build_bundle.py --out "$(BUNDLE)"

try-bundle: ## install the bundle offline under a path with blanks and Vietnamese letters, and run it
	@scripts/try_bundle.sh "$(BUNDLE)"

lock: .venv/.ready ## resolve the libraries again (network)
	@$(PY) scripts/lock.py

communes: .venv-bench/.ready ## build the commune tables again
	@$(BENCH_PY) scripts/build_commune_tables.py

clean: ## remove what can be made again
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
