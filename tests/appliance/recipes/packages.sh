#!/bin/sh
# In the builder: Sotto's package, and those it needs that the stock card's Debian has not, as its own apt tells
# (docs/card.md). Nothing is installed here.
set -eu
apt-get update -q
cp /package/sotto_*.deb /out
mkdir -p /tmp/archives/partial
# shellcheck disable=SC2086 # nothing, or one word
apt-get -q --yes --no-install-recommends --download-only ${ARCH:+-o APT::Architecture=$ARCH} \
    -o Dir::State::status=/stock/var/lib/dpkg/status -o Dir::Cache::archives=/tmp/archives install /out/sotto_*.deb
cp /tmp/archives/*.deb /out/
rm -rf /tmp/archives
