"""``GET holds``, ``POST holds`` and ``POST holds/<id>/lift``."""

from typing import TYPE_CHECKING

import pytest

from retry.holds import control as holds
from retry.models import AuditEvent, Hold
from retry.outcomes import Actor
from tests.api.calls import Caller, fields, ok, problem
from tests.conftest import grant
from tests.factories.entries import SourceFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def test_a_kind_is_put_on_hold_and_lifted(api: Caller) -> None:
    put = ok(api.post("holds", {"kind": "page", "reason": "down"}), 201)
    assert put.pop("created_at")
    assert put == {
        "id": Hold.objects.get().pk,
        "kind": "page",
        "upstream": None,
        "source": None,
        "automatic": False,
        "actor": "operator",
        "reason": "down",
        "lifted_at": None,
        "lifted_by": "",
        "lifted_reason": "",
        "probes": 0,
        "ends_at": None,
        "next_probe_at": None,
    }
    assert [hold["id"] for hold in ok(api.get("status"))["holds"]] == [put["id"]]
    lifted = ok(api.post(f"holds/{put['id']}/lift", {"reason": "back"}))
    assert (lifted["lifted_by"], lifted["lifted_reason"]) == ("operator", "back")
    assert lifted["lifted_at"]
    assert ok(api.get("status"))["holds"] == []
    assert set(AuditEvent.objects.values_list("verb", "channel")) == {
        ("hold", "api"),
        ("lift", "api"),
    }


def test_an_upstream_is_put_on_hold(api: Caller) -> None:
    put = ok(api.post("holds", {"kind": "webhook", "upstream": "crm"}), 201)
    assert (put["kind"], put["upstream"], put["source"]) == ("webhook", "crm", None)
    problem(api.post("holds", {"kind": "webhook", "upstream": "crm"}), 409, "already_on_hold")
    assert ok(api.post("holds", {"kind": "webhook"}), 201)["upstream"] is None
    problem(api.post("holds", {"kind": "scripted", "upstream": "crm"}), 422, "no_upstreams")
    assert [hold["upstream"] for hold in ok(api.get("status"))["holds"]] == ["crm", None]


def test_a_source_is_put_on_hold(api: Caller) -> None:
    SourceFactory.create(slug="news")
    put = ok(api.post("holds", {"source": "news"}), 201)
    assert (put["kind"], put["source"], put["reason"]) == (None, "news", "")


def test_the_breakers_hold_shows_and_is_taken_over(api: Caller) -> None:
    holds.trip("page", actor=Actor.system("breaker"), reason="HTTP 503", probe_after=5.0)
    (found,) = ok(api.get("status"))["holds"]
    assert (found["automatic"], found["actor"], found["probes"]) == (True, "breaker", 0)
    assert found["next_probe_at"]
    taken = ok(api.post("holds", {"kind": "page"}), 201)
    assert (taken["id"], taken["automatic"], taken["actor"]) == (found["id"], False, "operator")


def test_what_is_refused(api: Caller) -> None:
    hold = holds.hold_kind("page", actor=SCRIPT)
    problem(api.post("holds", {"kind": "page"}), 409, "already_on_hold")
    found = problem(api.post("holds", {"kind": "nope"}), 422, "unknown_kind")
    assert "page" in found["known"]
    problem(api.post("holds", {"source": "nope"}), 404, "source_not_found")
    problem(api.post("holds/4711/lift", {}), 404, "hold_not_found")
    problem(api.post(f"holds/{2**70}/lift", {}), 404, "hold_not_found")
    holds.lift(hold.pk, actor=SCRIPT)
    problem(api.post(f"holds/{hold.pk}/lift", {}), 409, "hold_lifted")
    assert Hold.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"kind": "page", "source": "news"}, "body"),
        ({"upstream": "crm"}, "body"),
        ({"source": "news", "upstream": "crm"}, "body"),
        ({"kind": "webhook", "upstream": ""}, "upstream"),
        ({"kind": "webhook", "upstream": "x" * 201}, "upstream"),
        ({"kind": "webhook", "upstream": "a\0"}, "upstream"),
        ({"kind": ""}, "kind"),
        ({"kind": 7}, "kind"),
        ({"source": "x" * 81}, "source"),
        ({"kind": "page", "reason": "x" * 501}, "reason"),
        ({"kind": "page", "reason": "\x00"}, "reason"),
        ({"kind": "page", "until": "14:00"}, "until"),
    ],
)
def test_a_body_that_is_none(api: Caller, body: dict[str, object], field: str) -> None:
    assert field in fields(api.post("holds", body))
    assert not Hold.objects.exists()


def test_they_are_listed_newest_first_in_pages(api: Caller) -> None:
    made = [holds.hold_kind("page", actor=SCRIPT)]
    holds.lift(made[0].pk, actor=SCRIPT)
    made += [holds.hold_kind("page", actor=SCRIPT), holds.hold_kind("scripted", actor=SCRIPT)]
    page = ok(api.get("holds", limit=2))
    assert [hold["id"] for hold in page["results"]] == [made[2].pk, made[1].pk]
    rest = ok(api.get("holds", limit=2, cursor=page["next_cursor"]))
    assert ([hold["id"] for hold in rest["results"]], rest["next_cursor"]) == ([made[0].pk], None)
    standing = ok(api.get("holds", standing="true"))["results"]
    assert [hold["id"] for hold in standing] == [made[2].pk, made[1].pk]
    assert len(ok(api.get("holds", standing="false"))["results"]) == 1
    assert "standing" in fields(api.get("holds", standing="yes"))
    assert "all" in fields(api.get("holds", all="1"))


def test_looking_and_doing_are_two_permissions(powerless: "User") -> None:
    problem(Caller(powerless).get("holds"), 403, "permission_denied")
    looker = Caller(grant(powerless, "retry.view_hold"))
    assert ok(looker.get("holds")) == {"results": [], "next_cursor": None}
    problem(looker.post("holds", {"kind": "page"}), 403, "permission_denied")
    assert not Hold.objects.exists()
