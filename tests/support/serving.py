"""The server of demo and measurements, in a thread of the test."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tools.http_server import Handler, serve


@contextmanager
def served(handler: Handler, listener: socket.socket) -> Iterator[int]:
    """Serve inside the block; yields the port. The listener is closed at the end."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(handler, listener))

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        listener.close()
        loop.close()
