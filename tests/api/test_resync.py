"""Resync, "retry now" and "stop retrying" over JSON."""

import pytest

from entries.models import Entry
from retry.models import Operation, Run
from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db


def sourced(**values: object) -> Entry:
    return EntryFactory.create(source=SourceFactory.create(slug="news"), **values)


class TestOne:
    def test_it_is_queued_as_a_retry_is(self, api: Caller) -> None:
        entry = sourced(succeeded=True)
        found = ok(api.post("resync", {"entry_id": entry.pk, "only_if_changed": True}), 202)
        assert (found["entry_id"], found["attempt"], found["status"]) == (entry.pk, 2, "queued")
        run = Run.objects.get()
        assert (run.resync, run.only_if_changed, run.trigger) == (True, True, "resync")
        assert found["job_id"] == run.job_id

    @pytest.mark.parametrize("status", ["queued", "running"])
    def test_not_while_it_is_at_work(self, api: Caller, status: str) -> None:
        entry = sourced(**{status: True})
        answer = problem(api.post("resync", {"entry_id": entry.pk}), 409, f"already_{status}")
        assert answer["current_status"] == status
        assert "when it is no longer queued or running" in answer["detail"]

    def test_not_without_a_source(self, api: Caller) -> None:
        entry = EntryFactory.create(failed=True)
        answer = problem(api.post("resync", {"entry_id": entry.pk}), 409, "no_source")
        assert "retry it instead" in answer["detail"]

    def test_retry_now_and_stop_want_it_scheduled(self, api: Caller) -> None:
        failed, scheduled = EntryFactory.create(failed=True), EntryFactory.create(scheduled=True)
        for path in ("retry/now", "retry/stop"):
            problem(api.post(path, {"entry_id": failed.pk}), 409, "not_scheduled")
        assert ok(api.post("retry/now", {"entry_id": scheduled.pk}), 202)["status"] == "queued"
        problem(api.post("retry/stop", {"entry_id": scheduled.pk}), 409, "already_queued")

    def test_stopping_makes_it_failed(self, api: Caller) -> None:
        entry = EntryFactory.create(scheduled=True)
        found = ok(api.post("retry/stop", {"entry_id": entry.pk, "reason": "enough"}))
        assert found == {"entry_id": entry.pk, "status": "failed"}
        entry.refresh_from_db()
        assert (entry.status, entry.next_attempt_at) == ("failed", None)
        assert entry.failed_at is not None


class TestMany:
    def test_a_source_is_a_filter(self, api: Caller) -> None:
        sourced(succeeded=True)
        EntryFactory.create(succeeded=True)
        body = {"source": "news", "only_if_changed": True, "rate_per_second": 5}
        found = ok(api.post("resync", body), 202)
        assert (found["total"], found["eligible"], found["skipped"]) == (1, 1, {})
        operation = Operation.objects.get(pk=found["operation_id"])
        assert (operation.action, operation.only_if_changed) == ("resync", True)
        assert operation.rate_per_second == 5
        assert ok(api.get(f"operations/{operation.pk}"))["unchanged"] == 0

    def test_a_dry_run_counts_what_has_no_source(self, api: Caller) -> None:
        ids = [sourced(failed=True).pk, EntryFactory.create(failed=True).pk]
        found = ok(api.post("resync", {"entry_ids": ids, "dry_run": True}))
        assert (found["eligible"], found["skipped"]) == (1, {"no_source": 1})
        assert not Operation.objects.exists()

    def test_a_misspelt_source_is_an_error(self, api: Caller) -> None:
        problem(api.post("resync", {"source": "nwes"}), 404, "source_not_found")
        assert not Operation.objects.exists()

    @pytest.mark.parametrize("path", ["retry/now", "retry/stop"])
    def test_by_filter(self, api: Caller, path: str) -> None:
        EntryFactory.create_batch(3, scheduled=True)
        EntryFactory.create(failed=True)
        found = ok(api.post(path, {"filter": {"all": True}}), 202)
        assert (found["eligible"], found["skipped"]) == (3, {"not_scheduled": 1})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entry_id": 1, "entry_ids": [1]},
        {"entry_id": 1, "source": "news"},
        {"source": "news", "filter": {"status": "failed"}},
        {"entry_id": 1, "dry_run": True},
        {"entry_id": 1, "canary_size": 3},
        {"entry_id": "1"},
        {"entry_id": 10**30},
        {"entry_id": 1, "only_if_changed": "yes"},
        {"source": ""},
        {"source": "a\x00b"},
        {"entry_id": 1, "unknown": 1},
    ],
)
def test_what_makes_no_sense_changes_nothing(api: Caller, body: dict[str, object]) -> None:
    problem(api.post("resync", body), 422, "invalid_request")
    assert not Run.objects.exists()
    assert not Operation.objects.exists()
