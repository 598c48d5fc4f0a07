"""``GET entries/<id>``."""

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from entries.models import Attempt
from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def test_the_whole_entry(api: Caller) -> None:
    payload = {"url": "http://page.example/1", "nested": [1, 2.5, None, "ü", {"a": True}]}
    entry = EntryFactory.create(failed=True, payload=payload)
    found = ok(api.get(f"entries/{entry.id}"))
    assert found["payload"] == payload
    assert found["result"] is None
    assert found["error"]["class"] == "TransientError"
    [attempt] = found["attempts"]
    assert attempt.keys() == {
        "number", "run_id", "request_id", "status", "is_rescan", "change", "hash_before",
        "hash_after", "previous_status", "queued_at", "started_at", "ended_at",
        "worker", "error", "traceback", "result",
    }  # fmt: skip
    assert (attempt["number"], attempt["status"]) == (1, "failed")


def test_the_list_shows_the_same(api: Caller) -> None:
    entry = EntryFactory.create(scheduled=True)
    [listed] = ok(api.get("entries"))["results"]
    detail = ok(api.get(f"entries/{entry.id}"))
    assert listed.items() <= detail.items()


@pytest.mark.parametrize("payload", [{}, {"a": {}}, {"big": 10**40}, {"long": "x" * 100_000}])
def test_any_payload(api: Caller, payload: dict[str, object]) -> None:
    entry = EntryFactory.create(payload=payload)
    assert ok(api.get(f"entries/{entry.id}"))["payload"] == payload


def test_attempts_come_newest_first_and_not_without_end(api: Caller) -> None:
    entry = EntryFactory.create()
    Attempt.objects.bulk_create(
        Attempt(entry=entry, number=n, run_id=uuid4(), status="lost", previous_status="failed")
        for n in range(1, 131)
    )
    numbers = [attempt["number"] for attempt in ok(api.get(f"entries/{entry.id}"))["attempts"]]
    assert numbers == list(range(130, 30, -1))


@pytest.mark.parametrize("entry_id", ["0", "9223372036854775807", "9223372036854775808", "9" * 40])
def test_an_entry_that_is_not_there(api: Caller, entry_id: str) -> None:
    problem(api.get(f"entries/{entry_id}"), 404, "entry_not_found")


@pytest.mark.parametrize("entry_id", ["-1", "x", "1.0", "1/", "", "%00", "1%0A", "9" * 5000, "٣"])
def test_a_path_that_is_no_id(api: Caller, entry_id: str) -> None:
    problem(api.get(f"entries/{entry_id}"), 404, "not_found")


def test_who_may_see_no_entries_learns_nothing(powerless: "User") -> None:
    caller = Caller(powerless)
    there, gone = EntryFactory.create().id, 2**40
    first, second = (caller.get(f"entries/{id_}") for id_ in (there, gone))
    problem(first, 403, "permission_denied")
    assert first.content == second.content


def test_unknown_parameters(api: Caller) -> None:
    entry = EntryFactory.create()
    problem(api.get(f"entries/{entry.id}?attempts=all"), 422, "invalid_request")
