"""What failures write into their groups, and groups of what had failed before there were any."""

from datetime import timedelta

import pytest
from django.utils import timezone

from entries.models import Entry
from retry import service
from retry.error_groups.sweep import GroupSweep
from retry.models import AuditEvent, ErrorGroup
from tests.factories.entries import EntryFactory
from tests.support.error_groups import PERSON, make_group, note_failures

pytestmark = pytest.mark.django_db(transaction=True)


def state(group: ErrorGroup) -> str:
    return ErrorGroup.objects.get(pk=group.pk).state


def test_a_new_failure_makes_a_group_and_later_ones_are_noted_in_it() -> None:
    early = timezone.now() - timedelta(hours=1)
    note_failures(at=early, count=3, sample_entry_id=1)
    group = note_failures(count=2, kind="webhook", upstreams=("b.example",), sample_entry_id=2)
    assert (group.state, group.failures, group.sample_entry_id) == ("open", 5, 2)
    assert group.kinds == ["page", "webhook"]
    assert group.upstreams == ["page.example", "b.example"]
    assert group.first_seen == early - timedelta(seconds=1)
    assert group.last_seen > early
    assert ErrorGroup.objects.count() == 1


def test_what_is_folded_late_moves_no_time_back_and_keeps_the_newer_sample() -> None:
    group = note_failures(sample_entry_id=2)
    late = note_failures(at=group.last_seen - timedelta(minutes=3), sample_entry_id=1)
    assert (late.last_seen, late.sample_entry_id) == (group.last_seen, 2)


def test_names_are_bounded_and_the_first_ones_stay() -> None:
    for n in range(30):
        group = note_failures(upstreams=(f"{n}.example",))
    assert group.upstreams == [f"{n}.example" for n in range(20)]


def test_a_failure_regresses_a_resolved_group_and_names_who_had_resolved_it() -> None:
    group = note_failures()
    service.resolve_group(group.pk, actor=PERSON)
    assert note_failures().state == "regressed"
    event = AuditEvent.objects.get(verb="regress_group")
    assert event.reason == "it failed again after anna had resolved it"
    assert (event.before, event.after) == ({"state": "resolved"}, {"state": "regressed"})
    assert event.subject == f"retry.errorgroup:{group.pk}"


def test_a_failure_from_before_a_resolution_does_not_regress() -> None:
    group = note_failures()
    earlier = timezone.now()
    service.resolve_group(group.pk, actor=PERSON)
    assert note_failures(at=earlier).state == "resolved"


def test_a_group_is_muted_until_its_number_is_exceeded() -> None:
    group = note_failures(count=100)
    service.mute_group(group.pk, actor=PERSON, above=5)
    assert note_failures(count=5).state == "muted"
    assert note_failures().state == "open"
    assert AuditEvent.objects.get(verb="unmute_group").count == 1


def test_a_group_is_muted_until_its_time_is_over() -> None:
    group = note_failures()
    service.mute_group(group.pk, actor=PERSON, until=timezone.now() + timedelta(hours=1))
    assert service.unmute_due_groups(actor=PERSON) == 0
    assert note_failures().state == "muted"
    ErrorGroup.objects.update(muted_until=timezone.now())
    assert service.unmute_due_groups(actor=PERSON) == 1
    assert service.unmute_due_groups(actor=PERSON) == 0
    assert state(group) == "open"
    assert AuditEvent.objects.get(verb="unmute_group").reason == "its time is over"


def test_failed_entries_from_before_get_their_groups_in_bounded_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("retry.error_groups.sweep.BATCH", 2)
    for n in range(5):
        EntryFactory.create_batch(2, failed=True, fingerprint=f"1-{n}", error_message=f"HTTP 50{n}")
    other = {"kind": "webhook", "upstream": "hook.example", "error_message": "HTTP 500"}
    EntryFactory.create(failed=True, fingerprint="1-0", **other)
    EntryFactory.create(succeeded=True)
    sweep = GroupSweep(pause_seconds=60)
    assert [sweep.step() for _ in range(4)] == [2, 2, 1, 0]
    assert ErrorGroup.objects.count() == 5
    group = ErrorGroup.objects.get(fingerprint="1-0")
    assert (group.message, sorted(group.kinds)) == ("http 500", ["page", "webhook"])
    assert sorted(group.upstreams) == ["hook.example", "page.example"]
    assert group.failures == 0
    assert group.last_seen == Entry.objects.filter(fingerprint="1-0").latest("failed_at").failed_at
    assert GroupSweep().step() == 0


def test_a_group_made_from_an_entry_is_named_as_by_a_worker() -> None:
    given_up = "HTTP 503 from page.example (gave up after 4 attempts)"
    EntryFactory.create(failed=True, error_message=given_up)
    assert GroupSweep().step() == 1
    assert ErrorGroup.objects.get().message == "http 503 from page.example"


def test_a_failure_that_no_worker_has_written_reaches_its_group_as_well() -> None:
    group = make_group(1)
    service.resolve_group(group.pk, actor=PERSON)
    assert GroupSweep().step() == 0
    EntryFactory.create(failed=True)
    assert GroupSweep().step() == 1
    assert state(group) == "regressed"
