"""From another machine of the network: opens a box's page by TLS; ``look_at_page.py ADDRESS NAME CA``.

Says what the page answered, or ``refused`` and why.
"""

import http.client
import socket
import ssl
import sys

address, name, authority = sys.argv[1:]


class Page(http.client.HTTPSConnection):
    def connect(self) -> None:
        plain = socket.create_connection((address, 443), 60)
        self.sock = ssl.create_default_context(cafile=authority).wrap_socket(plain, server_hostname=name)


try:
    page = Page(name, timeout=60)
    page.request("GET", "/")
    print(page.getresponse().status)
except (OSError, http.client.HTTPException) as problem:
    print("refused", getattr(problem, "verify_message", "") or problem)
