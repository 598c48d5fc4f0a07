"""``GET runs/<id>``: what became of what was queued together."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from retry.models import Run
from retry.worker import run_worker
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def push(api: Caller, *payloads: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"external_id": f"p-{n}", "payload": p} for n, p in enumerate(payloads)]
    answer = api.post("entries", {"kind": "grouped", "entries": entries, **more})
    body: dict[str, Any] = ok(answer, 202)
    assert answer.headers["Location"] == f"/admin/api/{body['runs'][0]['progress_url']}"
    return body


def test_a_push_is_followed_to_its_outcomes(api: Caller) -> None:
    pushed = push(api, {}, {"do": "fail", "message": "broken"}, reason="orders")
    [run] = pushed["runs"]
    assert run == {
        "run_id": str(Run.objects.get().pk),
        "queued": 2,
        "progress_url": f"runs/{run['run_id']}",
    }
    found = ok(api.get(run["progress_url"]))
    assert (found["state"], found["total"], found["queued"]) == ("queued", 2, 2)
    run_worker("bulk", burst=True)
    found = ok(api.get(run["progress_url"]))
    good, bad = (result["entry_id"] for result in pushed["results"])
    assert (found["state"], found["reason"], found["actor"]) == ("finished", "orders", "operator")
    assert (found["succeeded"], found["failed"], found["handed_on"]) == (1, 1, 0)
    outcomes = {item["entry_id"]: item["outcome"] for item in found["items"]}
    assert outcomes == {good: "succeeded", bad: "failed"}
    assert [i["error_message"] for i in found["items"] if i["entry_id"] == bad] == ["broken"]


def test_a_push_that_queues_nothing_has_no_run(api: Caller) -> None:
    push(api, {})
    again = api.post(
        "entries", {"kind": "grouped", "entries": [{"external_id": "p-0", "payload": {}}]}
    )
    assert ok(again, 202)["runs"] == []
    assert "Location" not in again.headers


def test_what_was_left_alone_is_counted_by_reason(api: Caller) -> None:
    ids = [EntryFactory.create(failed=True, kind="grouped").pk for _ in range(2)]
    run = Run.objects.create(
        trigger="retry",
        kind="grouped",
        entry_ids=ids,
        size=2,
        state="finished",
        skipped={"already_queued": [ids[0]]},
        skipped_count=1,
    )
    found = ok(api.get(f"runs/{run.pk}"))
    assert (found["skipped"], found["handed_on"], found["total"]) == ({"already_queued": 1}, 1, 2)
    assert found["items"][0]["reason"] == "already_queued"


def test_hidden_entries_are_not_in_it(api: Caller) -> None:
    SourceFactory.create(slug="mine")
    own = SourceFactory.create(slug="seen")
    ids = [
        EntryFactory.create(failed=True, kind="grouped", source=source).pk for source in (own, None)
    ]
    mixed, hidden = (
        Run.objects.create(
            trigger="retry", kind="grouped", entry_ids=some, size=len(some), source=source
        )
        for some, source in ((ids, own), (ids[1:], None))
    )
    with only_source("seen"):
        found = ok(api.get(f"runs/{mixed.pk}"))
        assert found["total"] == 1
        problem(api.get(f"runs/{hidden.pk}"), 404, "run_not_found")
    problem(api.get(f"runs/{uuid4()}"), 404, "run_not_found")


def test_one_without_the_permission_reads_the_own_runs(reader: "User", api: Caller) -> None:
    pusher = Caller(grant(reader, "entries.submit_entry"))
    mine = push(pusher, {})["runs"][0]["progress_url"]
    assert ok(pusher.get(mine))["actor"] == "reader"
    other = Run.objects.create(trigger="retry", kind="grouped", entry_ids=[1], size=1)
    for path in (f"runs/{other.pk}", f"runs/{uuid4()}"):
        problem(pusher.get(path), 403, "permission_denied")
