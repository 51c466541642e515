"""Many boxes in one program: each a port of this computer that tells a desk how it is, by mutual TLS, and nothing else.

    python -m tests.bench.farm FOLDER N

FOLDER holds ``box.pem`` (key and certificate) and ``ca.crt``. It prints one JSON line, the port and the device key of
each, and then answers until its standard input ends. What they tell is one box's status; what is measured is the desk.
"""

from __future__ import annotations

import asyncio
import json
import resource
import ssl
import sys
from pathlib import Path
from typing import Final

from device.fleet_status import FleetStatus

HOST: Final = "127.0.0.1"
_AT: Final = "2026-03-02T10:00:00.000Z"
_FILES: Final = 8192


def status(number: int) -> FleetStatus:
    """How a box is that is well."""
    return FleetStatus(
        box=f"Room {number}",
        version="0.1.0",
        device_key=f"{number:016x}",
        at=_AT,
        state="idle",
        clock_trusted=True,
        faults=(),
        last_session=_AT,
        sounds=("good",) * 5,
        store_free_bytes=50_000_000_000,
        store_minutes_left=3000,
        certificate_days=300.0,
        sync=None,
        orders=(),
        numbers={},
    )


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytes) -> None:
    """One request, one answer."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
        writer.write(head.encode() + said)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass  # whoever asked hung up
    finally:
        writer.close()


async def stand(folder: Path, count: int) -> None:
    """Let them all stand until nobody needs them."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(folder / "box.pem")
    trust.load_verify_locations(folder / "ca.crt")
    trust.verify_mode = ssl.CERT_REQUIRED
    told = []
    servers = []
    for number in range(count):
        box = status(number)
        said = box.model_dump_json().encode()
        server = await asyncio.start_server(
            lambda reader, writer, said=said: answer(reader, writer, said), HOST, 0, ssl=trust
        )
        servers.append(server)
        told.append([server.sockets[0].getsockname()[1], box.device_key])
    print(json.dumps(told), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main(words: list[str]) -> int:
    """Be them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, hard), hard))
    asyncio.run(stand(Path(words[0]), int(words[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
