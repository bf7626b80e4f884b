# Lambent: `make run` starts a server and shows it working; `make test` proves it. Both install what is missing first.
.DEFAULT_GOAL := build
.PHONY: build run test test-vm tidy unit dev tsan fuzz runtimes blackbox vm fresh chaos bench bench-compare lint format clean setup setup-tests

# build/release/lambent, and what the bench runs beside it. The unit tests are built when they run.
build: setup
	cmake --preset release
	cmake --build --preset release --target lambent runtime_loop provided_nop

# Serves http://127.0.0.1:4566 until Ctrl-C, after deploying and invoking examples/ with the AWS CLI.
run: build
	packaging/run

# Everything that must hold, in the order of tests/run; the last line counts. Single steps below.
test: setup-tests
	tests/run

tidy unit dev tsan fuzz runtimes blackbox vm: setup-tests
	tests/run $@

# Every test of the sandbox on Debian 12's own kernel with cgroup v2, under QEMU's software emulation; make test has a part of it.
test-vm: setup-tests
	cmake --preset release
	cmake --build --preset release --target sandbox_test
	tests/vm/run build/release/src/sandbox/sandbox_test --gtest_filter=-Speed.*:*speed*

# Both commands of the README in new Debian 12 and 13 roots made by mmdebstrap. Needs root; takes long.
fresh:
	tests/fresh bookworm trixie

# 10,000 environments, 100 kills -9 during 100,000 accepted events (of 101,000: some are not answered) and 1,000 power cuts, with the
# figures; make test has a quick part of it.
chaos: build
	cmake --build --preset release --target sandbox_test
	LAMBENT_CHAOS_ENVIRONMENTS=10000 build/release/src/sandbox/sandbox_test --gtest_filter='Environments.*'
	LAMBENT_CHAOS_KILLS=100 LAMBENT_CHAOS_EVENTS=101000 LAMBENT_CHAOS_SETTLE=3600 LAMBENT_CHAOS_CUTS=1000 LAMBENT_CHAOS_TIME_SCALE=20 \
	  build/venv/bin/python -m pytest \
	  -p no:cacheprovider -q -s tests/chaos

bench: build
	bench/run

# What got slower since another build: make bench-compare BASE=/path/of/an/older/lambent
bench-compare: build
	bench/run --compare $(BASE)

lint: build
	cmake --build --preset release
	/usr/bin/python3 tests/tidy.py
	git ls-files -z 'src/*.cc' 'src/*.h' 'bench/*.cc' | xargs -0 -r clang-format-19 --dry-run -Werror
	git ls-files -z 'src/*.cc' | xargs -0 -r -n 4 -P 2 clang-tidy-19 -p build/release --quiet

format:
	git ls-files -z 'src/*.cc' 'src/*.h' 'bench/*.cc' | xargs -0 -r clang-format-19 -i

setup:
	./setup

setup-tests:
	./setup --tests

clean:
	rm -rf build
