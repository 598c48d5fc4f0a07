"""Asking for syncs over JSON, and watching them."""

import json
from typing import Any

import pytest

from entries.models import Source
from entries.sources.sync.full_sync import NOT_WHOLE
from retry.models import AuditEvent, Sync
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import SourceFactory
from tests.support.processes import redis_at
from tests.support.syncing import now_has, numbered, synced, work_off

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_is_asked_for_and_watched_to_its_end(api: Caller) -> None:
    numbered(3, invalid=1)
    accepted = ok(api.post("sources/numbers/sync", {"reason": "why not"}), 202)
    sync = Sync.objects.get()
    assert accepted == {
        "sync_id": sync.pk,
        "state": "queued",
        "dry_run": False,
        "dispatched": True,
        "progress_url": f"syncs/{sync.pk}",
    }
    assert (sync.channel, sync.actor_label, sync.reason) == ("api", "operator", "why not")
    assert ok(api.get(f"syncs/{sync.pk}"))["state"] == "queued"
    work_off()
    found = ok(api.get(f"syncs/{sync.pk}"))
    assert (
        found.items()
        >= {
            "sync_id": sync.pk,
            "source": "numbers",
            "actor": "operator",
            "reason": "why not",
            "dry_run": False,
            "state": "succeeded",
            "total": 3,
            "created": 3,
            "updated": 0,
            "unchanged": 0,
            "gone": 0,
            "invalid": 1,
            "queued": 3,
            "not_modified": False,
            "error": None,
        }.items()
    )
    assert found["notes"] == ["1 item left out: not a row, such as line 1", NOT_WHOLE]
    assert found["sample"] == []
    assert found["finished_at"]


def test_a_dry_run_shows_what_would_change(api: Caller) -> None:
    source = numbered(2)
    synced(source)
    now_has(source, **{"from": 2, "to": 3})
    accepted = ok(api.post("sources/numbers/sync", {"dry_run": True}), 202)
    assert accepted["dry_run"] is True
    work_off()
    found = ok(api.get(f"syncs/{accepted['sync_id']}"))
    assert (found["created"], found["unchanged"], found["gone"]) == (1, 1, 1)
    assert [(row["what"], row["external_id"]) for row in found["sample"]] == [
        ("created", "item-3"),
        ("gone", "item-1"),
    ]


def test_whoever_asks_again_gets_the_same(api: Caller) -> None:
    numbered(1)
    first = ok(api.post("sources/numbers/sync", {}), 202)
    assert ok(api.post("sources/numbers/sync", {}), 202) == first
    dry = ok(api.post("sources/numbers/sync", {"dry_run": True}), 202)
    assert dry["sync_id"] != first["sync_id"]


def test_without_redis_it_is_accepted(api: Caller, tmp_path: Any) -> None:
    numbered(1)
    with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
        accepted = ok(api.post("sources/numbers/sync", {}), 202)
    assert (accepted["state"], accepted["dispatched"]) == ("queued", False)


def test_an_error_has_its_code(api: Caller) -> None:
    sync = Sync.objects.create(
        source=SourceFactory.create(), state="failed", error_code="malformed", error="broken XML"
    )
    found = ok(api.get(f"syncs/{sync.pk}"))
    assert found["error"] == {"code": "malformed", "message": "broken XML"}


def test_what_is_not_there(api: Caller) -> None:
    problem(api.post("sources/nowhere/sync", {}), 404, "source_not_found")
    problem(api.get("syncs/404"), 404, "sync_not_found")
    problem(api.get(f"syncs/{10**30}"), 404, "sync_not_found")
    problem(api.post("sources/no%00where/sync", {}), 404, "not_found")
    numbered(1)
    Source.objects.update(enabled=False)
    problem(api.post("sources/numbers/sync", {}), 409, "source_disabled")
    assert not Sync.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"dry_run": "yes"}, "dry_run"),
        ({"dry_run": 1}, "dry_run"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "\x00"}, "reason"),
        ({"submit": False}, "submit"),
    ],
)
def test_odd_bodies_are_refused(api: Caller, body: dict[str, object], field: str) -> None:
    numbered(1)
    assert field in fields(api.post("sources/numbers/sync", body))
    assert not Sync.objects.exists()


class TestList:
    def test_it_is_paged_and_filtered(self, api: Caller) -> None:
        one, two = SourceFactory.create(slug="one"), SourceFactory.create(slug="two")
        made = [Sync.objects.create(source=one, state="succeeded").pk for _ in range(3)]
        other = Sync.objects.create(source=two, state="failed", error_code="x", notes=["n"]).pk
        page = ok(api.get("syncs", limit=2))
        assert [row["sync_id"] for row in page["results"]] == [other, made[2]]
        assert "notes" not in json.dumps(page)
        rest = ok(api.get("syncs", limit=2, cursor=page["next_cursor"]))
        assert [row["sync_id"] for row in rest["results"]] == [made[1], made[0]]
        assert rest["next_cursor"] is None
        of_one = ok(api.get("syncs", source="one"))["results"]
        assert [row["sync_id"] for row in of_one] == made[::-1]
        failed = ok(api.get("syncs", state="failed"))["results"]
        assert [row["sync_id"] for row in failed] == [other]
        misspelt = problem(api.get("syncs", source="nowhere"), 422, "unknown_source")
        assert misspelt["known"] == ["one", "two"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [("limit", "0"), ("limit", "501"), ("state", "odd"), ("q", "x")],
    )
    def test_odd_questions_are_refused(self, api: Caller, name: str, value: str) -> None:
        assert name in fields(api.get("syncs", **{name: value}))
