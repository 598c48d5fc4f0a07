"""Error groups over JSON: looked at, decided about, proven."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.http import HttpResponse
from django.utils import timezone

from retry.models import ErrorGroup, Operation
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.error_groups import make_group, note_failures
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_groups_are_listed_and_one_is_shown(api: Caller) -> None:
    group = make_group(2)
    other = note_failures("1-404", kind="webhook", upstreams=())
    listed = ok(api.get("errors"))["results"]
    assert [row["id"] for row in listed] == [other.pk, group.pk]
    assert (listed[1]["failed"], listed[1]["failed_more"]) == (2, False)
    for query in ({"kind": "page"}, {"upstream": "page.example"}, {"fingerprint": "1-503"}):
        assert [row["id"] for row in ok(api.get("errors", **query))["results"]] == [group.pk]
    assert ok(api.get("errors", state="muted"))["results"] == []
    assert "page" in problem(api.get("errors", kind="pag"), 422, "unknown_kind")["known"]
    page = ok(api.get("errors", limit=1))
    rest = ok(api.get("errors", limit=1, cursor=page["next_cursor"]))
    assert [row["id"] for row in rest["results"]] == [group.pk]
    found = ok(api.get(f"errors/{group.pk}"))
    assert (len(found["newest"]), found["suggestion"], found["state"]) == (2, "retry", "open")


def test_groups_are_listed_by_when_they_were_seen_last(api: Caller) -> None:
    now = timezone.now()
    recent = note_failures("1-404", at=now - timedelta(hours=1))
    note_failures("1-503", at=now - timedelta(days=2))
    since = (now - timedelta(days=1)).isoformat()
    assert [row["id"] for row in ok(api.get("errors", seen_after=since))["results"]] == [recent.pk]
    assert "seen_after" in fields(api.get("errors", seen_after="2026-01-31"))


def test_when_a_group_was_seen_is_told_by_the_entries_that_one_may_see(api: Caller) -> None:
    note_failures("1-9", upstreams=())
    long_ago = timezone.now() - timedelta(days=2)
    seen = SourceFactory.create(slug="seen")
    EntryFactory.create(failed=True, fingerprint="1-9", source=seen, failed_at=long_ago)
    EntryFactory.create(failed=True, fingerprint="1-9")
    with only_source("seen"):
        assert len(ok(api.get("errors"))["results"]) == 1
        since = (timezone.now() - timedelta(days=1)).isoformat()
        assert ok(api.get("errors", seen_after=since))["results"] == []


def test_what_people_decide(api: Caller, operator: "User", reader: "User") -> None:
    path = f"errors/{make_group(1).pk}"
    assert ok(api.post(f"{path}/acknowledge", {"reason": "mine"}))["owner"] == "operator"
    assert ok(api.post(f"{path}/acknowledge", {"owner": "reader"}))["owner"] == "reader"
    assert "owner" in fields(api.post(f"{path}/acknowledge", {"owner": "ghost"}))
    assert ok(api.post(f"{path}/note", {"text": "see wiki"}))["note"] == "see wiki"
    muted = ok(api.post(f"{path}/mute", {"until": "2099-01-31T12:00:00Z", "above": 5}))
    assert (muted["state"], muted["mute_above"]) == ("muted", 5)
    problem(api.post(f"{path}/mute", {}), 422, "invalid_request")
    assert ok(api.post(f"{path}/unmute", {}))["state"] == "open"
    assert ok(api.post(f"{path}/resolve", {}))["resolved_by"] == "operator"
    problem(api.post(f"{path}/mute", {"above": 1}), 409, "wrong_group_state")
    assert ok(api.post(f"{path}/reopen", {}))["state"] == "open"


def test_fixed_prove_it(api: Caller) -> None:
    path = f"errors/{make_group(2).pk}"
    answer = api.post(f"{path}/prove", {"canary_size": 1})
    started = ok(answer, 202)
    assert (started["total"], started["canary"]) == (2, "under_way")
    assert answer.headers["Location"] == f"/admin/api/operations/{started['operation_id']}"
    assert ok(api.get(path))["proof_operation_id"] == started["operation_id"]
    problem(api.post(f"{path}/prove", {}), 409, "proof_under_way")
    assert Operation.objects.count() == 1


def test_a_proof_that_is_asked_for_twice_with_one_key_is_one(api: Caller) -> None:
    first, second = make_group(2), note_failures("1-404")
    path, body = f"errors/{first.pk}/prove", {"canary_size": 1}

    def send(path: str, body: object) -> HttpResponse:
        raw = json.dumps(body).encode()
        return api.send("POST", path, raw, headers={"Idempotency-Key": "night-1"})

    started = ok(send(path, body), 202)["operation_id"]
    assert ok(send(path, body), 202)["operation_id"] == started
    for other in ({"canary_size": 2}, {**body, "reason": "another"}):
        problem(send(path, other), 422, "idempotency_key_reused")
    problem(send(f"errors/{second.pk}/prove", body), 422, "idempotency_key_reused")
    alike = {"filter": {"status": "failed", "fingerprint": first.fingerprint}}
    problem(send("retry/bulk", alike), 422, "idempotency_key_reused")
    ErrorGroup.objects.update(proof=None)
    assert ok(send(path, body), 202)["operation_id"] == started, "also when it has ended"
    assert ErrorGroup.objects.filter(proof=None).count() == Operation.objects.count() + 1 == 2


def test_a_group_of_which_nothing_is_failed_cannot_be_proved(api: Caller) -> None:
    group = note_failures("1-404")
    problem(api.post(f"errors/{group.pk}/prove", {}), 409, "refused")
    assert not Operation.objects.exists()


def test_groups_of_hidden_entries_do_not_exist(api: Caller) -> None:
    group = make_group(1)
    mixed = note_failures("1-9", upstreams=("secret.example",))
    seen = SourceFactory.create(slug="seen")
    EntryFactory.create(failed=True, fingerprint="1-9", source=seen)
    EntryFactory.create(failed=True, fingerprint="1-9")
    with only_source("seen"):
        [row] = ok(api.get("errors"))["results"]
        assert (row["id"], row["failed"], row["upstreams"]) == (mixed.pk, 1, ["page.example"])
        assert ok(api.get("errors", upstream="secret.example"))["results"] == []
        for path in (f"errors/{group.pk}", f"errors/{10**30}"):
            problem(api.get(path), 404, "error_group_not_found")
            problem(api.post(f"{path}/resolve", {}), 404, "error_group_not_found")
            problem(api.post(f"{path}/prove", {}), 404, "error_group_not_found")
    assert set(ErrorGroup.objects.values_list("state", flat=True)) == {"open"}
