"""What can happen, and how a notice says it. Each is called where it happens."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.text import capfirst

from entries.models import NOTICE_SOURCE_KIND, Entry
from retry.models import (
    ErrorGroup,
    Hold,
    Notice,
    NoticeEvent,
    Operation,
    Outage,
    Sync,
    SyncState,
)
from retry.notices import paths
from retry.notices.recording import Message, record

#: New and regressed groups of one call, and notices of one outage, that are recorded.
_MOST_GROUPS = 20
_MOST_OF_AN_OUTAGE = 100
#: A group that is found later than so long after its first failure is not news.
_NEWS = timedelta(hours=1)


def record_operation_end(operation: Operation, read_counts: Callable[[], dict[str, int]]) -> None:
    """``read_counts`` says how many entries had each outcome; it is asked if this is wanted."""

    def build() -> Message:
        counts = read_counts()
        ended = "has finished" if operation.state == "completed" else "was cancelled"
        outcomes = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        return Message(
            subject=f"{_name(operation)} {ended}: {outcomes or 'nothing was done'}",
            lines=_describe(operation),
            path=paths.find_operation_path(operation.pk),
            details=_as_data(operation) | {"outcomes": counts},
        )

    record(NoticeEvent.OPERATION_FINISHED, operation.pk, build)


def record_operation_pause(operation: Operation, *, why: str, acted_by: int | None = None) -> None:
    """``acted_by``: the user who paused it; they are not told."""
    begun = f"{operation.resumed_at:%Y%m%d%H%M%S.%f}" if operation.resumed_at else ""

    def build() -> Message:
        return Message(
            subject=f"{_name(operation)} is paused{f': {why}' if why else ''}",
            lines=_describe(operation),
            path=paths.find_operation_path(operation.pk),
            details=_as_data(operation) | {"state": "paused", "why": why, "acted_by": acted_by},
        )

    record(NoticeEvent.OPERATION_PAUSED, f"{operation.pk} {begun}", build)


def record_operation_awaiting(operation: Operation) -> None:
    def build() -> Message:
        return Message(
            subject=f"{_name(operation)} awaits approval",
            lines=_describe(operation),
            path=paths.find_operation_path(operation.pk),
            details=_as_data(operation),
        )

    record(NoticeEvent.OPERATION_AWAITING, operation.pk, build)


def record_breaker(hold: Hold) -> None:
    """Record a hold of the breaker, unless only deliveries of notices wait for it."""

    def build() -> Message:
        what = f"{hold.upstream} ({hold.kind})" if hold.upstream else f"the kind {hold.kind}"
        return Message(
            subject=f"On hold: {what}",
            lines=(hold.reason, "It is probed, and lifted by itself when it works again."),
            path=paths.HOLDS,
            details={"hold": hold.pk, "kind": hold.kind, "upstream": hold.upstream},
        )

    if not _concerns_only_notices(hold):
        record(
            NoticeEvent.BREAKER_TRIPPED,
            hold.pk,
            build,
            settle_seconds=settings.REDRIVE_NOTICE_SETTLE_SECONDS,
            outage=find_open_outage(),
        )


def record_groups(*, new: Sequence[int], regressed: Sequence[int]) -> None:
    """Record groups that were created, or failed again after they were resolved, by their ids.

    Of many at once only the first are recorded: that is an outage.
    """
    if not new and not regressed:
        return
    outage = find_open_outage()
    room = _MOST_GROUPS
    if outage is not None:
        room = min(room, _MOST_OF_AN_OUTAGE - outage.notices.count())
    groups = ErrorGroup.objects.filter(pk__in=[*regressed, *new]).order_by("-failures", "pk")
    for group in groups[: max(room, 0)]:
        if group.pk in regressed:
            _record_group(NoticeEvent.GROUP_REGRESSED, group, outage=outage)
        elif group.first_seen > timezone.now() - _NEWS:
            _record_group(NoticeEvent.GROUP_NEW, group, outage=outage)


def _record_group(event: NoticeEvent, group: ErrorGroup, *, outage: Outage | None) -> None:
    again = event == NoticeEvent.GROUP_REGRESSED
    at = group.regressed_at if again else group.created_at

    def build() -> Message:
        by = group.resolved_by
        if group.resolved_operation_id:
            by = f"operation {group.resolved_operation_id}"
        return Message(
            subject=f"{'It is back' if again else 'New error'}: {group}",
            lines=(
                _join("Kind", group.kinds),
                _join("Upstream", group.upstreams),
                f"It was resolved by {by}." if again else "",
            ),
            path=paths.find_group_path(group.pk),
            details={"error_group": group.pk, "fingerprint": group.fingerprint},
        )

    record(
        event,
        f"{group.pk} {at:%Y%m%d%H%M%S.%f}",
        build,
        settle_seconds=settings.REDRIVE_NOTICE_SETTLE_SECONDS,
        outage=outage,
    )


def record_source_failing(sync: Sync) -> None:
    """Record that a source cannot be synced, unless its last sync had failed as well."""
    earlier = Sync.objects.filter(
        source=sync.source_id,
        pk__lt=sync.pk,
        dry_run=False,
        state__in=(SyncState.SUCCEEDED, SyncState.FAILED),
    )
    if earlier.order_by("-pk").values_list("state", flat=True).first() == SyncState.FAILED:
        return

    def build() -> Message:
        return Message(
            subject=f"The source {sync.source.slug} cannot be synced",
            lines=(sync.error,),
            path=paths.find_source_path(sync.source_id),
            details={"source": sync.source.slug, "source_id": sync.source_id, "sync": sync.pk},
        )

    record(NoticeEvent.SOURCE_FAILING, sync.pk, build)


def record_silence(beat_at: datetime) -> None:
    """``beat_at``: the dispatcher's last sign of life."""

    def build() -> Message:
        return Message(
            subject=f"The dispatcher has been silent since {format_time(beat_at)}",
            lines=(
                "Operations stand still, nothing is retried automatically, and nothing is rescued.",
                "Look at its process: python manage.py dispatcher",
            ),
            path=paths.STATUS,
            details={"last_sign_of_life": beat_at.isoformat()},
        )

    record(NoticeEvent.DISPATCHER_SILENT, f"{beat_at:%Y%m%d%H%M%S.%f}", build)


def find_open_outage() -> Outage | None:
    return Outage.objects.filter(is_open=True).first()


def list_parts(outage: Outage, *, most: int) -> tuple[str, ...]:
    """Return the subjects of the notices that are parts of an outage, and how many more."""
    found = Notice.objects.filter(outage=outage, event__in=PARTS).order_by("pk")
    subjects = tuple(found.values_list("subject", flat=True)[: most + 1])
    if len(subjects) <= most:
        return subjects
    return (*subjects[:most], f"and {found.count() - most:,} more")


#: What belongs to an outage while there is one.
PARTS = (
    NoticeEvent.GROUP_NEW,
    NoticeEvent.GROUP_REGRESSED,
    NoticeEvent.BREAKER_TRIPPED,
)


def format_time(when: datetime) -> str:
    local = timezone.localtime(when)
    return f"{local:%H:%M} {local.tzname()}"


def _concerns_only_notices(hold: Hold) -> bool:
    """Whether nothing but deliveries of notices waits or has failed there.

    An undeliverable notice must not lead to another one.
    """
    troubled = Entry.objects.filter(
        kind=hold.kind, upstream=hold.upstream, status__in=("failed", "scheduled", "queued")
    )
    notices = troubled.filter(source__kind=NOTICE_SOURCE_KIND)
    return notices.exists() and not troubled.exclude(pk__in=notices.values("pk")).exists()


def _name(operation: Operation) -> str:
    noun = "entry" if operation.total == 1 else "entries"
    return f"{capfirst(operation.get_action_display())} of {operation.total:,} {noun}"


def _describe(operation: Operation) -> tuple[str, ...]:
    why = f": {operation.reason}" if operation.reason else ""
    return (
        f"Chosen: {operation.selection_words}",
        f"Asked for by {operation.actor_label}{why}",
    )


def _as_data(operation: Operation) -> dict[str, Any]:
    return {
        "operation": str(operation.pk),
        "action": operation.action,
        "state": operation.state,
        "total": operation.total,
        "requested_by": operation.actor_label,
        "requested_by_id": operation.actor_id,
    }


def _join(title: str, names: Iterable[str]) -> str:
    known = list(names)
    return f"{title}{'s' if len(known) > 1 else ''}: {', '.join(known[:10])}" if known else ""
