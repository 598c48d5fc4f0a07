"""The API, called by somebody: every address in its URLs, by GET and by POST."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from entries.models import Attempt, Source
from retry.api.http.throttle import unknown_tokens
from retry.models import Operation, Run
from tests.api import walking
from tests.api.calls import Caller
from tests.factories.entries import EntryFactory
from tests.walk import traces
from tests.walk.words import Visit

_CONVERTED = re.compile(r"<\w+:(\w+?)(?:_id)?>")


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    method: str

    @property
    def label(self) -> str:
        if self.name == "nothing":
            return "`<anything else>`"
        path = _CONVERTED.sub(r"<\1>", str(walking.patterns()[self.name].pattern))
        return f"`{path}`"


def calls() -> list[Call]:
    return [Call(name, method) for name in walking.patterns() for method in ("GET", "POST")]


def _paused() -> object:
    return Operation.objects.filter(pk=walking.OPERATION).update(
        state="paused", pause_cause="person"
    )


def _awaiting() -> object:
    return Operation.objects.filter(pk=walking.OPERATION).update(state="awaiting_approval")


#: Name of an address -> makes it so that it would do something.
BEFORE: dict[str, Callable[[], object]] = {
    **walking.BEFORE,
    "resume": _paused,
    "approve": _awaiting,
    "reject": _awaiting,
}


def furnish() -> Source:
    """Once for all callers: what every call would find something to do with; returns its source."""
    source = walking.furnish().source
    assert source is not None
    EntryFactory.create(id=walking.FAR + 1, scheduled=True, source=source)
    EntryFactory.create(id=walking.FAR + 2, discarded=True, source=source)
    run = Run.objects.create(
        operation_id=walking.OPERATION,
        trigger="retry",
        actor_label="somebody",
        kind="page",
        source=source,
        queue="default",
        entry_ids=[walking.ENTRY],
        size=1,
        state="finished",
        failed=1,
    )
    Attempt.objects.filter(entry_id=walking.ENTRY).update(run_id=run.pk)
    return source


def walk(caller: Caller) -> "Iterator[tuple[Call, Visit]]":
    """Make every call, each from the same beginning."""
    caller.get("status")  # a token's use is noted, once a minute
    start = traces.everything()
    for call in calls():
        with traces.undone():
            since = traces.observed(start, prepare=BEFORE.get(call.name))
            answer = _answer(call, caller)
            trace = since()
        unknown_tokens.clear()
        yield call, Visit.of(answer, name=call.name, method=call.method, trace=trace)


def _answer(call: Call, caller: Caller) -> Any:
    path = "nowhere" if call.name == "nothing" else walking.path_of(call.name)
    if call.method == "GET":
        return caller.get(path)
    body = walking.BODIES.get(call.name) or walking.ALSO_WRITTEN.get(call.name) or {}
    return caller.send("POST", path, json.dumps(body).encode())
