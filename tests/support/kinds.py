"""Kinds for tests, each does what its payload says; and a kind of source that is a file."""

import asyncio
import ctypes
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import httpx
from django.db import connection, connections, transaction

from entries.errors import PermanentError, SourceError, TransientError
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.registry import register
from entries.models import Attempt
from entries.sources import registry as sources
from entries.sources.base import Reading, SourceItem, SourceKind, SourceSpec


@register
class Scripted(Kind):
    """``do``: succeed, fail, transient, permanent, hang, exit, die. ``ledger``: a file that gets a
    line ``<entry id> <attempt>`` for every execution; ``wait_for``: a file to wait for first;
    ``nap``: seconds that it takes.
    """

    name = "scripted"
    description = "For tests."
    time_limit = 2.0

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        payload = entry.payload
        if "ledger" in payload:
            descriptor = os.open(payload["ledger"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(descriptor, f"{entry.id} {attempt.number} {os.getpid()}\n".encode())
            os.close(descriptor)
        if "wait_for" in payload:
            while not Path(payload["wait_for"]).exists():
                time.sleep(0.01)
        time.sleep(payload.get("nap", 0.0))
        return self.act(payload, attempt)

    def act(self, payload: Mapping[str, Any], attempt: AttemptData) -> Mapping[str, Any]:
        action = payload.get("do", "succeed")
        if action == "fail":
            raise RuntimeError(payload.get("message", "it broke"))
        if action == "transient":
            raise TransientError(payload.get("message", "HTTP 503"))
        if action == "permanent":
            raise PermanentError(payload.get("message", "HTTP 404"))
        if action == "hang":
            while True:
                time.sleep(0.05)
        if action == "exit":
            raise SystemExit(3)
        if action == "die":
            os.kill(os.getpid(), 9)
        return {"did": action, "attempt": attempt.number}


@register
class Patient(Scripted):
    """As ``scripted``, without being hurried."""

    name = "patient"
    time_limit = 60.0
    group_size = 1


@register
class Persistent(Scripted):
    """As ``scripted``, with automatic retries that come at once."""

    name = "persistent"
    retry_policy: ClassVar = RetryPolicy(limit=2, first_delay=0.0)


@register
class Grouped(Scripted):
    """As ``scripted``, claimed and finished five at a time."""

    name = "grouped"
    group_size = 5
    run_size = 10


@register
class Swift(Scripted):
    """As ``scripted``, hundreds at a time: for stories with thousands of entries."""

    name = "swift"
    group_size = 200
    run_size = 500
    breaker = None


@register
class Routed(Scripted):
    """As ``scripted``, and depends on what the payload names as ``to``."""

    name = "routed"
    group_size = 5
    run_size = 10

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        if payload.get("to") == "raise":
            raise KeyError("to")
        to: str = payload.get("to", source or "")
        return to


@register
class Telling(Scripted):
    """As ``scripted``, and the result tells what the kind was told of the attempt."""

    name = "telling"

    def act(self, payload: Mapping[str, Any], attempt: AttemptData) -> Mapping[str, Any]:
        super().act(payload, attempt)
        return {"page": payload.get("page"), "rescan": attempt.is_rescan, "change": attempt.change}


@register
class TellingFailure(Kind):
    """Fails, and says what it knows."""

    name = "telling_failure"
    description = "For tests."

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        raise TransientError("HTTP 503", result={"response": {"status": 503}})


@sources.register
class Shelf(SourceKind):
    """A JSON file ``{id: payload}``; each reading leaves a line in the file beside it."""

    name = "shelf"
    description = "For tests."

    def read(self, spec: SourceSpec) -> Reading:
        file = Path(spec.location)
        with file.with_suffix(".readings").open("a") as readings:
            readings.write("read\n")
        if not file.exists():
            raise SourceError("unreachable", f"nothing is at {file.name}")
        found = json.loads(file.read_text())
        return Reading(_items(found), total=len(found))


def _items(found: Mapping[str, Any]) -> Iterator[SourceItem]:
    for external_id, payload in found.items():
        yield SourceItem(external_id, payload.get("title", external_id), payload)


@register
class Calling(Kind):
    """Asks ``url`` and takes any answer but 200 for a passing fault; all its waits are short."""

    name = "calling"
    description = "For tests."
    time_limit = 10.0
    retry_policy: ClassVar = RetryPolicy(limit=6, first_delay=0.2, factor=2.0, cap=2.0)
    breaker: ClassVar = Breaker(first_probe=0.3, factor=1.5, cap=1.0)

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        answer = httpx.get(f"{entry.payload['url']}?entry={entry.id}")
        if answer.status_code != 200:
            raise TransientError(f"HTTP {answer.status_code}")
        return None


class OwnError(BaseException):
    """As a library's that wants to pass every ``except Exception``."""


_RAISED: Mapping[str, type[BaseException]] = {
    "interrupt": KeyboardInterrupt,
    "cancel": asyncio.CancelledError,
    "close": GeneratorExit,
    "own": OwnError,
}
_STATEMENTS = {
    "query": "SELECT 1",
    "begin": "BEGIN",
    "set": "SET statement_timeout = '7s'",
    "hurry": "SET statement_timeout = '1ms'",
    "lock": "SELECT pg_advisory_lock(7)",
    "table": "CREATE TEMPORARY TABLE left_over (id int)",
    "write": "BEGIN; DELETE FROM entries_attempt",
}


@register
class Hostile(Scripted):
    """As ``scripted``, and ``do`` may be what nobody should.

    ``block``, ``block_all``: wait in C for ever, the second with Python's own lock in hand;
    ``swallow``: catch whatever interrupts it. The names of exceptions, and of what can be left
    behind on a connection.
    """

    name = "hostile"
    time_limit = 1.0
    run_size = 50

    def act(self, payload: Mapping[str, Any], attempt: AttemptData) -> Mapping[str, Any]:
        action = str(payload.get("do", "succeed"))
        if action in {"block", "block_all"}:
            _deadlock(ctypes.CDLL(None) if action == "block" else ctypes.PyDLL(None))
        while action == "swallow":
            with suppress(BaseException):
                time.sleep(0.05)
        if action in _RAISED:
            raise _RAISED[action]("from within")
        if action in _STATEMENTS:
            with connection.cursor() as cursor:
                cursor.execute(_STATEMENTS[action])
        if action == "atomic":
            transaction.atomic().__enter__()
        if action == "manual":
            transaction.set_autocommit(False)
        _disturb(action)
        if action == "limits":
            with connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                return {"limit": cursor.fetchone()[0]}
        return super().act(payload, attempt)


@register
class HostileTogether(Hostile):
    """As ``hostile``, claimed and finished in groups."""

    name = "hostile_together"
    group_size = 50


@register
class SideBySide(Hostile):
    """As ``hostile``, 32 at once and 4 of those that the payload sends ``to`` the same place."""

    name = "side_by_side"
    concurrency = 32
    upstream_concurrency = 4
    run_size = 100

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        return str(payload.get("to", ""))


@register
class PatientSideBySide(SideBySide):
    """As ``side_by_side``, without being hurried."""

    name = "patient_side_by_side"
    time_limit = 60.0


@register
class Asking(Scripted):
    """Its result is what the database says of its attempts."""

    name = "asking"

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        attempts = Attempt.objects.filter(entry_id=entry.id, number__gt=1).order_by("number")
        return {"began": list(attempts.values_list("began", flat=True))}


def _disturb(action: str) -> None:
    if action == "log":
        logging.getLogger("chatty").warning("hello")
    if action == "close_all":
        connections.close_all()
    if action == "set_and_close":
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENTS["set"])
        connection.close()


def _deadlock(library: Any) -> None:
    """Locking a mutex twice waits for ever, and no signal interrupts that."""
    mutex = ctypes.create_string_buffer(128)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
