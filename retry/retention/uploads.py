"""Uploads that nothing refers to: an upload was interrupted, or its file could not be removed."""

from collections.abc import Iterable
from functools import partial

from django.db import transaction

from entries.models import Source
from entries.sources.files import uploads
from retry.models import Import
from retry.retention.steps import Batch, Request


def step_uploads(request: Request) -> Batch:
    """Delete orphaned uploads that were stored before the cutoff, by name, once it is committed.

    A file is stored before the row that refers to it, so a young one may be waiting for its row.
    """
    names = sorted(name for name in _list_names() if name > request.after[1])[: request.limit]
    locations = {f"{uploads.PREFIX}{name}": name for name in names}
    known = set(Source.objects.filter(location__in=locations).values_list("location", flat=True))
    known |= set(Import.objects.filter(location__in=locations).values_list("location", flat=True))
    storage = uploads.storage()
    old = [
        location
        for location, name in locations.items()
        if location not in known and storage.get_modified_time(name) < request.cutoff
    ]
    if old and not request.dry_run:
        transaction.on_commit(partial(_remove, old), robust=True)
    return Batch(len(names), len(old), ("", names[-1]) if names else request.after)


def _list_names() -> Iterable[str]:
    """List the uploads; what else lies in the folder is not ours."""
    try:
        _, names = uploads.storage().listdir("")
    except FileNotFoundError:
        return []
    return [name for name in names if uploads.parse_name(f"{uploads.PREFIX}{name}")]


def _remove(locations: Iterable[str]) -> None:
    for location in locations:
        uploads.remove(location)
