"""An ``Idempotency-Key`` stands for one request: for its verb and for all that it asked for."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse

from retry.models import Operation
from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db
KEYED: dict[str, dict[str, Any]] = {
    "retry/bulk": {"filter": {"all": True}},
    "retry/now": {"filter": {"all": True}},
    "retry/stop": {"filter": {"all": True}},
    "resync": {"filter": {"all": True}},
    "discard": {"filter": {"all": True}},
    "restore": {"filter": {"all": True}},
}
PATHS = list(KEYED)


def keyed(api: Caller, path: str, body: object, *, key: str = "night-1") -> HttpResponse:
    raw = json.dumps(body).encode()
    return api.send("POST", path, raw, headers={"Idempotency-Key": key})


@pytest.fixture(autouse=True)
def _entries() -> None:
    source = SourceFactory.create(slug="news")
    EntryFactory.create(failed=True, source=source, id=1)
    EntryFactory.create(failed=True, source=source, id=2)


@pytest.mark.parametrize("path", PATHS)
def test_the_same_request_gives_the_same_operation(api: Caller, path: str) -> None:
    first = ok(keyed(api, path, KEYED[path]), 202)
    again = ok(keyed(api, path, KEYED[path]), 202)
    assert again["operation_id"] == first["operation_id"]
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("other", PATHS)
def test_another_verb_is_another_request(api: Caller, path: str, other: str) -> None:
    if path == other:
        return
    ok(keyed(api, path, KEYED[path]), 202)
    problem(keyed(api, other, KEYED[other]), 422, "idempotency_key_reused")
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "changed",
    [
        {"reason": "another"},
        {"filter": {"source": "news"}},
        {"filter": None, "entry_ids": [1]},
        {"filter": None, "entry_ids": [1, 2]},
    ],
)
def test_another_body_is_another_request(
    api: Caller, path: str, changed: dict[str, object]
) -> None:
    ok(keyed(api, path, KEYED[path]), 202)
    body = {k: v for k, v in (KEYED[path] | changed).items() if v is not None}
    problem(keyed(api, path, body), 422, "idempotency_key_reused")
    assert Operation.objects.count() == 1
    ok(keyed(api, path, body, key="night-2"), 202)


@pytest.mark.parametrize(
    "changed", [{"rate_per_second": 5}, {"canary_size": 1}, {"max_failure_rate": 0.5}]
)
def test_another_pace_is_another_request(api: Caller, changed: dict[str, object]) -> None:
    body = KEYED["retry/bulk"]
    ok(keyed(api, "retry/bulk", body), 202)
    problem(keyed(api, "retry/bulk", body | changed), 422, "idempotency_key_reused")


def test_only_if_changed_is_another_request(api: Caller) -> None:
    ok(keyed(api, "resync", KEYED["resync"]), 202)
    body = KEYED["resync"] | {"only_if_changed": True}
    problem(keyed(api, "resync", body), 422, "idempotency_key_reused")


def test_the_order_of_ids_and_members_means_nothing(api: Caller) -> None:
    first = ok(keyed(api, "retry/bulk", {"entry_ids": [1, 2], "reason": "x"}), 202)
    again = ok(keyed(api, "retry/bulk", {"reason": "x", "entry_ids": [2, 1, 2]}), 202)
    assert again["operation_id"] == first["operation_id"]
    problem(keyed(api, "retry/bulk", {"entry_ids": [1, 3]}), 422, "idempotency_key_reused")


def test_retry_failed_is_bound_to_its_operation(api: Caller) -> None:
    for number in (1, 2):
        Operation.objects.create(id=UUID(int=number), action="retry", selection_words="x")
    path = f"operations/{UUID(int=1)}/retry-failed"
    first = ok(keyed(api, path, {}), 202)
    assert ok(keyed(api, path, {}), 202)["operation_id"] == first["operation_id"]
    other = f"operations/{UUID(int=2)}/retry-failed"
    problem(keyed(api, other, {}), 422, "idempotency_key_reused")
    problem(keyed(api, path, {"reason": "again"}), 422, "idempotency_key_reused")
    problem(keyed(api, "retry/bulk", KEYED["retry/bulk"]), 422, "idempotency_key_reused")


def test_an_operation_without_a_digest_is_known_by_its_key(api: Caller, operator: Any) -> None:
    """Those that were started before digests were kept."""
    old = Operation.objects.create(
        action="retry", selection_words="x", actor_label="operator", idempotency_key="night-1"
    )
    assert ok(keyed(api, "retry/bulk", KEYED["retry/bulk"]), 202)["operation_id"] == str(old.pk)
