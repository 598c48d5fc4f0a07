"""``POST entries``: what may come, what it is told, and what it answers."""

import json
from typing import Any

import pytest

from entries.models import Entry
from retry.models import AuditEvent, Run
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db

ONE = {"external_id": "1", "payload": {}}


def body(**changes: Any) -> dict[str, Any]:
    return {"kind": "scripted", "entries": [ONE]} | changes


def test_one_of_each(api: Caller) -> None:
    SourceFactory.create(slug="orders", entry_kind="scripted")
    ok(api.post("entries", body(source="orders", entries=[ONE])), 202)
    source = Entry.objects.get().source
    failed = EntryFactory.create(failed=True, kind="scripted", external_id="2", source=source)
    running = EntryFactory.create(running=True, kind="scripted", external_id="3", source=source)
    sent = [
        {"external_id": "3", "payload": {"n": 3}},
        {"external_id": "4", "title": "Four", "payload": {"n": 4}},
        ONE,
        {"external_id": "2", "payload": {"n": 2}},
    ]
    said = ok(api.post("entries", {"source": "orders", "entries": sent, "reason": "again"}), 202)
    assert (said["queued"], said["dispatched"]) == (2, False), "the test's transaction is open"
    found = [
        (r["external_id"], r["outcome"], r["status"], r["attempt"], r["reason"])
        for r in said["results"]
    ]
    assert found == [
        ("3", "left_alone", "running", 1, "already_running"),
        ("4", "created", "queued", 1, None),
        ("1", "unchanged", "queued", 1, "already_queued"),
        ("2", "updated", "queued", 2, None),
    ]
    ids = [r["entry_id"] for r in said["results"]]
    assert (ids[0], ids[3]) == (running.pk, failed.pk)
    assert said["results"][0]["run_id"] is None
    run = Run.objects.get(pk=said["results"][1]["run_id"])
    assert (run.reason, run.actor_label, run.entry_ids) == (
        "again",
        "operator",
        sorted([ids[1], ids[3]]),
    )
    assert Entry.objects.get(external_id="4").title == "Four"
    assert AuditEvent.objects.filter(verb="submit", channel="api").count() == 2


WRONG: dict[str, tuple[Any, set[str]]] = {
    "a list": ([ONE], {"body"}),
    "nothing": ({}, {"entries"}),
    "no entries": (body(entries=[]), {"entries"}),
    "entries are an object": (body(entries={"a": ONE}), {"entries"}),
    "too many": (body(entries=[ONE] * 1001), {"entries"}),
    "an unknown field": (body(force=True), {"force"}),
    "an unknown field within": (body(entries=[ONE | {"status": "x"}]), {"entries.0.status"}),
    "no id": (body(entries=[{"payload": {}}]), {"entries.0.external_id"}),
    "an id that is a number": (
        body(entries=[{"external_id": 1, "payload": {}}]),
        {"entries.0.external_id"},
    ),
    "an empty id": (body(entries=[ONE | {"external_id": ""}]), {"entries.0.external_id"}),
    "a blank id": (body(entries=[ONE | {"external_id": " "}]), {"entries.0.external_id"}),
    "a long id": (body(entries=[ONE | {"external_id": "x" * 501}]), {"entries.0.external_id"}),
    "an id with NUL": (body(entries=[ONE | {"external_id": "\x00"}]), {"entries.0.external_id"}),
    "an id with escapes": (
        body(entries=[ONE | {"external_id": "\x1b"}]),
        {"entries.0.external_id"},
    ),
    "an id twice": (body(entries=[ONE, ONE]), {"entries.1.external_id"}),
    "a title that is null": (body(entries=[ONE | {"title": None}]), {"entries.0.title"}),
    "a long title": (body(entries=[ONE | {"title": "x" * 501}]), {"entries.0.title"}),
    "no payload": (body(entries=[{"external_id": "1"}]), {"entries.0.payload"}),
    "a payload that is text": (body(entries=[ONE | {"payload": "{}"}]), {"entries.0.payload"}),
    "a payload that is a list": (body(entries=[ONE | {"payload": []}]), {"entries.0.payload"}),
    "a payload with NUL": (
        body(entries=[ONE | {"payload": {"a": {"b": "\x00"}}}]),
        {"entries.0.payload"},
    ),
    "a large payload": (
        body(entries=[ONE | {"payload": {"a": "x" * 262_144}}]),
        {"entries.0.payload"},
    ),
    "a kind that is a number": (body(kind=1), {"kind"}),
    "an empty source": (body(source=""), {"source"}),
    "a reason that is null": (body(reason=None), {"reason"}),
    "many things": (
        body(kind="", entries=[{"external_id": "", "payload": 1}]),
        {"kind", "entries.0.external_id", "entries.0.payload"},
    ),
}


@pytest.mark.parametrize(("sent", "named"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_field_by_field(api: Caller, sent: Any, named: set[str]) -> None:
    assert fields(api.post("entries", sent)).keys() == named
    untouched()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b'{"kind": "scripted", "entries": [',
        b'{"kind": "scripted", "kind": "page", "entries": []}',
        b'{"kind": "scripted", "entries": [{"external_id": "1", "payload": {"a": NaN}}]}',
        b'{"kind": "scripted", "entries": [{"external_id": "\\ud800", "payload": {}}]}',
        b'{"kind": "scripted", "entries": [{"external_id": "1", "payload": {"a": "\\udfff"}}]}',
        b'{"kind": "scripted", "entries": [{"external_id": "1", "payload": {"a": "\xff"}}]}',
        b'{"entries": [{"external_id": "1", "payload": ' + b'{"a":' * 50_000,
    ],
    ids=[
        "empty",
        "words",
        "cut off",
        "twice",
        "NaN",
        "surrogate",
        "surrogate in payload",
        "bytes",
        "deep",
    ],
)
def test_what_is_not_json(api: Caller, raw: bytes) -> None:
    problem(api.send("POST", "entries", raw), 400, "malformed_json")
    untouched()


@pytest.mark.parametrize("depth", [60, 150])
def test_a_payload_that_is_nested_too_deeply(api: Caller, depth: int) -> None:
    payload = '{"a":' * depth + "1" + "}" * depth
    raw = f'{{"kind": "scripted", "entries": [{{"external_id": "1", "payload": {payload}}}]}}'
    assert "50 levels" in fields(api.send("POST", "entries", raw.encode()))["entries.0.payload"]
    untouched()


def test_unknown_kinds_and_sources(api: Caller) -> None:
    SourceFactory.create(slug="orders", entry_kind="nothing-like-it")
    found = problem(api.post("entries", body(kind="nothing")), 422, "unknown_kind")
    assert "scripted" in found["known"]
    problem(api.post("entries", body(kind="nothing", source="orders")), 422, "unknown_kind")
    neither = problem(api.post("entries", {"entries": [ONE]}), 422, "invalid_request")
    assert "give kind or source" in neither["errors"][0]["message"]
    problem(api.post("entries", {"entries": [ONE], "source": "orders"}), 422, "unknown_kind")
    problem(api.post("entries", body(source="nowhere")), 404, "source_not_found")
    untouched()


def test_ten_megabytes_are_read_and_eleven_are_not(api: Caller) -> None:
    filler = "x" * 200_000
    items = [{"external_id": str(n), "payload": {"filler": filler}} for n in range(49)]
    assert ok(api.post("entries", body(entries=items)), 202)["queued"] == 49
    items = [{"external_id": str(n), "payload": {"filler": filler}} for n in range(100, 155)]
    problem(api.post("entries", body(entries=items)), 413, "body_too_large")
    assert Entry.objects.count() == 49
    problem(api.send("POST", "retry", b" " * 1_000_001), 413, "body_too_large")


def test_whoever_may_not_is_told_before_the_body_is_read(reader: Any) -> None:
    problem(Caller(reader).send("POST", "entries", b"not json"), 403, "permission_denied")


def test_parameters_are_refused(api: Caller) -> None:
    assert fields(api.send("POST", "entries?dry_run=1", json.dumps(body()).encode())).keys() == {
        "dry_run"
    }
    untouched()


def test_a_thousand_at_once(api: Caller) -> None:
    items = [{"external_id": f"order {n}", "payload": {"n": n}} for n in range(1000)]
    said = ok(api.post("entries", body(entries=items)), 202)
    assert said["queued"] == 1000
    assert [r["external_id"] for r in said["results"]] == [i["external_id"] for i in items]
    again = ok(api.post("entries", body(entries=items)), 202)
    assert again["queued"] == 0
    assert {r["reason"] for r in again["results"]} == {"already_queued"}


def untouched() -> None:
    assert not Entry.objects.exists()
    assert not AuditEvent.objects.exists()
