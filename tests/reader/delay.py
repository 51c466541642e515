"""A way to a box that takes time: what goes in comes out so much later, in order, and is counted.

The kernel here cannot delay packets, so this does: everything that is sent, each way. A connection that is new costs a
round trip more before anything gets through it, as TCP's handshake does. How TCP begins slowly is not imitated.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
_PIECE_BYTES: Final = 1 << 16
_MOST_UNDER_WAY: Final = 1024  # 64 MiB, far more than is ever under way on such a link


@dataclass
class Way:
    """``port``: where it begins; ``back_bytes``: how much came back so far; ``connections``: how many there were."""

    port: int = 0
    back_bytes: int = 0
    connections: int = 0


@contextmanager
def delayed(to_port: int, *, each_way_s: float) -> Iterator[Way]:  # noqa: C901  # its parts are functions of its own
    """A way to a port of this computer."""
    way, loop, ready = Way(), asyncio.new_event_loop(), threading.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first_s: float, back: bool) -> None:
        sent: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_UNDER_WAY)
        opens_s = loop.time() + first_s

        async def take() -> None:
            data = b"begun"
            while data:
                try:
                    data = await reader.read(_PIECE_BYTES)
                except ConnectionError:
                    data = b""  # whoever sent hung up, which ends it as well
                await sent.put((max(loop.time(), opens_s) + each_way_s, data))

        taking = loop.create_task(take())
        with suppress(ConnectionError):
            while True:
                at_s, data = await sent.get()
                await asyncio.sleep(at_s - loop.time())
                if not data:
                    break
                if back:
                    way.back_bytes += len(data)
                writer.write(data)
                await writer.drain()
        taking.cancel()
        writer.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way.connections += 1
        there_reader, there_writer = await asyncio.open_connection(HOST, to_port)
        await asyncio.gather(
            carry(reader, there_writer, first_s=2 * each_way_s, back=False),
            carry(there_reader, writer, first_s=0, back=True),
        )

    async def stand() -> None:
        server = await asyncio.start_server(meet, HOST, 0, limit=1 << 20)
        way.port = server.sockets[0].getsockname()[1]
        ready.set()

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(stand(), loop).result(30)
    assert ready.is_set()
    try:
        yield way
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
