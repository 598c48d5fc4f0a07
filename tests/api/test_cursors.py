"""Cursors: signed, and good for the list and the filter that they come from."""

import pytest
from django.core.signing import Signer

from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db


def get_cursor(api: Caller, path: str = "entries", **query: str) -> str:
    EntryFactory.create_batch(3, failed=True)
    return str(ok(api.get(path, limit=1, **query))["next_cursor"])


def test_one_is_good_for_its_list_with_any_limit(api: Caller) -> None:
    cursor = get_cursor(api, status="failed", **{"payload.url": "http://page.example/1"})
    query = {"status": "failed", "payload.url": "http://page.example/1"}
    rest = ok(api.get("entries", limit=5, cursor=cursor, **query))
    assert (len(rest["results"]), rest["next_cursor"]) == (2, None)


def test_and_for_no_other_list_or_filter(api: Caller) -> None:
    cursor = get_cursor(api, status="failed")
    for query in ({}, {"status": "queued"}, {"status": "failed", "ids": "1"}):
        problem(api.get("entries", cursor=cursor, **query), 422, "invalid_cursor")
    problem(api.get("holds", cursor=cursor), 422, "invalid_cursor")


@pytest.mark.parametrize("text", ["1", "MQ", "x.y", ".", "MQ.", "\x00", "ü.ü", "9" * 500])
def test_others_are_refused(api: Caller, text: str) -> None:
    get_cursor(api)
    problem(api.get("entries", cursor=text), 422, "invalid_cursor")


def test_a_signature_of_another_kind_is_none(api: Caller) -> None:
    place = get_cursor(api).partition(".")[0]
    for forged in (Signer(sep=".").sign(place), f"{place}.{'A' * 43}"):
        problem(api.get("entries", cursor=forged), 422, "invalid_cursor")


def test_ids_external_ids_and_times(api: Caller) -> None:
    first, second, third = EntryFactory.create_batch(3)
    moment = second.updated_at.isoformat()

    def find(**query: str) -> set[int]:
        return {row["id"] for row in ok(api.get("entries", **query))["results"]}

    assert find(ids=f"{third.pk},{first.pk},{10**15}") == {first.pk, third.pk}
    assert find(external_id=second.external_id) == {second.pk}
    assert find(external_id=second.external_id.upper()) == set()
    assert find(updated_after=moment) >= {second.pk, third.pk}
    assert find(updated_after="2099-01-01T00:00:00Z") == set()
    body = {"filter": {"ids": [first.pk]}, "dry_run": True}
    assert ok(api.post("retry/bulk", body))["total"] == 1
