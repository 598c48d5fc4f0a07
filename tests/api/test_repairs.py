"""Repairs over JSON: many, one, and undone."""

import pytest

from entries.content import content_hash
from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import Operation
from retry.worker import run_worker
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db(transaction=True)
PATCH = [{"op": "add", "path": "/fixed", "value": True}]


def finish() -> None:
    Dispatcher().tick()
    run_worker("bulk", burst=True)
    Dispatcher().tick()


def test_many_are_repaired_and_it_is_undone(api: Caller) -> None:
    entry = EntryFactory.create(failed=True, kind="grouped", payload={})
    body = {"filter": {"status": "failed"}, "repair": {"patch": PATCH}}
    seen = ok(api.post("repair", body | {"dry_run": True}))
    assert (seen["total"], seen["repaired"], seen["exact"]) == (1, 1, True)
    assert seen["sample"] == [{"entry_id": entry.pk, "changes": ["fixed"], "problem": ""}]
    assert not Operation.objects.exists()
    started = ok(api.post("repair", body | {"reason": "fixed"}), 202)
    finish()
    entry.refresh_from_db()
    assert (entry.payload, entry.status) == ({"fixed": True}, "succeeded")
    path = started["progress_url"]
    answer = api.post(f"{path}/undo", {})
    assert ok(answer, 202)["action"] == "undo"
    assert answer.headers["Location"].endswith(ok(answer, 202)["operation_id"])
    finish()
    entry.refresh_from_db()
    assert entry.payload == {}
    undo = Operation.objects.get(action="undo")
    problem(api.post(f"operations/{undo.pk}/undo", {}), 404, "operation_not_found")


@pytest.mark.parametrize(
    "repair",
    [{}, {"patch": PATCH, "name": "x"}, {"name": "ghost"}, {"patch": []}, {"patch": [{"op": "x"}]}],
)
def test_what_is_no_repair(api: Caller, repair: dict[str, object]) -> None:
    body = {"filter": {"all": True}, "repair": repair}
    assert "repair" in fields(api.post("repair", body))


def test_one_is_edited_and_retried(api: Caller) -> None:
    entry = EntryFactory.create(failed=True)
    path = f"entries/{entry.pk}"
    seen = ok(api.get(path))["content_hash"]
    assert seen == content_hash(entry.title, entry.payload)
    changed = {"seen": seen, "payload": {"url": "http://page.example/2"}, "reason": "moved"}
    refused = api.post(f"{path}/edit", changed | {"payload": {"url": ""}})
    problem(refused, 422, "content_refused")
    answer = api.post(f"{path}/edit", changed)
    assert ok(answer, 202)["attempt"] == 2
    assert Entry.objects.get().payload == {"url": "http://page.example/2"}
    problem(api.post(f"{path}/edit", changed), 409, "already_queued")
    other = EntryFactory.create(failed=True)
    problem(api.post(f"entries/{other.pk}/edit", changed), 409, "entry_changed")
    problem(api.post(f"entries/{10**30}/edit", changed), 404, "entry_not_found")
