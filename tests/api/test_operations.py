"""Bulk operations over JSON."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import Operation
from retry.worker import run_worker
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory
from tests.support.counting import slowed_down

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def failed(count: int, **payload: object) -> list[int]:
    made = EntryFactory.create_batch(count, failed=True, kind="grouped", payload=payload)
    return [entry.id for entry in made]


def finish() -> None:
    for _ in range(2):
        Dispatcher().tick()
        run_worker("bulk", burst=True)
    Dispatcher().tick()


def test_everything_behind_a_filter_is_retried_and_watched(api: Caller) -> None:
    failed(3)
    EntryFactory.create(succeeded=True)
    body = ok(api.post("retry/bulk", {"filter": {"status": "failed"}, "reason": "back"}), 202)
    operation = Operation.objects.get()
    assert body == {
        "operation_id": str(operation.pk),
        "state": "planned",
        "total": 3,
        "eligible": 3,
        "skipped": {},
        "exact": True,
        "progress_url": f"operations/{operation.pk}",
    }
    finish()
    found = ok(api.get(f"operations/{operation.pk}"))
    counts = ("total", "planned", "queued", "running", "succeeded", "failed", "cancelled")
    assert [found[name] for name in counts] == [3, 0, 0, 0, 3, 0, 0]
    assert (found["state"], found["actor"], found["reason"]) == ("completed", "operator", "back")
    assert found["selection"] == "status failed"
    assert found["finished_at"] is not None
    assert [row["operation_id"] for row in ok(api.get("operations"))["results"]] == [
        str(operation.pk)
    ]


def test_a_dry_run_says_the_same_numbers_and_changes_nothing(api: Caller) -> None:
    ids = failed(2)
    running = EntryFactory.create(running=True)
    body = ok(api.post("retry/bulk", {"entry_ids": [*ids, running.id, 10**12], "dry_run": True}))
    assert body == {
        "total": 4,
        "eligible": 2,
        "skipped": {"already_running": 1, "not_found": 1},
        "exact": True,
    }
    assert not Operation.objects.exists()


def test_what_could_not_be_counted_is_null(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """``total`` is at least so many before a start, and exact after it."""
    failed(12)
    unknown: dict[str, Any] = {"eligible": None, "skipped": {}, "exact": False}
    asked = {"filter": {"status": "failed"}}
    with slowed_down(monkeypatch, finding=0.05):
        assert ok(api.post("retry/bulk", asked | {"dry_run": True})) == {"total": 0, **unknown}
        body = ok(api.post("retry/bulk", asked), 202)
    assert {name: body[name] for name in ("total", *unknown)} == {"total": 12, **unknown}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"entry_ids": [1], "filter": {"all": True}}, "body"),
        ({"entry_ids": []}, "entry_ids"),
        ({"entry_ids": ["1"]}, "entry_ids.0"),
        ({"entry_ids": [10**30]}, "entry_ids.0"),
        ({"entry_ids": list(range(1, 10_002))}, "entry_ids"),
        ({"filter": {"statu": "failed"}}, "filter.statu"),
        ({"filter": {"status": "broken"}}, "filter.status"),
        ({"filter": {"kind": ""}}, "filter.kind"),
        ({"filter": {"q": "a\x00"}}, "filter.q"),
        ({"filter": {"failed_after": "yesterday"}}, "filter.failed_after"),
        ({"filter": {"failed_after": "2026-01-31T08:00:00"}}, "filter.failed_after"),
        ({"filter": {"all": True, "kind": "page"}}, "filter"),
        ({"filter": {"all": True, "payload": {"customer": 17}}}, "filter"),
        ({"filter": {"payload": {}}}, "filter.payload"),
        ({"filter": {"payload": "customer=17"}}, "filter.payload"),
        ({"filter": {"payload": {"a..b": 17}}}, "filter.payload.a..b"),
        ({"filter": {"payload": {"a": {"b": 17}}}}, "filter.payload.a"),
        ({"filter": {"payload": {"a": []}}}, "filter.payload.a"),
        ({"filter": {"payload": {"a": "x\x00"}}}, "filter.payload.a"),
        ({"filter": {"payload": {"a": 10**600}}}, "filter.payload.a"),
        ({"filter": {"payload.a": 17}}, "filter.payload.a"),
        ({"filter": {"all": True}, "rate_per_second": 0}, "rate_per_second"),
        ({"filter": {"all": True}, "canary_size": -1}, "canary_size"),
        ({"filter": {"all": True}, "max_failure_rate": 1.5}, "max_failure_rate"),
        ({"filter": {"all": True}, "pace": 1}, "pace"),
    ],
)
def test_a_malformed_request_is_refused_before_anything_is_created(
    api: Caller, body: dict[str, Any], field: str
) -> None:
    assert field in fields(api.post("retry/bulk", body))
    assert not Operation.objects.exists()


def test_values_in_the_payload_mean_what_they_are_in_json(api: Caller) -> None:
    (number,), (text,), (nothing,) = (failed(1, customer=value) for value in (17, "17", None))
    for value, wanted in (
        (17, [number]),
        (17.0, [number]),
        ("17", [text]),
        (None, [nothing]),
        ([17, "17"], [number, text]),
        (1, []),
    ):
        body = {"filter": {"status": "failed", "payload": {"customer": value}}}
        found = ok(api.post("retry/bulk", body | {"dry_run": True}), 200)
        assert (found["total"], found["eligible"]) == (len(wanted), len(wanted)), value
        made = ok(api.post("retry/bulk", body), 202)
        operation = Operation.objects.get(pk=made["operation_id"])
        assert [pk for run in operation.runs.all() for pk in run.entry_ids] == wanted, value


def test_every_verb_takes_a_filter_of_the_payload(api: Caller) -> None:
    failed(2, customer=17)
    failed(1, customer=18)
    body = {"filter": {"payload": {"customer": 17}}}
    for verb in ("retry/bulk", "retry/now", "retry/stop", "resync", "discard", "restore"):
        assert ok(api.post(verb, body | {"dry_run": True}), 200)["total"] == 2, verb


def test_an_empty_filter_must_say_that_everything_is_meant(api: Caller) -> None:
    failed(1)
    problem(api.post("retry/bulk", {"filter": {}}), 422, "empty_selection")
    problem(api.post("retry/bulk", {"filter": {"all": False}}), 422, "empty_selection")
    assert ok(api.post("retry/bulk", {"filter": {"all": True}}), 202)["total"] == 1


def test_the_same_idempotency_key_gives_the_same_operation(api: Caller) -> None:
    failed(1)
    body = b'{"filter": {"status": "failed"}}'
    answers = [
        ok(api.send("POST", "retry/bulk", body, headers={"Idempotency-Key": "night-1"}), 202)
        for _ in range(2)
    ]
    assert answers[0]["operation_id"] == answers[1]["operation_id"]
    assert Operation.objects.count() == 1
    wrong = api.send("POST", "retry/bulk", body, headers={"Idempotency-Key": "k" * 101})
    assert "Idempotency-Key" in fields(wrong)


def test_pause_resume_and_cancel(api: Caller) -> None:
    ids = failed(2)
    path = f"operations/{ok(api.post('retry/bulk', {'entry_ids': ids}), 202)['operation_id']}"
    paused = ok(api.post(f"{path}/pause", {"reason": "lunch"}))
    assert (paused["state"], paused["pause_reason"]) == ("paused", "lunch")
    assert ok(api.post(f"{path}/resume", {}))["state"] == "planned"
    assert ok(api.post(f"{path}/cancel", {}))["state"] == "cancelled"
    problem(api.post(f"{path}/resume", {}), 409, "operation_finished")
    assert set(Entry.objects.values_list("status", "attempt")) == {("failed", 1)}


def test_items_say_what_became_of_each_entry_page_by_page(api: Caller) -> None:
    good, bad = failed(2), failed(1, do="fail", message="still broken")
    running = EntryFactory.create(running=True)
    started = ok(api.post("retry/bulk", {"entry_ids": [*good, *bad, running.id]}), 202)
    path = f"operations/{started['operation_id']}"
    finish()
    first = ok(api.get(f"{path}/items", limit=3))
    rest = ok(api.get(f"{path}/items", limit=3, cursor=first["next_cursor"]))
    rows = {row["entry_id"]: row for row in first["results"] + rest["results"]}
    assert {id_: row["outcome"] for id_, row in rows.items()} == {
        good[0]: "succeeded",
        good[1]: "succeeded",
        bad[0]: "failed",
        running.id: "skipped",
    }
    assert rows[running.id]["reason"] == "already_running"
    assert rows[bad[0]]["error_message"] == "still broken"
    assert len(ok(api.get(f"{path}/items", outcome="failed"))["results"]) == 1
    assert "outcome" in fields(api.get(f"{path}/items", outcome="odd"))
    problem(api.get(f"{path}/items", cursor="odd"), 422, "invalid_cursor")
    again = ok(api.post(f"{path}/retry-failed", {"reason": "once more"}), 202)
    assert (again["total"], again["reason"]) == (1, "once more")


def test_discard_and_restore(api: Caller) -> None:
    ids = failed(2)
    ok(api.post("discard", {"entry_ids": ids, "reason": "spam"}), 202)
    finish()
    assert Entry.objects.filter(status="discarded").count() == 2
    ok(api.post("restore", {"filter": {"status": "discarded"}}), 202)
    finish()
    assert Entry.objects.filter(status="failed").count() == 2
    assert "rate_per_second" in fields(
        api.post("discard", {"entry_ids": ids, "rate_per_second": 1.0})
    )


def test_operations_come_in_pages(api: Caller) -> None:
    failed(1)
    for _ in range(3):
        ok(api.post("retry/bulk", {"filter": {"all": True}}), 202)
    first = ok(api.get("operations", limit=2))
    rest = ok(api.get("operations", limit=2, cursor=first["next_cursor"]))
    found = [row["operation_id"] for row in first["results"] + rest["results"]]
    newest = Operation.objects.order_by("-created_at").values_list("pk", flat=True)
    assert found == [str(pk) for pk in newest]
    assert rest["next_cursor"] is None
    assert ok(api.get("operations", state="paused"))["results"] == []
    second = list(Operation.objects.order_by("created_at"))[1].created_at.isoformat()
    after = ok(api.get("operations", created_after=second))["results"]
    before = ok(api.get("operations", created_before=second))["results"]
    assert [row["operation_id"] for row in after] == found[:2]
    assert [row["operation_id"] for row in before] == found[2:]
    assert "created_after" in fields(api.get("operations", created_after="today"))


def test_an_unknown_operation_is_not_found(api: Caller) -> None:
    for path in ("", "/items"):
        problem(api.get(f"operations/{uuid4()}{path}"), 404, "operation_not_found")
    for verb in ("pause", "resume", "cancel", "retry-failed"):
        problem(api.post(f"operations/{uuid4()}/{verb}", {}), 404, "operation_not_found")
    problem(api.get("operations/odd"), 404, "not_found")


def test_staff_without_the_permission_changes_nothing(reader: "User") -> None:
    ids = failed(1)
    caller = Caller(reader)
    for path in ("retry/bulk", "discard", "restore"):
        problem(caller.post(path, {"entry_ids": ids}), 403, "permission_denied")
        problem(caller.post(path, {"entry_ids": ids, "dry_run": True}), 403, "permission_denied")
    assert not Operation.objects.exists()
