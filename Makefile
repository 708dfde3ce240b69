# The commands of the repository; CMake presets do the work.
BUILD  ?= build
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
VENV   := $(BUILD)/venv

.PHONY: all optimized deps up test asan tsan bench bench-quick bench-overload bench-overhead bench-canary bench-micro \
	bench-picker chaos fuzz fuzz-quick lint format install clean

all: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target serin

# Built once more by the profile of a few seconds of traffic on loopback: what is installed, and what is measured.
optimized: $(BUILD)/optimized/.done
$(BUILD)/optimized/.done: $(shell find src -type f) CMakeLists.txt CMakePresets.json | all
	@find $(BUILD)/optimized -name '*.gcda' -delete 2>/dev/null || true
	@cmake --preset profile >/dev/null
	@cmake --build --preset profile -j $(JOBS) --target serin
	@cmake --build --preset release -j $(JOBS) --target bench_load
	@python3 bench/load/train.py --serin $(BUILD)/optimized/serin --tools $(BUILD)/release
	@cmake --preset optimized >/dev/null
	@cmake --build --preset optimized -j $(JOBS) --target serin
	@touch $@

# Debian packages that are missing; nothing is asked when all are there.
deps:
	@tools/deps.sh build

up: all
	@$(BUILD)/serin up -f examples/canary --workloads sim --sim-speed 10

$(VENV)/.done: tests/e2e/requirements.txt
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install -q --disable-pip-version-check -r tests/e2e/requirements.txt
	@touch $@

test: all
	@tools/deps.sh test
	@$(MAKE) --no-print-directory $(VENV)/.done
	@tools/kubectl-1.20.sh $(BUILD)/tools/kubectl-1.20
	@cmake --preset release -DSERIN_E2E=ON >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@ctest --preset release -j $(JOBS)

# Unit tests, fuzz replay and a short end-to-end run with sanitizers; FULL=1 for the whole end-to-end suite.
asan tsan: deps
	@tools/deps.sh test
	@$(MAKE) --no-print-directory $(VENV)/.done
	@cmake --preset $@ -DSERIN_E2E=ON -DSERIN_E2E_SHORT=$(if $(FULL),OFF,ON) >/dev/null
	@cmake --build --preset $@ -j $(JOBS)
	@ctest --preset $@ -j $(JOBS)

# The data plane next to nginx, HAProxy and a bare relay; bench-quick takes less than three minutes and is less exact.
bench-quick: BENCH_FLAGS = --cases short --pairs 6 --counts 1 --slice-ms 150 --stretch 1
bench bench-quick: optimized
	@tools/deps.sh bench
	@cmake --build --preset release -j $(JOBS) --target bench_load bench_relay
	@python3 bench/load/check_tools.py $(BUILD)/release
	@python3 bench/load/data_plane.py --serin $(BUILD)/optimized/serin --tools $(BUILD)/release \
		--out $(BUILD)/bench/data-plane.json $(BENCH_FLAGS)

# What canaries add to a request, in instructions; takes minutes.
bench-overhead: all
	@tools/deps.sh bench
	@python3 bench/load/instructions.py --serin $(BUILD)/serin

# A crowd of uploads and slow clients beside ordinary requests, for a minute: memory, and what ordinary ones cost.
bench-overload: all
	@cmake --build --preset release -j $(JOBS) --target bench_load
	@python3 bench/load/overload.py --serin $(BUILD)/serin --tools $(BUILD)/release --out $(BUILD)/bench/overload.json

# How often the canary analysis rolls back healthy canaries, how soon faulty ones; SEED=1 RUNS=1000.
bench-canary: SEED ?= 1
bench-canary: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target bench_canary >/dev/null
	@mkdir -p $(BUILD)/bench
	@$(BUILD)/release/bench/canary/bench_canary --seed $(SEED) $(if $(RUNS),--runs $(RUNS)) --json $(BUILD)/bench/canary.json

# A gateway under load while everything is done to it; SCENARIO=walkthrough|kills|restarts|mixed SEED=1 MINUTES=60.
SCENARIO ?= mixed
MINUTES  ?= 3
chaos: all
	@tools/deps.sh test
	@$(MAKE) --no-print-directory $(VENV)/.done
	@cd tests/e2e && $(abspath $(VENV))/bin/python -m chaos --scenario $(SCENARIO) --minutes $(MINUTES) \
		$(if $(SEED),--seed $(SEED))

# The picker against reference policies in simulated time (docs/picker.md): 20 seeds from SEED on; QUICK=1 for a look;
# LIVE=1 compares the model with real processes instead, in four minutes of real time.
bench-picker: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target bench_picker $(if $(LIVE),serin)
	@$(if $(LIVE),python3 bench/picker/live.py $(if $(SEED),--seed $(SEED)),$(BUILD)/release/bench/bench_picker $(if $(SEED),--seed $(SEED)) $(if $(QUICK),--quick) --verbose --out $(BUILD)/bench/picker.json)

# What a pick, the prefix index and a metrics page cost (docs/picker.md).
bench-micro: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target bench_pick bench_prefix_index bench_engine_metrics >/dev/null
	@python3 bench/micro/run.py --benches $(BUILD)/release/bench --out $(BUILD)/bench/micro.json

# Every fuzzer, or those of FUZZERS, for FUZZ_SECONDS each; fuzz-quick: 20 s for each parser of the data plane.
PARSERS := fuzz_h1_request fuzz_h1_response fuzz_chunked fuzz_openai_scan fuzz_openai_request fuzz_answer_scan \
	fuzz_conversation fuzz_sse fuzz_route_match fuzz_prometheus_parse fuzz_engine_metrics fuzz_metric_names
fuzz:
	@tools/deps.sh lint
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz -j $(JOBS) $(if $(FUZZERS),--target $(FUZZERS))
	@JOBS=$(JOBS) tools/fuzz.sh $(BUILD)/fuzz/fuzz $(FUZZ_SECONDS) $(FUZZERS)

fuzz-quick:
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=20 FUZZERS="$(PARSERS)"

lint: deps
	@tools/deps.sh lint
	@cmake --preset dev >/dev/null
	@python3 tests/lint/check_layers.py $(BUILD)/dev/layers.txt
	@python3 tests/lint/check_headers.py
	@python3 tests/lint/check_text.py
	@python3 tests/lint/check_docs.py
	@tools/lint.sh $(BUILD)/dev

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: optimized
	@cmake --install $(BUILD)/optimized --prefix $(PREFIX)

clean:
	@rm -rf $(BUILD)
