#!/bin/sh
# In the builder: /opt/sotto as a box gets it: a venv beside Debian's own packages, filled from lock files with hashes.
set -eu
python3 -m venv --clear --system-site-packages /opt/sotto
pip() { /opt/sotto/bin/pip --quiet --no-input --no-cache-dir --disable-pip-version-check "$@"; }
pip install --require-hashes --only-binary :all: -r /requirements.lock
# lgpio and pyalsaaudio have no wheels for Debian's Python; they are built with the setuptools of the lock.
# PYPI=1 is lgpio's own word for "with its C library inside".
export PYPI=1
pip install --require-hashes --no-build-isolation -r /hardware.lock
mv /opt/sotto /out/sotto
