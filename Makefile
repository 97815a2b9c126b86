# Thin: CMake does the work (CMakePresets.json). `make` lists what there is.
.PHONY: help dev release test unit functional lint fuzz soak bench fmt clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: ## debug build with costly checks
	cmake --preset dev && cmake --build build/dev

release: ## optimised and hardened build
	cmake --preset release && cmake --build build/release

test: ## everything that contrib/test does; t=WORD: only names with that word
	contrib/test --only=$(t)

unit: dev ## unit tests of the debug build; t=WORD
	tests/run.py --build=build/dev --kinds=unit --only=$(t)

functional: dev ## functional tests of the debug build; t=WORD
	tests/run.py --build=build/dev --kinds=functional --only=$(t)

lint: ## every lint
	tools/lint/run

fuzz: ## each harness for s=SECONDS (60)
	cmake --preset fuzz && cmake --build build/fuzz
	tests/run.py --kinds=fuzz --fuzz-build=build/fuzz --fuzz-seconds=$(or $(s),60) --only=$(t)

soak: ## the long tests
	contrib/soak

bench: release ## speed of import and start
	tests/bench/run && tests/bench/startup

fmt: ## format all C files
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean: ## remove build/
	rm -rf build
