"""Says which versions of TLS a server at this computer's port 443 speaks, and what it answers to words in plain."""

from __future__ import annotations

import socket
import ssl
import sys
import warnings

PLACE = ("127.0.0.1", 443)
warnings.simplefilter("ignore", DeprecationWarning)  # of the old versions, which are what is tried

for version in list(ssl.TLSVersion):
    if version < 0:
        continue
    context = ssl.create_default_context(cafile=sys.argv[1])
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(PLACE, timeout=60) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=PLACE[0]) as secured:
                print(secured.version())
        except (ssl.SSLError, ConnectionError):
            continue
with socket.create_connection(PLACE, timeout=60) as plain:
    plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    print("plain:", plain.recv(64).split(b"\r\n")[0].decode())
