# Everything runs from a fresh checkout: .ci/setup looks first, and installs what is missing.
.PHONY: help demo test lint types lock bench bench-record bench-press bench-recovery bench-sync bench-page bench-reader fleet fleet-desk soak kill crash sync-faults appliance \
	appliance-soak appliance-way deb deb-check update clean setup-run setup-test setup-appliance setup-deb
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 26

demo: setup-run ## a whole session, played without hardware (more words for it in DEMO=…)
	@.venv/bin/sotto demo $(DEMO)

test: setup-test lint types ## linters, types, and every test (pytest's own words in PYTEST=…)
	@for fetch in tests/tools/fetch-*; do [ ! -x "$$fetch" ] || "$$fetch" >/dev/null || exit 1; done
	@$(PYTHON) -m pytest $(PYTEST)

lint: setup-test ## ruff: style and format
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

types: setup-test ## mypy --strict over device and provisioning
	@$(PYTHON) -m mypy

lock: setup-test ## write both lock files from pyproject.toml (LOCK=--upgrade: newest of everything)
	@.ci/lock $(LOCK)

bench: setup-test ## what it all costs, beside what one would otherwise use; ten minutes, into docs/performance.md (BENCH='--short --rows live,batch')
	@for fetch in age ceph nginx pulseaudio; do tests/tools/fetch-$$fetch >/dev/null || exit 1; done
	@$(PYTHON) -m tests.bench $(BENCH)

bench-record: setup-test ## the short form of that RUNS=10 times: by this record the tests see what became worse
	@$(PYTHON) -m tests.bench --record $(or $(RUNS),10)

bench-press: setup-test ## how long a press takes: RECORD to the first sound, CONSENT to the devices closed
	@tests/tools/fetch-pulseaudio >/dev/null
	@$(PYTHON) -m tests.bench_press $(BENCH)

bench-recovery: setup-test ## what it takes to close a recording of 1 GB after a power cut
	@$(PYTHON) -m tests.bench_recovery $(BENCH)

bench-sync: setup-test ## how fast a recording is sent, beside OpenSSH's sftp and rclone (BENCH='--size-mb 200 --pairs 3')
	@tests/tools/fetch-ceph >/dev/null
	@$(PYTHON) -m tests.bench_sync $(BENCH)

bench-page: setup-test ## how fast a recording is downloaded and 2 000 are listed, beside nginx alone (BENCH='--size-mb 200 --pairs 3')
	@$(PYTHON) -m tests.bench_page $(BENCH)

bench-reader: setup-test ## how soon the last ten minutes of an hour are heard in the reader, beside a full download
	@tests/tools/fetch-nginx >/dev/null
	@$(PYTHON) -m tests.bench_reader $(BENCH)

fleet-desk: setup-test ## orders from a clinic's desk to two whole boxes, and all that can go wrong with them (minutes)
	@tests/tools/fetch-nginx >/dev/null
	@$(PYTHON) -m pytest tests/provisioning/test_fleet_whole.py --desk-long $(PYTEST)

soak: setup-test ## record for hours (HOURS=1) and look for anything that grows or drifts
	@$(PYTHON) tests/soak.py --hours $(or $(HOURS),1)

fleet: setup-test ## BOXES=1000 boxes over a real cluster: an evening, an outage, kills, no room (FLEET=…: its own words)
	@tests/tools/fetch-ceph >/dev/null
	@$(PYTHON) -m tests.fleet --boxes $(or $(BOXES),1000) $(FLEET)

kill: setup-test ## 100 recordings and erasures ended by kill -9; every one must open, or be gone; and 50 of a sender of 1 GB
	@$(PYTHON) -m pytest tests/test_kill.py tests/test_erasing.py -k killed --rounds 100
	@$(PYTHON) -m pytest tests/remote/test_killed.py --rounds 50 -s

sync-faults: setup-test ## a whole box in every trouble: 1 GB sent through 50 kills, a session beside it, and links that lose packets (half an hour)
	@tests/tools/fetch-ceph >/dev/null
	@$(PYTHON) -m pytest tests/sync_faults --rounds 50 --sync-mb 1000 --sync-long $(PYTEST)

crash: setup-test ## 100000 states of a disk that lost its power (STATES=…), and every call of the store failing once
	@$(PYTHON) -m pytest tests/crash --states $(or $(STATES),100000) $(PYTEST)

appliance: setup-appliance ## a box in an emulator, pressed, unplugged and cut off (as root; FULL=1: reboots and long windows too; ARCH=arm64: on aarch64)
	@SOTTO_APPLIANCE=$(if $(FULL),full,1) $(PYTHON) -m pytest tests/appliance $(PYTEST)

deb: setup-deb ## the Debian package of a box, in dist/ (as root; ARCH=arm64 for a Raspberry Pi)
	@$(PYTHON) deb/build.py --arch $(or $(ARCH),amd64)

update: deb ## an update's image of that package, in dist/ (as root; ARCH=arm64); `sotto-clinic update make` signs it
	@$(PYTHON) -m deb.image dist/sotto_$$($(PYTHON) -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])')_$(or $(ARCH),amd64).deb

deb-check: setup-deb ## that package in a Debian trixie: installed, looked through, and purged (as root)
	@SOTTO_DEB=1 $(PYTHON) -m pytest tests/deb $(PYTEST)

appliance-soak: setup-appliance ## record for long in that box (SOAK=1h, SOAK=5m) and look for any sound that is missing
	@$(PYTHON) -m tests.appliance.soak --for $(or $(SOAK),1h)

appliance-way: setup-appliance ## the whole way in that emulator: a stock card becomes a box, and its supervisor hears a session (as root)
	@SOTTO_APPLIANCE=way $(PYTHON) -m pytest tests/appliance $(PYTEST)

clean: ## remove .venv and all that was built
	rm -rf .venv .cache build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find device provisioning tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup-run:
	@.ci/setup run

setup-appliance:
	@.ci/setup appliance

setup-deb:
	@.ci/setup deb

setup-test:
	@.ci/setup test
