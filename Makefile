# What people do with a clone. Targets that need .venv prepare it first (tools/bootstrap.py), quickly when nothing changed.
#   PYTHON=/path/to/python3.x   build for that interpreter instead of the newest one found
#   ARGS="..."                  handed on to pytest, the demo, the torture or the bench
#   ICEGIL_DEBUG=1              build with icegil's own assertions

PYTHON ?=
ARGS ?=
VENV_BIN := .venv/bin
HEADERS = $(wildcard include/icegil/*.hpp)

# Any working Python >= 3.11 can run the bootstrap. A name on PATH may be a version manager's stub that does not run, so
# each one is tried.
HOST = $(shell for p in $(PYTHON) python3 python3.13 python3.12 python3.11 "$$HOME"/.pyenv/versions/*/bin/python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
# One line that is enough for all: with Debian's Ice there is none to compile.
NO_PYTHON = No Python 3.11 or newer here that runs. On Debian: apt-get install g++ python3-dev python3-venv python3-zeroc-ice
BOOTSTRAP = $(or $(HOST),$(error $(NO_PYTHON))) \
	tools/bootstrap.py $(if $(PYTHON),--python '$(PYTHON)')

.PHONY: help demo test torture pictures docs matrix matrix-full wheels audit bench mutate differ leaks schedules interleavings sanitize fuzz lint spec build python
.NOTPARALLEL:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

demo: ## run one program plain and guarded, and show the two endings side by side
	@$(BOOTSTRAP) --extra demo
	$(VENV_BIN)/python demo/compare.py $(ARGS)

test: ## build icegil and run its tests
	@$(BOOTSTRAP) --extra test --extra examples --extra deployments
	$(VENV_BIN)/python -m pytest $(ARGS)

torture: ## run the shutdown scenarios: ARGS="-n 20 --both"
	@$(BOOTSTRAP)
	$(VENV_BIN)/python -m icegil torture $(ARGS)

matrix: ## run tests and torture on every supported pair of CPython and Ice that can be had here
	$(HOST) tools/matrix.py $(ARGS)

matrix-full: ## the same with CPython 3.15, for which zeroc-ice is compiled
	$(HOST) tools/matrix.py --full $(ARGS)

wheels: ## make the wheels and the source archive, and try them where there is no compiler
	@$(BOOTSTRAP) --extra wheels --no-build
	$(VENV_BIN)/python tools/wheels.py $(ARGS)

bench: ## measure icegil beside plain Ice
	@$(BOOTSTRAP) --extra bench
	$(VENV_BIN)/python -m bench $(ARGS)

pictures: ## run the programs in docs/programs, and draw what they print
	@$(BOOTSTRAP) --extra test
	$(VENV_BIN)/python docs/pictures.py

docs: ## make the site in build/site, from docs/, the docstrings and the parsers of the commands
	@$(BOOTSTRAP) --extra docs --no-build
	rm -rf build/site
	$(VENV_BIN)/sphinx-build -q -W --keep-going -n -E -d build/doctrees docs build/site
	$(VENV_BIN)/python tools/check_links.py build/site

lint: ## ruff, mypy, cython-lint, clang-format, clang-tidy, the workflows, what the source archive lacks
	@$(BOOTSTRAP) --extra lint --extra test --no-build
	$(VENV_BIN)/ruff check .
	$(VENV_BIN)/ruff format --check .
	$(VENV_BIN)/mypy
	PATH="$(CURDIR)/$(VENV_BIN):$$PATH" cython-lint icegil
	$(VENV_BIN)/clang-format --dry-run -Werror $(HEADERS)
	$(VENV_BIN)/clang-tidy --quiet $(HEADERS) -- -x c++ -std=c++17 -Iinclude
	$(VENV_BIN)/actionlint
	$(VENV_BIN)/zizmor --offline --quiet .github
	$(VENV_BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yml
	$(VENV_BIN)/check-manifest --no-build-isolation

audit: ## ask PyPI for known vulnerabilities in what icegil depends on
	@$(BOOTSTRAP) --extra audit --no-build
	$(VENV_BIN)/pip-audit --strict --progress-spinner off .

spec: ## search the model of the gate through: needs spin and gcc
	$(or $(HOST),$(error $(NO_PYTHON))) tools/check_spec.py $(ARGS)

interleavings: ## search the compiled gate and timeline through, every order of their steps: needs g++
	@mkdir -p build
	for name in test_trace_interleavings test_interleavings; do \
	    $(CXX) -std=c++20 -O2 -U_FORTIFY_SOURCE -pthread -Iinclude tests/native/$$name.cpp -o build/$$name && \
	    build/$$name $(ARGS) || exit; \
	done

schedules: ## run the scenarios on schedules that seeds decide: ARGS="-n 8", seeds for each
	@$(BOOTSTRAP) --extra test
	$(VENV_BIN)/python tools/schedules.py $(ARGS)

mutate: ## break the gate on purpose, and see which test notices: ARGS="--short" for some
	@$(BOOTSTRAP) --extra test
	$(VENV_BIN)/python tools/mutate.py $(ARGS)

differ: ## run random programs plain and guarded, and see where icegil does worse: ARGS="-n 3000", "--seed 1"
	@$(BOOTSTRAP) --extra test
	$(VENV_BIN)/python -m tools.differ $(ARGS)

leaks: ## measure what each kind of operation keeps, plain and guarded: ARGS="--short", "--only connection"
	@$(BOOTSTRAP) --extra test
	$(VENV_BIN)/python -m tools.leaks $(ARGS)

sanitize: ## run headers, extension and scenarios under the sanitizers: needs g++ with libasan
	@$(BOOTSTRAP) --extra test
	$(VENV_BIN)/python tools/sanitize.py

fuzz: ## feed damaged ELF files to the reader of relocations, by libFuzzer where clang is: ARGS="--runs 10000000"
	$(or $(HOST),$(error $(NO_PYTHON))) tools/fuzz.py $(ARGS)

build: ## make .venv with icegil built in it
	@$(BOOTSTRAP)

python: ## say which Python the others use
	@$(BOOTSTRAP) --find
