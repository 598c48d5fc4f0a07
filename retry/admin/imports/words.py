"""Sentences about imports."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from entries.admin import display
from entries.phrases import show
from retry.admin.intakes.words import describe_wait
from retry.admin.shared.bar import describe_counts
from retry.models import Import, SyncState
from retry.reasons import Reason

#: What an import found, in the order in which it is shown.
IMPORTED: Mapping[str, Promise] = {
    "created": gettext_lazy("new"),
    "updated": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "left_alone": gettext_lazy("left alone"),
    "invalid": gettext_lazy("with errors"),
}
_STORED: Mapping[str, Promise] = {
    "created": gettext_lazy("created"),
    "updated": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
}


def get_title(row: Import) -> str:
    text = _("Dry run of %(file)s") if row.dry_run else _("Import of %(file)s")
    return text % {"file": row.file_name}


def get_counts(row: Import) -> dict[str, int]:
    return {name: int(getattr(row, name)) for name in IMPORTED}


def describe_found(row: Import) -> str:
    """``3 new, 1 with errors``"""
    return describe_counts(get_counts(row), IMPORTED) or display.NOTHING


def describe_outcome(row: Import) -> Iterator[str]:
    """``1,000 created, 3 changed, 20 unchanged. 1,003 queued.``, then what was not stored."""
    counts = get_counts(row)
    stored = describe_counts({name: counts[name] for name in _STORED}, _STORED)
    stored = _("%(stored)s.") % {"stored": stored} if stored else _("Nothing was stored.")
    queued = _("%(count)s queued.") if row.queued else _("Nothing was queued.")
    yield f"{stored} {queued % {'count': intcomma(row.queued)}}"
    if row.left_alone:
        reasons = sorted((show(Reason(name).words), count) for name, count in row.reasons.items())
        yield _("%(count)s left alone: %(reasons)s.") % {
            "count": intcomma(row.left_alone),
            "reasons": ", ".join(f"{intcomma(count)} {reason}" for reason, count in reasons),
        }
    if row.invalid:
        text = ngettext(
            "%(count)s left out, because it cannot be stored.",
            "%(count)s left out, because they cannot be stored.",
            row.invalid,
        )
        yield text % {"count": intcomma(row.invalid)}


def describe_row(shown: Mapping[str, Any], *, dry_run: bool) -> str:
    """Say what happens to one row of the sample."""
    reason = shown["reason"]
    match shown["what"]:
        case "new":
            return _("New; would be queued")
        case "changed":
            return _("Changed; already queued") if reason else _("Changed; would be queued")
        case "alone":
            return _("Left alone: %(reason)s") % {"reason": show(Reason(reason).words)}
        case _other:
            return _("Cannot be stored") if dry_run else _("Left out")


def describe_state(row: Import) -> Iterator[str]:
    """Describe the state; a dry run that succeeded has a template of its own."""
    match row.state:
        case SyncState.QUEUED:
            yield describe_wait(row)
        case SyncState.RUNNING if row.dry_run:
            yield _("The file is being compared. Nothing is stored.")
        case SyncState.RUNNING:
            yield _("The file is being imported. You can leave this page.")
        case SyncState.FAILED if row.dry_run:
            yield _("Nothing was stored. Correct the file and choose it again.")
        case SyncState.FAILED:
            yield _("What was stored before the error is kept.")
        case SyncState.SUCCEEDED if not row.dry_run:
            yield from describe_outcome(row)
