"""Putting on hold and lifting: who, why, and what is refused."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from entries.errors import UnknownKind
from retry.errors import NotPermitted, SourceNotFound
from retry.holds import control as holds
from retry.holds.errors import AlreadyOnHold, HoldLifted, HoldNotFound
from retry.models import AuditEvent, Hold
from retry.outcomes import Actor, Channel
from retry.runs.hold_condition import find_active_holds
from tests.factories.entries import SourceFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def test_a_hold_says_who_since_when_and_why_and_is_audited(operator: "User") -> None:
    hold = holds.hold_kind("scripted", actor=SCRIPT, reason="upstream is down")
    assert (hold.kind, hold.source, hold.automatic) == ("scripted", None, False)
    assert (hold.actor_label, hold.reason) == ("script", "upstream is down")
    assert timezone.now() - hold.created_at < timedelta(seconds=10)
    event = AuditEvent.objects.get(verb="hold")
    assert (event.actor_label, event.reason, event.count) == ("script", "upstream is down", 1)
    lifted = holds.lift(hold.pk, actor=SCRIPT, reason="it is back")
    assert (lifted.lifted_by, lifted.lifted_reason) == ("script", "it is back")
    assert lifted.lifted_at is not None
    event = AuditEvent.objects.get(verb="lift")
    assert event.before == {"kind": "scripted", "automatic": False, "reason": "upstream is down"}
    with pytest.raises(NotPermitted):
        holds.hold_kind("scripted", actor=Actor.from_user(operator, channel=Channel.API))


def test_what_makes_no_sense_is_refused_and_changes_nothing() -> None:
    source = SourceFactory.create(slug="news")
    kind, of_source = (
        holds.hold_kind("scripted", actor=SCRIPT),
        holds.hold_source("news", actor=SCRIPT),
    )
    before = list(Hold.objects.values())
    with pytest.raises(AlreadyOnHold, match="Kind scripted is already on hold"):
        holds.hold_kind("scripted", actor=SCRIPT)
    with pytest.raises(AlreadyOnHold, match="Source news is already on hold"):
        holds.hold_source("news", actor=SCRIPT)
    with pytest.raises(UnknownKind):
        holds.hold_kind("nope", actor=SCRIPT)
    with pytest.raises(SourceNotFound):
        holds.hold_source("nope", actor=SCRIPT)
    with pytest.raises(HoldNotFound):
        holds.lift(10**9, actor=SCRIPT)
    assert list(Hold.objects.values()) == before
    holds.lift(kind.pk, actor=SCRIPT)
    holds.lift(of_source.pk, actor=SCRIPT)
    with pytest.raises(HoldLifted, match="by script"):
        holds.lift(kind.pk, actor=SCRIPT)
    again = holds.hold_source("news", actor=SCRIPT)
    assert again.pk != of_source.pk
    assert find_active_holds().source_ids == {source.pk}


def test_a_person_takes_over_what_the_breaker_holds() -> None:
    automatic = holds.trip("scripted", actor=Actor.system("breaker"), reason="503", probe_after=5)
    assert automatic.automatic
    assert automatic.next_probe_at is not None
    taken = holds.hold_kind("scripted", actor=SCRIPT, reason="until Monday")
    assert taken.pk == automatic.pk
    taken.refresh_from_db()
    assert (taken.automatic, taken.actor_label, taken.reason) == (False, "script", "until Monday")
    assert (taken.next_probe_at, taken.probe_run_id) == (None, None)
    assert [e.before for e in AuditEvent.objects.filter(verb="hold").order_by("id")][1] == {
        "kind": "scripted",
        "automatic": True,
        "reason": "503",
    }
    with pytest.raises(AlreadyOnHold):
        holds.trip("scripted", actor=Actor.system("breaker"), reason="503", probe_after=5)
