"""Imports of files: a dry run on request, its confirmation, and repeats of lost ones."""

from datetime import timedelta
from pathlib import PurePath
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models.functions import Now

from entries.phrases import Phrase, phrase
from entries.sources.files import uploads
from entries.text import clean_text
from retry import audit
from retry.access.permissions import SUBMIT_ENTRY
from retry.access.visibility import find_sources
from retry.errors import ImportNotFound, NotConfirmable, UploadRefused
from retry.imports.tables import FORMATS
from retry.intakes import rows
from retry.intakes.claims import settle_lost
from retry.intakes.handover import enqueue, enqueue_again
from retry.models import Import, SyncState
from retry.outcomes import Actor
from retry.runs.job_ids import import_job_id
from retry.sentences import IMPORT_LOST
from retry.submission import resolve_destination

#: How long a dry run can be confirmed: entries change, so an old preview would mislead.
KEPT = timedelta(days=1)
#: Workers that may die while they do one import; after the next one the import fails.
MOST_LOSSES = 3
#: In one tick of the dispatcher.
_MOST = 100


def request_import(
    content: "File[bytes]",
    *,
    file_name: str,
    kind: str | None,
    source: str | None = None,
    actor: Actor,
    reason: str = "",
) -> Import:
    """Keep a file and have a worker report what its import would do; return the dry run.

    ``kind`` may be None with a source: then the kind of the source's entries counts. The file is
    not read here. Raises ``NotPermitted``, ``UploadRefused``, ``SourceNotFound`` and
    ``entries.errors.UnknownKind``; the file is then not kept.
    """
    actor.require(SUBMIT_ENTRY)
    source_id, kind = resolve_destination(kind=kind, source=source, actor=actor)
    name = PurePath(file_name.replace("\\", "/")).name
    stem, _, file_format = name.lower().rpartition(".")
    if not stem or file_format not in FORMATS:
        raise UploadRefused(
            phrase(
                "Its name must end in one of %(endings)s.",
                endings=", ".join(map(".{}".format, FORMATS)),
            )
        )
    if (content.size or 0) > settings.REDRIVE_UPLOAD_MAX_BYTES:
        raise UploadRefused(
            phrase("It has more than %(count)s bytes.", count=settings.REDRIVE_UPLOAD_MAX_BYTES)
        )
    location = uploads.new_location(name)
    uploads.store(location, content)
    row = Import(
        source_id=source_id,
        kind=kind,
        location=location,
        file_name=clean_text(name, limit=200),
        file_format=file_format,
        dry_run=True,
        reason=reason[:500],
    )
    try:
        with transaction.atomic():
            _enqueue(row, actor=actor)
            after = {"import_id": str(row.pk), "file": row.file_name, "bytes": content.size}
            audit.record(
                "request_import",
                actor=actor,
                count=1,
                reason=reason,
                source_id=source_id,
                after=after,
            )
    except BaseException:
        uploads.remove(location)
        raise
    return row


def confirm_import(import_id: UUID, *, actor: Actor, skip_invalid: bool = False) -> Import:
    """Have a worker store what a dry run has shown; return the import.

    Confirming again returns the same import; one that failed continues where it stopped. With
    ``skip_invalid`` rows with errors are left out; otherwise there must be none. Raises
    ``NotPermitted``, ``ImportNotFound`` (also for a file that another user uploaded) and
    ``NotConfirmable``.
    """
    actor.require(SUBMIT_ENTRY)
    with transaction.atomic():
        # A second click waits here, and then finds the import of the first.
        locked = Import.objects.select_for_update(no_key=True)
        preview = locked.filter(pk=import_id, dry_run=True, actor=actor.user_id).first()
        if preview is None or not find_sources(actor).includes(preview.source_id):
            raise ImportNotFound(import_id)
        row = Import.objects.filter(confirms=preview).first()
        if row is not None and row.state != SyncState.FAILED:
            return row
        _check_confirmable(preview, skip_invalid=skip_invalid)
        if row is None:
            row = _create_confirmed(preview, skip_invalid=skip_invalid)
            _enqueue(row, actor=actor)
        else:
            enqueue_again(row, job_id=import_job_id(row.pk, token=uuid4()))
        audit.record(
            "confirm_import",
            actor=actor,
            count=1,
            reason=row.reason,
            source_id=row.source_id,
            after={
                "import_id": str(row.pk),
                "position": row.position,
                "skip_invalid": skip_invalid,
            },
        )
    return row


def repeat_lost_imports(*, actor: Actor) -> int:
    """Queue running imports whose worker is gone; return how many.

    Each continues where it stopped; one that has lost too many workers fails instead.
    """
    actor.require(SUBMIT_ENTRY)

    def settle(row: Import) -> bool:
        losses = row.losses + 1
        if losses > MOST_LOSSES:
            rows.fail(row, code="worker_lost", message=IMPORT_LOST())
        elif not put_back(row, losses=losses):
            return False
        audit.record(
            "import_lost",
            actor=actor,
            count=1,
            source_id=row.source_id,
            after={"import_id": str(row.pk), "losses": losses},
        )
        return True

    running = Import.objects.filter(state=SyncState.RUNNING).order_by("started_at")
    return settle_lost(running[:_MOST], settle)


def forget_old_files(*, actor: Actor) -> int:
    """Remove files whose dry run was not confirmed in time; return how many."""
    actor.require(SUBMIT_ENTRY)
    late = Import.objects.filter(created_at__lt=Now() - KEPT).exclude(location="")
    in_use = Import.objects.filter(state__in=rows.OPEN).values("location")
    old = late.exclude(location__in=in_use).values_list("location", flat=True)
    locations = sorted(set(old[:_MOST]))
    for location in locations:
        forget_file(location)
    return len(locations)


def forget_file(location: str) -> None:
    """Remove a file; no import of it can be confirmed or continued."""
    Import.objects.filter(location=location).update(location="")
    transaction.on_commit(lambda: uploads.remove(location), robust=True)


def put_back(row: Import, *, losses: int = 0) -> bool:
    """Move ``running -> queued``. A dry run starts over, an import continues where it was."""
    fields: dict[str, object] = {"losses": losses} if losses else {}
    if row.dry_run:
        start = {"position": 0, "left_alone": 0, "reasons": {}, "sample": []}
        fields |= rows.NOTHING_YET | start
    return rows.put_back(row, **fields)


def _check_confirmable(preview: Import, *, skip_invalid: bool) -> None:
    if preview.state != SyncState.SUCCEEDED:
        raise NotConfirmable(
            phrase(
                "The dry run is %(state)s; there is nothing to confirm.",
                state=Phrase(preview.state),
            )
        )
    if not preview.location:
        raise NotConfirmable(
            phrase("The file was removed: it was imported, or waited too long. Upload it again.")
        )
    if preview.invalid and not skip_invalid:
        raise NotConfirmable(
            phrase("Some rows cannot be stored. Correct them, or choose to leave them out.")
        )
    if preview.total == preview.invalid:
        raise NotConfirmable(phrase("None of the rows can be stored."))


def _create_confirmed(preview: Import, *, skip_invalid: bool) -> Import:
    return Import(
        source_id=preview.source_id,
        kind=preview.kind,
        location=preview.location,
        file_name=preview.file_name,
        file_format=preview.file_format,
        has_payload=preview.has_payload,
        total=preview.total,
        notes=preview.notes,
        reason=preview.reason,
        skip_invalid=skip_invalid,
        confirms=preview,
    )


def _enqueue(row: Import, *, actor: Actor) -> None:
    row.job_id = import_job_id(row.pk, token=uuid4())
    enqueue(row, actor=actor)
