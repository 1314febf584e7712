# `make run` starts the example office, `make test` proves it.  Both need Python 3.11 or later only.

BIN := .venv/bin
# Tests with real phones mostly wait, so there may be more of them than cores; files stay whole, since
# their tests share a switch.
PYTEST ?= $(BIN)/pytest -n 4 --dist loadfile -q
REPORT ?= bench/out/report.md

# Where byte code may not be kept, each start compiles every module again and takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test check fmt bench phones peers lock docs clean

run: .venv/ready
	@test -e softswitch.toml || $(BIN)/softswitch init softswitch.toml
	@echo "Phones register with:" && $(BIN)/softswitch phones --config softswitch.toml
	@exec $(BIN)/softswitch run --config softswitch.toml

test: .venv/ready phones
	$(PYTEST)

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fmt: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/ready  # half an hour; `make bench BENCH=--quick` a minute
	$(BIN)/softswitch bench $(BENCH) --json bench/out/figures.json --report $(REPORT)

phones:  # the real phones that tests call with
	@bash tools/peers.sh phones

peers:  # the servers that benchmarks compare with
	@bash tools/peers.sh bench

lock: .venv/ready  # after a change of dependencies in pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements.lock

docs: .venv/ready  # pages that are made from the code
	$(BIN)/python -m config.reference > docs/configuration.md
	$(BIN)/python -m acd.metrics.reference > docs/figures.md

.venv/ready: requirements.lock pyproject.toml tools/venv.sh
	@bash tools/venv.sh
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
