"""Whatever language somebody reads, rows are English: every verb, done in a marked language."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import Entry
from entries.repairs import Repair
from entries.sources.base import SourceItem
from entries.states import EntryStatus
from retry import service
from retry.access.tokens import Terms
from retry.dispatcher import verdict
from retry.dispatcher.loop import Dispatcher
from retry.dispatcher.probes import BREAKER
from retry.errors import RetryError
from retry.imports.work import perform
from retry.models import Action, AuditEvent, Hold, Import, Notice, NoticeEvent, Operation
from retry.notices.control import Wish
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from retry.sentences import PROBE_SUCCEEDED
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.error_groups import make_group
from tests.support.imports import after, asked
from tests.support.languages import CLOSE, OPEN, marked_language
from tests.support.operations import failed, start, work
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system("dispatcher")


@pytest.fixture(autouse=True)
def speaking(settings: "Settings") -> Iterator[None]:
    settings.REDRIVE_TICK_SECONDS = 0.05
    with marked_language():
        yield


@pytest.fixture
def person() -> Actor:
    user = UserFactory.create(is_superuser=True, is_staff=True)
    return Actor.from_user(user, channel=Channel.ADMIN)


def list_marked() -> list[str]:
    """Rows with a translation in them."""
    return [
        f"{model.__name__}: {row}"
        for model in apps.get_models()
        if model._meta.app_label in {"entries", "retry"}
        for row in model._base_manager.values()
        if OPEN in str(row) or CLOSE in str(row)
    ]


def refused(verb: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(RetryError) as caught:
        verb(*args, **options)
    assert OPEN not in str(caught.value)
    return str(caught.value)


def test_verbs_on_entries(person: Actor) -> None:
    source = SourceFactory.create(slug="news")
    made = EntryFactory.create_batch(6, failed=True, source=source)
    ids = [entry.pk for entry in made]
    waiting = EntryFactory.create_batch(2, scheduled=True)
    service.retry_entries(ids[:1], actor=person, reason="again")
    service.resync_entries(ids[1:2], actor=person)
    service.discard_entries(ids[2:4], actor=person)
    service.restore_entries(ids[3:4], actor=person)
    service.retry_entry_now(waiting[0].pk, actor=person)
    service.stop_retrying_entry(waiting[1].pk, actor=person)
    seen = made[4].content_hash
    service.edit_and_retry(ids[4], seen=seen, title="other", actor=person)
    service.submit([SourceItem("a", "A", {})], kind="scripted", source="news", actor=person)
    why = [
        refused(service.retry_entry, ids[0], actor=person),
        refused(service.restore_entry, ids[5], actor=person),
        refused(service.edit_and_retry, ids[5], seen="x", actor=person),
    ]
    assert OPEN not in "".join(why)
    assert AuditEvent.objects.count() > 6
    assert list_marked() == []


def test_operations(person: Actor, settings: "Settings") -> None:
    EntryFactory.create_batch(3, failed=True)
    chosen = Selection(filter=EntryFilter(status=EntryStatus.FAILED, failed_within="24h"))
    first = service.start_operation(chosen, action=Action.RETRY, actor=person)
    later = timezone.now() + timedelta(hours=1)
    service.reschedule_operation(first.pk, start_at=later, actor=person)
    service.pause_operation(first.pk, actor=person, reason="wait")
    service.resume_operation(first.pk, actor=person)
    service.cancel_operation(first.pk, actor=person)
    repair = Repair.from_data({"patch": [{"op": "add", "path": "/a", "value": 1}]})
    service.start_operation(chosen, action=Action.REPAIR, actor=person, repair=repair)
    some = Selection(ids=tuple(Entry.objects.values_list("pk", flat=True)))
    settings.REDRIVE_APPROVAL_ABOVE = 1
    for verb in (service.approve_operation, service.reject_operation, service.reject_operation):
        big = service.start_operation(some, action=Action.DISCARD, actor=person)
        verb(big.pk, actor=SCRIPT, reason="" if verb is service.approve_operation else "too many")
    refused(service.pause_operation, first.pk, actor=person)
    assert list_marked() == []
    assert set(Operation.objects.values_list("pause_reason", flat=True)) == {
        "",
        "Rejected: too many",
    }


def test_what_pauses_itself_says_so_in_english() -> None:
    failed(30, do="fail")
    operation = start(canary_size=20)

    def paused() -> bool:
        Dispatcher().tick()
        work()
        return Operation.objects.filter(pk=operation.pk, state="paused").exists()

    wait_until(paused, timeout=20)
    assert Operation.objects.get().pause_reason == "Canary: 20 of 20 failed, limit 10%"
    assert list_marked() == []


def test_holds_and_the_breaker(person: Actor) -> None:
    SourceFactory.create(slug="news")
    service.hold_source("news", actor=person, reason="maintenance")
    later = timezone.now() + timedelta(hours=1)
    held = service.hold_kind("scripted", actor=person, ends_at=later)
    refused(service.hold_kind, "scripted", actor=person)
    Hold.objects.filter(pk=held.pk).update(ends_at=Now())
    service.lift_ended_holds(actor=SYSTEM)
    why = verdict.describe(verdict.Outcomes(20, 19), message="HTTP 503")
    trips = service.trip_breaker("scripted", actor=BREAKER, reason=why, probe_after=1)
    service.lift_hold(trips.pk, actor=BREAKER, reason=PROBE_SUCCEEDED())
    assert list_marked() == []
    assert Hold.objects.get(pk=trips.pk).lifted_reason == "a probe succeeded"
    assert AuditEvent.objects.filter(reason="Its end had come.").exists()


def test_error_groups(person: Actor) -> None:
    group = make_group(kind="grouped", payload={"do": "fail"})
    later = timezone.now() + timedelta(hours=1)
    service.acknowledge_group(group.pk, actor=person)
    service.note_group(group.pk, actor=person, text="seen")
    service.mute_group(group.pk, actor=person, until=later)
    type(group).objects.update(muted_until=Now())
    service.unmute_due_groups(actor=SYSTEM)
    service.resolve_group(group.pk, actor=person)
    refused(service.unmute_group, group.pk, actor=person)
    service.reopen_group(group.pk, actor=person)
    service.prove_group(group.pk, actor=person)
    assert list_marked() == []
    assert Operation.objects.get().reason == "Fixed, prove it"


@pytest.mark.usefixtures("uploads")
def test_imports(person: Actor) -> None:
    text = 'external_id,payload,other\na,{},1\n,{},1\na,{},1\nb,"[",1\nc,[],1\nd,{},1,2\n'
    row = asked(text)
    perform(row.pk, stop=after(9))
    row.refresh_from_db()
    assert (row.state, row.error) == ("succeeded", "")
    errors = [error for shown in row.sample for error in shown["errors"]]
    assert "external_id must not be blank" in errors
    assert row.notes == ["Columns ignored because the file has a column payload: other"]
    refused(service.confirm_import, row.pk, actor=SCRIPT)
    refused(service.confirm_import, uuid4(), actor=SCRIPT)
    empty = asked("external_id\n")
    perform(empty.pk, stop=after(9))
    assert Import.objects.get(pk=empty.pk).error == "there are no rows in the file"
    assert list_marked() == []


def test_syncs(person: Actor) -> None:
    source = SourceFactory.create(slug="news", sync_interval=60)
    service.request_due_syncs(actor=SYSTEM)
    assert source.syncs.get().reason == "every 60 s"
    service.request_sync("news", actor=person, dry_run=True)
    type(source).objects.update(enabled=False)
    refused(service.request_sync, "news", actor=person)
    assert list_marked() == []


def test_views_and_tokens(person: Actor) -> None:
    chosen = EntryFilter(status=EntryStatus.FAILED)
    view = service.save_view("mine", chosen, actor=person)
    service.rename_view(view.pk, "yours", actor=person)
    refused(service.rename_view, view.pk, "", actor=person)
    service.delete_view(view.pk, actor=person)
    assert person.user is not None
    service.create_token(person.user, name="script", actor=person)
    nothing = Terms(scopes=frozenset())
    refused(service.create_token, person.user, name="", actor=person)
    refused(service.create_token, person.user, name="more", actor=person, terms=nothing)
    assert list_marked() == []


def test_subscriptions_and_notices(person: Actor) -> None:
    wish = Wish(
        events=[NoticeEvent.OPERATION_PAUSED, NoticeEvent.BREAKER_TRIPPED], address="a@b.test"
    )
    made = service.subscribe(wish, actor=person)
    service.change_subscription(made.pk, replace(wish, everyones=True), actor=person)
    service.send_test_notice(made.pk, actor=person)
    EntryFactory.create(failed=True)
    chosen = Selection(filter=EntryFilter(status=EntryStatus.FAILED))
    operation = service.start_operation(chosen, action=Action.DISCARD, actor=person)
    service.pause_operation(operation.pk, actor=SCRIPT, reason="wait")
    why = verdict.describe(verdict.Outcomes(20, 19), message="HTTP 503")
    service.trip_breaker("scripted", actor=BREAKER, reason=why, probe_after=1)
    assert {notice.event for notice in Notice.objects.all()} == {"test", *wish.events}
    refused(service.subscribe, replace(wish, events=()), actor=person)
    refused(service.subscribe, replace(wish, address="a"), actor=person)
    refused(service.unsubscribe, made.pk + 1, actor=person)
    service.unsubscribe(made.pk, actor=person)
    assert list_marked() == []


def test_commands_speak_english() -> None:
    EntryFactory.create_batch(2, failed=True)
    said = io.StringIO()
    call_command("retry", dry_run=True, stdout=said)
    call_command("hold", kind="page", stdout=said)
    call_command("hold", stdout=said)
    call_command("retry", stdout=said)
    assert "entries selected" in said.getvalue()
    assert OPEN not in said.getvalue()
    assert list_marked() == []


def test_a_pace_is_refused_in_english() -> None:
    from retry.operations.pace import parse_ramp

    with pytest.raises(ValueError, match="a step has 1 to 100,000 entries"):
        parse_ramp("0")
    assert Pace().steps == ()
