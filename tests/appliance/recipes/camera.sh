#!/bin/sh
# In the builder: picamera2 added to /opt/sotto, with what lets it drive libcamera's virtual camera (../camera).
set -eu
rm -rf /opt/sotto && cp -a /python/sotto /opt/sotto
/opt/sotto/bin/pip --quiet --no-input --no-cache-dir --disable-pip-version-check install \
    --require-hashes --no-deps --no-build-isolation -r /recipes/camera.lock
site=$(echo /opt/sotto/lib/python3.*/site-packages)
cp /shim/*.py "$site"
sed -i '1i import virtual_camera' "$site/picamera2/__init__.py"
mv /opt/sotto /out/sotto
