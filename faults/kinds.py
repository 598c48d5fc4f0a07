"""Kinds that do what their payload says, and note it in the ledger."""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from django.db import connection, transaction

from entries.errors import TransientError
from entries.kinds.base import AttemptData, EntryData, Kind, RetryPolicy
from entries.kinds.registry import register
from faults import ledger


class Interruption(BaseException):
    """Stands for a library's own exception to stop."""


def _block_in_c() -> None:
    ctypes.CDLL(None).sleep(600)


def _hold_the_gil() -> None:
    ctypes.PyDLL(None).sleep(600)


def _swallow_exceptions() -> None:
    while True:
        with suppress(BaseException):
            time.sleep(0.05)


def _leave_a_transaction() -> None:
    transaction.atomic().__enter__()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM entries_entry")


def _leave_autocommit_off() -> None:
    transaction.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _leave_settings() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1")
        cursor.execute("SET search_path = nowhere")


def _kill() -> None:
    os.kill(os.getpid(), 9)


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


ACTS: Mapping[str, Callable[[], None]] = {
    "block": _block_in_c,
    "gil": _hold_the_gil,
    "swallow": _swallow_exceptions,
    "transaction": _leave_a_transaction,
    "autocommit": _leave_autocommit_off,
    "settings": _leave_settings,
    "kill": _kill,
    "keyboard": _raise(KeyboardInterrupt()),
    "cancelled": _raise(asyncio.CancelledError()),
    "generator": _raise(GeneratorExit()),
    "own": _raise(Interruption("stop")),
    "fail": _raise(RuntimeError("it broke")),
    "transient": _raise(TransientError("HTTP 503")),
}


class LedgerKind(Kind):
    """Payload: ``do`` is one of ``ACTS``, ``seconds`` how long it takes; else succeed at once."""

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        ledger.note("B", entry.id, attempt.number)
        if seconds := entry.payload.get("seconds"):
            time.sleep(seconds)
        if act := entry.payload.get("do"):
            ACTS[act]()
        ledger.note("E", entry.id, attempt.number)
        return None


@register
class SingleKind(LedgerKind):
    """Sets nothing about groups, like most kinds."""

    name: ClassVar[str] = "one"
    description = "For fault scenarios."
    time_limit = 3.0
    breaker = None


@register
class GroupKind(LedgerKind):
    name: ClassVar[str] = "grouped"
    description = "For fault scenarios."
    time_limit = 3.0
    run_size = 100
    group_size = 50
    breaker = None


@register
class UpstreamKind(LedgerKind):
    """Its upstream is ``to``; the upstream ``dead`` fails while the ledger's ``.down`` exists."""

    name: ClassVar[str] = "upstreamed"
    description = "For fault scenarios."
    time_limit = 3.0
    retry_policy: ClassVar = RetryPolicy(limit=50, first_delay=1.0, cap=5.0)

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        return str(payload.get("to", ""))

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        down = os.environ["FAULTS_LEDGER"] + ".down"
        if entry.payload.get("to") == "dead" and os.path.exists(down):  # noqa: PTH110
            raise TransientError("nothing listens")
        return super().process(entry, attempt)


@register
class SideBySideKind(UpstreamKind):
    """As ``upstreamed``, 32 at once and 16 of one upstream."""

    name: ClassVar[str] = "side_by_side"
    time_limit = 10.0
    concurrency = 32
    upstream_concurrency = 16
    run_size = 100
    breaker = None
