"""Calls at the same moment, each in a thread with a connection of its own."""

import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def all_at_once(act: Callable[[], T], *, times: int) -> list[T]:
    """What the calls returned, in the order in which they did."""
    got: list[T] = []
    together = threading.Barrier(times)

    def call() -> None:
        together.wait()
        try:
            got.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got
