"""Failures reported to Sentry, grouped as error groups are.

With a client of its own: what a project has set up with ``sentry_sdk.init`` stays as it is.
"""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from entries.tracebacks import is_library
from entries.transitions import Outcome
from retry.signals import entries_failed

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event

#: Entries that an event names.
_MOST_ENTRIES = 10
_MOST_FRAMES = 100
#: How long Sentry may take to accept the events of a batch.
_FLUSH_SECONDS = 2.0
_START = "Traceback (most recent call last):\n"
_FRAME = re.compile(
    r'^[ |+]*File "(?P<file>[^"\n]*)", line (?P<line>\d+), in (?P<function>.*)'
    r"(?:\n[ |]{4,}(?P<code>\S.*))?",
    re.MULTILINE,
)


def connect() -> None:
    """Report what fails from now on. Raises ``ImproperlyConfigured`` without the package."""
    if find_spec("sentry_sdk") is None:
        raise ImproperlyConfigured(
            "REDRIVE_SENTRY_DSN needs the package sentry-sdk: pip install 'redrive[sentry]'"
        )
    entries_failed.connect(report, dispatch_uid="redrive.sentry")


def report(
    *,
    kind: str,
    run_id: UUID,
    operation_id: UUID | None,
    outcomes: Sequence[Outcome],
    **_: Any,
) -> None:
    """Send an event for each error group among a batch: thousands that fail alike are one."""
    alike: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.error is not None:
            alike[outcome.error.fingerprint].append(outcome)
    client = _get_client(settings.REDRIVE_SENTRY_DSN, os.getpid())
    where = {"run": str(run_id), "operation": str(operation_id) if operation_id else None}
    for found in alike.values():
        client.capture_event(_build_event(found, kind=kind, where=where))
    client.flush(timeout=_FLUSH_SECONDS)  # a work-horse may end now


@lru_cache(maxsize=1)
def _get_client(dsn: str, _pid: int) -> "Client":
    # Imported where it is needed: the package is an extra. A process of its own has its own client.
    from sentry_sdk import Client

    return Client(
        dsn=dsn,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
    )


def _build_event(alike: Sequence[Outcome], *, kind: str, where: Mapping[str, Any]) -> "Event":
    first = alike[0]
    error = first.error
    if error is None:
        raise ValueError("only failures are reported")
    tags = {"kind": kind, "fingerprint": error.fingerprint, "upstream": first.upstream}
    return {
        "level": "error",
        "logger": "redrive",
        "platform": "python",
        "transaction": kind,
        "fingerprint": ["redrive", error.fingerprint],
        "tags": {name: value for name, value in tags.items() if value},
        "contexts": {
            "redrive": {
                **where,
                "count": len(alike),
                "entries": [outcome.entry_id for outcome in alike[:_MOST_ENTRIES]],
            }
        },
        "exception": {
            "values": [
                {
                    "type": error.error_class,
                    "value": error.message,
                    "mechanism": {"type": "redrive", "handled": True},
                    "stacktrace": {"frames": list(_read_frames(error.traceback))},
                }
            ]
        },
    }


def _read_frames(traceback: str) -> list[dict[str, Any]]:
    """Read the frames of a stored traceback: of a chain of errors those of the last one."""
    frames = [
        {
            "filename": frame["file"],
            "abs_path": frame["file"],
            "lineno": int(frame["line"]),
            "function": frame["function"],
            "context_line": frame["code"],
            "in_app": not is_library(frame["file"]),
        }
        for frame in _FRAME.finditer(traceback.rpartition(_START)[2])
    ]
    return frames[-_MOST_FRAMES:]
