"""Error groups of failures that a test makes up."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from retry.error_groups.recording import FoldedFailures, record_failures
from retry.models import ErrorGroup
from retry.outcomes import Actor
from tests.factories.entries import EntryFactory

PERSON = Actor.command("anna")


def note_failures(
    fingerprint: str = "1-503", *, count: int = 1, at: datetime | None = None, **values: Any
) -> ErrorGroup:
    """Note failures as a fold does; ``at``: now unless given."""
    at = at or timezone.now()
    given = {
        "error_class": "TransientError",
        "message": "HTTP 503 from http://page.example/<path>",
        "kind": "page",
        "source_id": None,
        "upstreams": ("page.example",),
        "first_at": at - timedelta(seconds=1),
        "last_at": at,
        "sample_entry_id": None,
    } | values
    record_failures([FoldedFailures(fingerprint=fingerprint, count=count, **given)])
    return ErrorGroup.objects.get(fingerprint=fingerprint)


def make_group(count: int = 3, **values: Any) -> ErrorGroup:
    """A group with so many failed entries."""
    made = EntryFactory.create_batch(count, failed=True, **values)
    last = made[-1]
    return note_failures(
        last.fingerprint,
        count=count,
        error_class=last.error_class,
        kind=last.kind,
        upstreams=tuple(filter(None, {last.upstream})),
        sample_entry_id=last.pk,
    )
