"""Export: the entries of a list as a file. The audit records who exported how many."""

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from entries.models import Entry
from retry import audit
from retry.access.permissions import EXPORT_ENTRY
from retry.access.visibility import sees_everything, visible_entries
from retry.errors import TooManyToExport
from retry.outcomes import Actor


def begin_export(
    found: QuerySet[Entry], *, file_format: str, selection: str, actor: Actor
) -> list[int]:
    """Freeze the ids of ``found`` in its order and audit the export; return the ids.

    Entries hidden from the actor are left out. ``selection``: what was selected, in words. Raises
    ``NotPermitted``, and ``TooManyToExport`` for more than ``REDRIVE_EXPORT_LIMIT``; both before
    the audit.
    """
    actor.require(EXPORT_ENTRY)
    limit = settings.REDRIVE_EXPORT_LIMIT
    if not sees_everything(actor):
        found = found.filter(pk__in=visible_entries(actor).values("pk"))
    with transaction.atomic():
        ids = list(found.values_list("pk", flat=True)[: limit + 1])
        if len(ids) > limit:
            raise TooManyToExport(limit=limit)
        audit.record(
            "export",
            actor=actor,
            count=len(ids),
            after={"format": file_format, "selection": selection[:1_000]},
        )
    return ids
