"""What is held says so, and does not ask to be asked again at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.models import Source
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import Operation
from tests.api.calls import Caller, ok
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import only_source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source() -> Source:
    found: Source = SourceFactory.create(slug="news")
    EntryFactory.create_batch(3, failed=True, kind="grouped", payload={}, source=found)
    return found


def test_an_operation_under_a_hold(api: Caller, source: Source) -> None:
    hold = holds.hold_source("news", actor=SCRIPT)
    path = ok(api.post("retry/bulk", {"filter": {"status": "failed"}}), 202)["progress_url"]
    Dispatcher().tick()
    answer = api.get(path)
    held = ok(answer)
    assert (held["state"], held["pause_cause"], held["held_by"]) == ("running", "", [hold.pk])
    assert int(answer.headers["Retry-After"]) >= 5
    assert int(api.get(path, wait=1).headers["Retry-After"]) >= 5, "also when time is up"
    assert ok(api.post(f"{path}/pause", {}))["held_by"] == [hold.pk]
    assert "Retry-After" not in api.get(path).headers, "a person has to resume it first"
    ok(api.post(f"{path}/resume", {}))
    ok(api.post(f"holds/{hold.pk}/lift", {}))
    answer = api.get(path)
    assert (ok(answer)["held_by"], answer.headers["Retry-After"]) == ([], "2")
    ok(api.post(f"{path}/cancel", {}))
    assert ok(api.get(path))["held_by"] == []


def test_a_run_under_a_hold(api: Caller, source: Source) -> None:
    hold = holds.hold_kind("grouped", actor=SCRIPT)
    [entry_id] = source.entries.values_list("pk", flat=True)[:1]
    queued = ok(api.post("retry", {"entry_id": entry_id}), 202)
    answer = api.get(queued["progress_url"])
    run = ok(answer)
    assert (run["state"], run["held_by"], run["dispatched"]) == ("queued", [hold.pk], False)
    assert int(answer.headers["Retry-After"]) >= 5
    holds.lift(hold.pk, actor=SCRIPT)
    answer = api.get(queued["progress_url"])
    assert (ok(answer)["held_by"], answer.headers["Retry-After"]) == ([], "2")


def test_a_hold_that_is_hidden_is_not_named(api: Caller) -> None:
    """Of an upstream whose entries are hidden, or are not failed any more."""
    seen = SourceFactory.create(slug="seen")
    entry = EntryFactory.create(
        failed=True, source=seen, upstream="page.example", payload={"url": "http://page.example/"}
    )
    holds.hold_kind("page", "page.example", actor=SCRIPT)
    with only_source("seen"):
        path = ok(api.post("retry", {"entry_id": entry.pk}), 202)["progress_url"]
        answer = api.get(path)
        assert ok(answer)["held_by"] == []
        assert int(answer.headers["Retry-After"]) >= 5


def test_where_nothing_is_on_hold_it_costs_one_statement(api: Caller, source: Source) -> None:
    path = ok(api.post("retry/bulk", {"filter": {"status": "failed"}}), 202)["progress_url"]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ok(api.get(path))
    assert sum("retry_hold" in query["sql"] for query in queries) == 1
    Operation.objects.update(state="completed", ended_at="2026-01-31T12:00:00Z")
    with CaptureQueriesContext(connection) as queries:
        ok(api.get(path))
    assert not any("retry_hold" in query["sql"] for query in queries)


def test_runs_and_syncs_name_the_request_that_they_go_back_to(api: Caller, source: Source) -> None:
    path = ok(api.post("retry/bulk", {"filter": {"status": "failed"}}), 202)["progress_url"]
    Dispatcher().tick()
    operation = Operation.objects.get()
    run = ok(api.get(f"runs/{operation.runs.earliest('position').pk}"))
    assert run["request_id"] == ok(api.get(path))["request_id"] == operation.request_id != ""
    sync = ok(api.post("sources/news/sync", {}), 202)
    assert ok(api.get(sync["progress_url"]))["request_id"] != ""
