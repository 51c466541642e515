#!/bin/sh
# In the builder: Sotto, as pip installs it into the guest's /opt/sotto, as an archive to unpack there.
set -eu
rm -rf /tmp/source && mkdir /tmp/source && cd /source
cp -r device provisioning pyproject.toml README.md LICENSE /tmp/source/
/opt/sotto/bin/pip --quiet --no-input --disable-pip-version-check install --no-index --no-deps --no-build-isolation \
    --ignore-installed --no-warn-script-location --root /tmp/root --prefix /opt/sotto /tmp/source
tar -C /tmp/root -czf /out/sotto.tar.gz .
rm -rf /tmp/source /tmp/root
