"""``python -m bench.slow_server --port N --seconds S``: answers every request after so long.

The work that entries wait for, the same for Redrive and its peers.
"""

import argparse
import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tools.http_server import HOST, Answer, listen, serve

_PAGE = b"<!doctype html><title>A page</title><p>" + b"It took a while. " * 30


@contextmanager
def run_server(seconds: float) -> Iterator[str]:
    """Run the server in a process of its own; yield its address."""
    from bench.processes import run, wait_until

    with listen(0) as probe:
        port = probe.getsockname()[1]
    words = ("--port", str(port), "--seconds", str(seconds))
    with run([sys.executable, "-m", "bench.slow_server", *words]):
        wait_until(lambda: _answers(port), seconds=20)
        yield f"http://{HOST}:{port}/"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.slow_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0.1)
    options = parser.parse_args()
    answer = Answer(body=_PAGE, after=options.seconds)
    asyncio.run(serve(lambda _request: answer, listen(options.port)))


if __name__ == "__main__":
    main()
