"""Retention: what is old goes, what is young or referred to stays."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.db.models import Model
from django.utils import timezone

from entries.models import Attempt, Edit, Entry, IndexedEntry
from entries.sources.files.uploads import PREFIX, new_location, store
from retry import queue, service
from retry.models import (
    AuditEvent,
    ErrorGroup,
    Import,
    Notice,
    NoticeDelivery,
    Operation,
    Run,
    Sync,
)
from retry.outcomes import Actor
from retry.retention.overview import count_due
from retry.retention.rules import RULES
from tests.factories.entries import SourceFactory
from tests.factories.users import UserFactory
from tests.support.retention import (
    TABLES,
    add_at_rest,
    add_notices,
    add_weeks,
    build_event,
    build_group,
    build_operation,
    build_over,
    build_run,
)

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("uploads")]
ACTOR = Actor.command("somebody")
#: Settings with which the year is flat: audit and groups are kept for longer by default.
YEAR = {"REDRIVE_KEEP_AUDIT_DAYS": 90, "REDRIVE_KEEP_GROUPS_DAYS": 90}


def prune_all() -> dict[str, int]:
    found = {name: service.prune(name, actor=ACTOR) for name in RULES}
    return {name: removed for name, removed in found.items() if removed}


def count(model: type[Model], **given: Any) -> int:
    return model._default_manager.filter(**given).count()


def count_prunes(model: type[Model]) -> int:
    return count(AuditEvent, verb="prune") if model is AuditEvent else 0


def test_a_year_of_weeks_leaves_as_much_as_a_quarter(settings: "Settings") -> None:
    for name, days in YEAR.items():
        setattr(settings, name, days)
    source, user = SourceFactory.create(), UserFactory.create()
    # Audit events of the passes are made by the database's clock, which does not travel.
    end, keys = timezone.now().replace(microsecond=0), queue.get_client().dbsize()
    sizes = []
    for last in range(4, 53, 8):
        now = end - timedelta(weeks=52 - last)
        ages = range(7 if last > 4 else 3, -1, -1)
        times = [now - timedelta(weeks=age, hours=1) for age in ages]
        add_weeks(times, source=source, user=user)
        with time_machine.travel(now, tick=False):
            prune_all()
        sizes.append({model: count(model) - count_prunes(model) for model in TABLES})
        for model, (added, column) in TABLES.items():
            young = count(model, **{f"{column}__gt": now - timedelta(days=89)})
            kept = 0 if column == "expire_date" else min(last, 13) * added
            assert young - count_prunes(model) == kept, (last, model)
    assert sizes[2:] == sizes[2:3] * 5, "no table grows after the first quarter"
    assert sizes[-1][Entry] <= 13 * TABLES[Entry][0]
    assert queue.get_client().dbsize() == keys


OLD, RECENT = timedelta(days=100), timedelta(days=50)


def ago(age: timedelta) -> datetime:
    return timezone.now() - age


def test_what_is_at_work_or_still_in_its_source_is_no_old_entry() -> None:
    synced = SourceFactory.create(last_synced_at=timezone.now())
    old, recent = [ago(OLD)], [ago(RECENT)]
    planned = add_at_rest(old, status="succeeded")[0]
    Run.objects.bulk_create(
        [build_run(ago(OLD), state="planned", ended_at=None, entry_ids=[planned.pk])]
    )
    staying = [
        planned,
        *add_at_rest(old, status="succeeded", source=synced),
        *add_at_rest(old, status="succeeded", source=synced, gone_at=ago(RECENT)),
        *add_at_rest(recent, status="succeeded"),
        *add_at_rest(old, status="failed"),
        *add_at_rest(old, status="scheduled", next_attempt_at=timezone.now()),
        *add_at_rest(old, status="pending"),
    ]
    entry = add_at_rest(old, status="succeeded")[0]
    Entry._base_manager.filter(pk=entry.pk).update(status_changed_at=ago(RECENT))
    add_at_rest(old, status="succeeded", source=synced, gone_at=ago(OLD))
    add_at_rest(old, status="succeeded", source=SourceFactory.create())
    add_at_rest(old, status="discarded")
    staying.append(entry)
    assert count_due(RULES["succeeded"]) == 2
    assert count_due(RULES["discarded"]) == 1
    found = prune_all()
    assert {name: found[name] for name in ("succeeded", "discarded")} == {
        "succeeded": 2,
        "discarded": 1,
    }
    assert {*Entry.objects.values_list("pk", flat=True)} == {entry.pk for entry in staying}
    assert IndexedEntry.objects.count() == len(staying)


def test_failed_entries_go_where_the_settings_say_so(settings: "Settings") -> None:
    add_at_rest([ago(OLD)], status="failed")
    assert "failed" not in prune_all()
    settings.REDRIVE_KEEP_FAILED_DAYS = 90
    assert prune_all()["failed"] == 1
    assert not Entry.objects.exists()
    assert not Attempt.objects.exists()
    assert not Edit.objects.exists()


def test_the_attempts_that_a_state_is_about_stay() -> None:
    at = ago(OLD)
    entry = add_at_rest([at], status="failed")[0]
    # Cancelled before it was started: the entry is failed because of the second one.
    Entry._base_manager.filter(pk=entry.pk).update(attempt=3)
    times = {"queued_at": at, "ended_at": at}
    Attempt.objects.create(entry=entry, number=3, run_id=uuid4(), status="cancelled", **times)
    queued = add_at_rest([at], status="queued", run_id=uuid4())[0]
    young = add_at_rest([ago(RECENT)], status="failed")[0]
    found = prune_all()
    assert found["attempts"] == 1
    assert found["tracebacks"] == 4, "of both before the third, of one waiting, of the young one"
    left = Attempt.objects.order_by("entry", "number").values_list("entry", "number")
    assert list(left) == [
        *((entry.pk, 2), (entry.pk, 3), (queued.pk, 1), (queued.pk, 2)),
        *((young.pk, 1), (young.pk, 2)),
    ]
    with_traceback = Attempt.objects.exclude(traceback="").values_list("entry", "number")
    assert {*with_traceback} == {(queued.pk, 2), (young.pk, 2)}
    assert Edit.objects.filter(entry=entry, attempt=2).exists()


def test_operations_stay_while_something_needs_them() -> None:
    at = ago(OLD)
    plain, open_run, undone, proof, large = Operation.objects.bulk_create(
        build_operation(at) for _ in range(5)
    )
    Run.objects.bulk_create(
        [
            build_run(at, operation=open_run, state="running", lease_expires_at=at, ended_at=None),
            *(build_run(at, operation=large) for _ in range(1_100)),
        ]
    )
    Operation.objects.bulk_create(
        [
            build_operation(
                timezone.now(),
                state="running",
                ended_at=None,
                selection={"repaired_by": str(undone.pk)},
            )
        ]
    )
    ErrorGroup.objects.bulk_create(
        [
            build_group(timezone.now(), proof=proof),
            build_group(timezone.now(), resolved_operation=plain, resolved_by="anna"),
        ]
    )
    assert count_due(RULES["operations"]) == 2
    assert prune_all()["operations"] == 2, "those without a run count as none"
    assert {*Operation.objects.filter(ended_at__isnull=False)} == {open_run, undone, proof}
    assert Run.objects.count() == 1
    assert ErrorGroup.objects.get(resolved_by="anna").resolved_operation is None


def test_a_source_keeps_its_last_syncs() -> None:
    source, other = SourceFactory.create(), SourceFactory.create()
    at = build_over(ago(OLD))
    read, *failed = Sync.objects.bulk_create(
        [
            Sync(source=source, **at),
            *(Sync(source=source, **(at | {"state": "failed"})) for _ in range(2)),
        ]
    )
    alone = Sync.objects.create(source=other, **at)
    assert prune_all()["syncs"] == 1
    assert {*Sync.objects.all()} == {read, failed[-1], alone}


def test_an_import_goes_with_its_dry_run_and_not_before_its_file() -> None:
    file = {"kind": "scripted", "file_name": "a.csv", "file_format": "csv", "channel": "admin"}
    over = build_over(ago(OLD)) | file
    kept = [
        Import.objects.create(dry_run=True, location="upload:x", **over),
        Import.objects.create(dry_run=True, **over),
    ]
    kept.append(Import.objects.create(confirms=kept[-1], **build_over(ago(RECENT)), **file))
    preview = Import.objects.create(dry_run=True, **over)
    Import.objects.create(confirms=preview, **over)
    assert prune_all()["imports"] == 2
    assert {*Import.objects.all()} == {*kept}


def test_a_notice_waits_for_its_deliveries() -> None:
    times = [ago(OLD), ago(OLD)]
    waiting, delivered = add_notices(times)
    entry = waiting.deliveries.get().entry
    assert entry is not None
    Entry._base_manager.filter(pk=entry.pk).update(status_changed_at=ago(RECENT))
    found = prune_all()
    assert found["notices"] == 1
    assert "succeeded" not in found, "deliveries go with their notices"
    assert [*Notice.objects.all()] == [waiting]
    assert [*Entry.objects.all()] == [entry]
    assert delivered.pk not in NoticeDelivery.objects.values_list("notice", flat=True)


def test_groups_with_failed_entries_and_muted_ones_stay() -> None:
    at = ago(timedelta(days=500))
    add_at_rest([at], status="failed")
    muted = {"state": "muted", "muted_until": timezone.now()}
    ErrorGroup.objects.bulk_create(
        [build_group(at, fingerprint="1-a"), build_group(at, **muted), build_group(at)]
    )
    assert prune_all()["error_groups"] == 1
    assert set(ErrorGroup.objects.values_list("state", flat=True)) == {"open", "muted"}


def test_only_retention_deletes_from_the_audit_and_nothing_young(settings: "Settings") -> None:
    settings.REDRIVE_KEEP_AUDIT_DAYS = 1
    AuditEvent.objects.bulk_create(build_event(ago(timedelta(days=d))) for d in (2, 29, 31))
    assert service.prune("audit", actor=ACTOR) == 1
    recorded = AuditEvent.objects.get(verb="prune")
    assert (recorded.count, recorded.actor_label, recorded.channel) == (1, "somebody", "command")
    assert recorded.after is not None
    assert recorded.after["rule"] == "audit"
    assert AuditEvent.objects.count() == 3
    with pytest.raises(DatabaseError, match="retry_auditevent"), transaction.atomic():
        AuditEvent.objects.filter(verb="retry").delete()


def test_uploads_that_nothing_refers_to_are_deleted(
    uploads: Path, django_capture_on_commit_callbacks: Any
) -> None:
    names = [new_location(f"{name}.csv") for name in "abcd"]
    for name in names:
        store(name, ContentFile(b"x"))
    for path in uploads.iterdir():
        os.utime(path, (0, 0))
    (uploads / "of somebody else").write_text("x")
    SourceFactory.create(kind="csv", location=names[0])
    file = {"kind": "scripted", "file_name": "a.csv", "file_format": "csv", "channel": "admin"}
    Import.objects.create(location=names[1], **build_over(timezone.now()), **file)
    os.utime(uploads / names[2].removeprefix(PREFIX))
    with django_capture_on_commit_callbacks(execute=True):
        assert prune_all()["uploads"] == 1
    left = {path.name for path in uploads.iterdir()}
    assert left == {*(name.removeprefix(PREFIX) for name in names[:3]), "of somebody else"}
