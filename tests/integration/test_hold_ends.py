"""Holds with an end: put over every channel, lifted by the dispatcher, once."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.holds.errors import EndInThePast
from retry.models import AuditEvent, Hold
from retry.outcomes import Actor
from tests.factories.entries import SourceFactory
from tests.races.test_transitions import in_order
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import settle
from tests.support.threads import all_at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]
SYSTEM = Actor.system("dispatcher")


def ended() -> Hold:
    """A hold whose end has come."""
    later = timezone.now() + timedelta(hours=1)
    hold = holds.hold_kind("scripted", actor=SCRIPT, ends_at=later)
    Hold.objects.filter(pk=hold.pk).update(ends_at=Now())
    return hold


def test_the_dispatcher_lifts_it_and_what_waited_starts() -> None:
    queued_entries(3)
    hold = ended()
    settle()
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lifted_reason) == ("dispatcher", "Its end had come.")
    event = AuditEvent.objects.get(verb="lift")
    assert (event.actor_label, event.channel) == ("dispatcher", "system")
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}


def test_before_its_end_it_stands() -> None:
    later = timezone.now() + timedelta(hours=1)
    holds.hold_kind("scripted", actor=SCRIPT, ends_at=later)
    Dispatcher().tick()
    assert Hold.objects.get().lifted_at is None


def test_it_must_end_in_the_future() -> None:
    SourceFactory.create(slug="news")
    past = timezone.now() - timedelta(seconds=1)
    with pytest.raises(EndInThePast):
        holds.hold_kind("scripted", actor=SCRIPT, ends_at=past)
    with pytest.raises(EndInThePast):
        holds.hold_source("news", actor=SCRIPT, ends_at=past)
    assert not Hold.objects.exists()


def test_the_breakers_hold_is_taken_over_with_an_end() -> None:
    holds.trip("scripted", actor=SYSTEM, reason="HTTP 503", probe_after=60)
    later = timezone.now() + timedelta(hours=1)
    hold = holds.hold_kind("scripted", actor=SCRIPT, ends_at=later)
    assert (hold.automatic, hold.ends_at) == (False, later)


def test_two_dispatchers_lift_it_once() -> None:
    ended()
    assert sum(all_at_once(lambda: holds.lift_ended(actor=SYSTEM), times=2)) == 1
    assert AuditEvent.objects.filter(verb="lift").count() == 1


def test_a_person_who_lifts_it_at_the_same_moment_is_the_one_who_did() -> None:
    hold = ended()
    _, lifted = in_order(
        lambda: holds.lift(hold.pk, actor=SCRIPT), lambda: holds.lift_ended(actor=SYSTEM)
    )
    assert lifted == 0
    assert Hold.objects.get().lifted_by == "script"


def test_the_command_puts_one_with_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("hold", "--kind", "scripted", "--until", "2099-01-31T06:00")
    assert "is on hold until 2099-01-31T06:00" in capsys.readouterr().out
    call_command("hold")
    assert "until 2099-01-31T06:00" in capsys.readouterr().out
    with pytest.raises(CommandError, match="belongs to a new hold"):
        call_command("hold", "--until", "2099-01-31T06:00")
