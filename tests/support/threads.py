"""Calls at the same moment, each in a thread with a connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


def run_together(*acts: Callable[[], object]) -> None:
    """Run each in a thread of its own; what one of them raises is raised here."""

    def call(act: Callable[[], object]) -> None:
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        for future in [pool.submit(call, act) for act in acts]:
            future.result()
