"""Requests at the JSON API that no script should send: no answer is ever a 5xx."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.db.models import Model

from entries.models import Entry
from retry.access import tokens
from retry.api import urls
from retry.models import ErrorGroup, Hold, Operation, Run, SavedView, Sync
from retry.outcomes import Actor
from tests.admin.walking import populate
from tests.api.calls import PREFIX, Caller
from tests.fuzz.values import NUMBERS, TEXTS, TIMES, Chaos, amount

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

#: What calls take, valid, to be spoilt.
BODIES: list[dict[str, Any]] = [
    {},
    {"entry_id": 1, "reason": "x"},
    {"entry_ids": [1, 2, 3], "dry_run": True},
    {"filter": {"status": "failed", "kind": "page", "source": "demo", "q": "x"}, "dry_run": True},
    {"filter": {"all": True}, "reason": "again", "rate_per_second": 5.0, "canary_size": 2},
    {"filter": {"failed_after": "2026-01-01T00:00:00Z", "fingerprint": "ab", "gone": "yes"}},
    {"filter": {"payload": {"url": "x", "links.0": 17}, "kind": "page"}, "dry_run": True},
    {"source": "demo", "only_if_changed": True},
    {"kind": "page", "entries": [{"external_id": "a", "title": "A", "payload": {"url": "x"}}]},
    {"kind": "page", "source": "demo", "entries": [{"external_id": "a"}, {"external_id": "a"}]},
    {"kind": "page", "reason": "down"},
    {"kind": "webhook", "upstream": "crm"},
    {"dry_run": True, "reason": "look"},
    {"overrule_canary": True},
    {"filter": {"ids": [1, 2], "external_id": "a"}, "repair": {"patch": [{"op": "test"}]}},
    {"entry_ids": [1], "repair": {"patch": [{"op": "add", "path": "/a", "value": 1}]}},
    {"seen": "a", "title": "A", "payload": {"url": "x"}},
    {"until": "2099-01-01T00:00:00Z", "above": 5, "reason": "x"},
    {"action": "resync", "canary_size": 2, "rate_per_second": 5.0},
    {"owner": "fuzz", "reason": "x"},
    {"name": "View", "filter": {"status": "failed"}, "shared": True},
    {"text": "x"},
]
#: What lists take, valid.
QUERY = {
    "status": "failed",
    "kind": "page",
    "source": "demo",
    "fingerprint": "ab",
    "error_class": "TimedOut",
    "q": "x",
    "failed_after": "2026-01-01T00:00:00Z",
    "failed_before": "2026-02-01T00:00:00Z",
    "gone": "yes",
    "limit": "5",
    "cursor": "1",
    "state": "running",
    "outcome": "failed",
    "upstream": "crm",
    "payload.url": "x",
    "payload.links.0": "17",
    "ids": "1,2",
    "external_id": "a",
    "updated_after": "2026-01-01T00:00:00Z",
    "verb": "retry",
    "channel": "api",
    "entry_id": "1",
    "run_id": "00000000-0000-0000-0000-000000000001",
    "wait": "0",
}
LISTS = (
    "payload.url",
    "status",
    "kind",
    "source",
    "fingerprint",
    "q",
    "failed_after",
    "failed_before",
    "limit",
)
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "multipart/form-data",
)
METHODS = (*["GET"] * 6, *["POST"] * 4, "PUT", "PATCH", "DELETE", "HEAD", "X")


@pytest.fixture
def caller(operator: "User") -> Caller:
    # Whose permissions are looked up for no request.
    operator.is_superuser = True
    operator.save()
    return Caller(token=tokens.create(operator, name="fuzz", actor=Actor.command("test")))


def path(chaos: Chaos) -> str:
    routes = [str(each.pattern) for each in urls.urlpatterns if each.name]
    route = chaos.random.choice([*routes, *["entries"] * 6, "retry/bulk", "resync", "operations"])
    known: dict[str, type[Model] | list[str]] = {
        "<uuid:operation_id>": Operation,
        "<int:entry_id>": Entry,
        "<slug:slug>": ["demo", "nope"],
        "<int:sync_id>": Sync,
        "<int:hold_id>": Hold,
        "<uuid:run_id>": Run,
        "<int:group_id>": ErrorGroup,
        "<int:view_id>": SavedView,
    }
    for placeholder, model in known.items():
        if placeholder in route:
            values = model if isinstance(model, list) else _list_ids(model)
            value = chaos.random.choice([*values, *values, 10**19, chaos.text()])
            route = route.replace(placeholder, str(value))
    return route.replace("^", "").replace("$", "")


def _list_ids(model: type[Model]) -> list[Any]:
    return list(model._default_manager.values_list("pk", flat=True)[:3])


def request(chaos: Chaos) -> dict[str, Any]:
    """What ``Caller.send`` takes."""
    method = chaos.random.choice(METHODS)
    body = b""
    if method in {"POST", "PUT", "PATCH"}:
        spoilt = chaos.mutate(chaos.random.choice(BODIES))
        body = json.dumps(spoilt).encode() if chaos.random.random() < 0.9 else chaos.bytes()
    headers = {}
    if chaos.random.random() < 0.2:
        headers["Idempotency-Key"] = chaos.random.choice(("k1", "k2", "", "x" * 101, "a b", "é"))
    return {
        "method": method,
        "path": path(chaos),
        "body": body,
        "content_type": chaos.random.choice(TYPES) if chaos.random.random() < 0.1 else TYPES[0],
        "headers": headers,
        "QUERY_STRING": query(chaos) if method == "GET" else "",
    }


def query(chaos: Chaos) -> str:
    """A few that are right, and one of them spoilt."""
    names = chaos.random.sample(LISTS if chaos.random.random() < 0.7 else [*QUERY], chaos.few())
    chosen: dict[str, Any] = {name: QUERY[name] for name in names}
    if chosen and chaos.random.random() < 0.8:
        name = chaos.random.choice(names)
        chosen[name] = chaos.value(name)
    if chaos.random.random() < 0.1:
        chosen[chaos.text()] = chaos.text()
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in chosen.items())


def _quoted(value: Any) -> str:
    return quote(str(value).encode("utf-8", "surrogatepass"))


def test_nothing_at_the_api_is_a_5xx(caller: Caller) -> None:
    populate()
    chaos = Chaos()
    wrong = []
    for _ in range(amount(900)):
        sent = request(chaos)
        sent["path"] = sent["path"].encode("utf-8", "replace").decode()
        answer = caller.send(**sent)
        if answer.status_code >= 500:
            wrong.append((answer.status_code, sent))
    assert not wrong, f"{len(wrong)} under {PREFIX}, such as {wrong[:5]}"


def test_no_single_value_of_a_list_or_a_filter_is_a_5xx(caller: Caller) -> None:
    """Each criterion by itself with each value: nothing else is wrong that would hide it."""
    populate()
    wrong = [
        (status, name, value)
        for shift, name in enumerate(QUERY)
        for number, value in enumerate((*TIMES, *NUMBERS, *TEXTS))
        for status in asked(caller, name, value, also_operation=(number + shift) % 3 == 0)
        if status >= 500
    ]
    assert not wrong


def asked(caller: Caller, name: str, value: str, *, also_operation: bool) -> list[int]:
    """Ask for a list and, for a third of the values, a dry run, which reads criteria alike."""
    whole, dot, path = name.partition(".")
    chosen = {whole: {path: value}} if dot else {name: value}
    body = json.dumps({"filter": chosen, "dry_run": True}).encode()
    found = [caller.send("GET", "entries", QUERY_STRING=f"{name}={_quoted(value)}")]
    if also_operation:
        found.append(caller.send("POST", "retry/bulk", body))
    return [answer.status_code for answer in found]
