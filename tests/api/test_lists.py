"""Sources, kinds, the audit and saved views over JSON."""

from typing import TYPE_CHECKING

import pytest

from retry.models import AuditEvent, SavedView
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_sources(api: Caller) -> None:
    SourceFactory.create(slug="news", location="http://u:secret@feed.example/atom", enabled=False)
    found = ok(api.get("sources/news"))
    assert (found["kind"], found["entry_kind"], found["enabled"]) == ("feed", "page", False)
    assert "secret" not in found["location"]
    assert ok(api.get("sources")) == {"results": [found], "next_cursor": None}
    problem(api.get("sources/nowhere"), 404, "source_not_found")


def test_kinds(api: Caller) -> None:
    kinds = {kind["name"]: kind for kind in ok(api.get("kinds"))["results"]}
    assert kinds["page"]["payload_schema"]["required"] == ["url"]
    assert kinds["scripted"]["payload_schema"] is None


def test_the_audit_tells_nothing_of_a_hidden_entry(api: Caller) -> None:
    entry = EntryFactory.create(failed=True)
    seen = ok(api.get(f"entries/{entry.pk}"))["content_hash"]
    ok(api.post(f"entries/{entry.pk}/edit", {"seen": seen, "title": "Secret"}), 202)
    [event] = ok(api.get("audit", entry_id=entry.pk))["results"]
    assert (event["verb"], event["actor"], event["channel"]) == (
        "edit_and_retry",
        "operator",
        "api",
    )
    assert "Secret" in str(event["after"])
    with only_source("none"):
        assert ok(api.get("audit", verb="edit_and_retry", channel="api"))["results"] == []
        assert "no verb of the audit" in fields(api.get("audit", verb="retry/bulk"))["verb"]
        assert ok(api.get("audit", verb="add_member"))["results"] == [], "of a user model of others"
    assert ok(api.get("audit", operation_id="00000000-0000-0000-0000-000000000001")) == {
        "results": [],
        "next_cursor": None,
    }
    for name, value in (("entry_id", "0"), ("run_id", "x"), ("channel", "post"), ("who", "x")):
        assert name in fields(api.get("audit", **{name: value}))


def test_views(api: Caller, reader: "User") -> None:
    answer = api.post("views", {"name": "Mine", "filter": {"status": "failed", "kind": "page"}})
    mine = ok(answer, 201)
    assert answer.headers["Location"] == f"/admin/api/views/{mine['id']}"
    assert (mine["filter"], mine["own"], mine["shared"]) == (
        {"status": "failed", "kind": "page"},
        True,
        False,
    )
    assert ok(api.post("retry/bulk", {"filter": mine["filter"], "dry_run": True}))["total"] == 0
    other = Caller(reader)
    assert ok(other.get("views"))["results"] == []
    problem(other.get(f"views/{mine['id']}"), 404, "view_not_found")
    problem(other.post(f"views/{mine['id']}/rename", {"name": "Theirs"}), 404, "view_not_found")
    assert ok(api.post(f"views/{mine['id']}/rename", {"name": "Pages"}))["name"] == "Pages"
    ok(api.post("views", {"name": "Second", "filter": {"gone": "yes"}, "shared": True}), 201)
    again = api.post(f"views/{mine['id']}/rename", {"name": "Second"})
    problem(again, 422, "view_refused")
    assert [view["name"] for view in ok(other.get("views"))["results"]] == ["Second"]
    assert ok(api.post(f"views/{mine['id']}/delete", {})) == {"id": mine["id"]}
    problem(api.post(f"views/{10**30}/delete", {}), 404, "view_not_found")
    assert SavedView.objects.count() == 1
    assert AuditEvent.objects.filter(verb="delete_view", channel="api").count() == 1
