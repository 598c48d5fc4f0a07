"""What can happen, and how a notice says it. Each is called where it happens."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from entries.models import NOTICE_SOURCE_KIND, Entry
from entries.phrases import Phrase, nphrase, phrase
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
from retry.notices.words import read_subject
from retry.selection_words import describe_stored

#: New and regressed groups of one call, and notices of one outage, that are recorded.
_MOST_GROUPS = 20
_MOST_OF_AN_OUTAGE = 100
#: A group that is found later than so long after its first failure is not news.
_NEWS = timedelta(hours=1)


def record_operation_end(operation: Operation, read_counts: Callable[[], dict[str, int]]) -> None:
    """``read_counts`` says how many entries had each outcome; it is asked if this is wanted."""

    def build() -> Message:
        counts = read_counts()
        known = {"operation": _name(operation), "outcomes": _list_outcomes(counts)}
        if operation.state == "completed":
            subject = phrase("%(operation)s has finished: %(outcomes)s", **known)
        else:
            subject = phrase("%(operation)s was cancelled: %(outcomes)s", **known)
        return Message(
            subject=subject,
            lines=_describe(operation),
            path=paths.find_operation_path(operation.pk),
            details=_as_data(operation) | {"outcomes": counts},
        )

    record(NoticeEvent.OPERATION_FINISHED, operation.pk, build)


def record_operation_pause(operation: Operation, *, why: str, acted_by: int | None = None) -> None:
    """``acted_by``: the user who paused it; they are not told."""
    begun = f"{operation.resumed_at:%Y%m%d%H%M%S.%f}" if operation.resumed_at else ""

    def build() -> Message:
        subject = phrase("%(operation)s is paused", operation=_name(operation))
        if why:
            known = {"operation": _name(operation), "why": why}
            subject = phrase("%(operation)s is paused: %(why)s", **known)
        return Message(
            subject=subject,
            lines=_describe(operation),
            path=paths.find_operation_path(operation.pk),
            details=_as_data(operation) | {"state": "paused", "why": why, "acted_by": acted_by},
        )

    record(NoticeEvent.OPERATION_PAUSED, f"{operation.pk} {begun}", build)


def record_operation_awaiting(operation: Operation) -> None:
    def build() -> Message:
        return Message(
            subject=phrase("%(operation)s awaits approval", operation=_name(operation)),
            lines=_describe(operation),
            path=paths.find_operation_path(operation.pk),
            details=_as_data(operation),
        )

    record(NoticeEvent.OPERATION_AWAITING, operation.pk, build)


def record_breaker(hold: Hold) -> None:
    """Record a hold of the breaker, unless only deliveries of notices wait for it."""

    def build() -> Message:
        subject = phrase("On hold: the kind %(kind)s", kind=hold.kind)
        if hold.upstream:
            known = {"upstream": hold.upstream, "kind": hold.kind}
            subject = phrase("On hold: %(upstream)s (%(kind)s)", **known)
        probed = phrase("It is probed, and lifted by itself when it works again.")
        return Message(
            subject=subject,
            lines=(hold.reason, probed),
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
        subject = phrase("New error: %(error)s", error=str(group))
        if again:
            subject = phrase("It is back: %(error)s", error=str(group))
        return Message(
            subject=subject,
            lines=(*_list_traits(group), _describe_resolution(group) if again else ""),
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
            subject=phrase("The source %(source)s cannot be synced", source=sync.source.slug),
            lines=(sync.error,),
            path=paths.find_source_path(sync.source_id),
            details={"source": sync.source.slug, "source_id": sync.source_id, "sync": sync.pk},
        )

    record(NoticeEvent.SOURCE_FAILING, sync.pk, build)


def record_silence(beat_at: datetime) -> None:
    """``beat_at``: the dispatcher's last sign of life."""

    def build() -> Message:
        return Message(
            subject=phrase(
                "The dispatcher has been silent since %(time)s", time=format_time(beat_at)
            ),
            lines=(
                phrase(
                    "Operations stand still, nothing is retried automatically, and nothing is "
                    "rescued."
                ),
                phrase("Look at its process: %(command)s", command="python manage.py dispatcher"),
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
    subjects = tuple(read_subject(notice) for notice in found[: most + 1])
    if len(subjects) <= most:
        return subjects
    return (*subjects[:most], phrase("and %(count)s more", count=found.count() - most))


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


def _name(operation: Operation) -> Phrase:
    return nphrase(
        "%(action)s of %(count)s entry",
        "%(action)s of %(count)s entries",
        operation.total,
        action=phrase(operation.get_action_display()).begin_sentence(),
    )


def _describe(operation: Operation) -> tuple[str, ...]:
    known = {"name": operation.actor_label, "reason": operation.reason}
    asked = phrase("Asked for by %(name)s", name=operation.actor_label)
    if operation.reason:
        asked = phrase("Asked for by %(name)s: %(reason)s", **known)
    return (phrase("Chosen: %(selection)s", selection=describe_stored(operation)), asked)


def _list_outcomes(counts: Mapping[str, int]) -> Phrase | list[Phrase]:
    """Say ``1,200 succeeded, 3 failed``."""
    said = [
        Phrase("%(count)s %(outcome)s", values={"count": number, "outcome": phrase(name)})
        for name, number in counts.items()
        if number
    ]
    return said or phrase("nothing was done")


def _list_traits(group: ErrorGroup) -> tuple[str, ...]:
    kinds, upstreams = list(group.kinds)[:10], list(group.upstreams)[:10]
    lines = (
        nphrase("Kind: %(names)s", "Kinds: %(names)s", len(kinds), names=kinds),
        nphrase("Upstream: %(names)s", "Upstreams: %(names)s", len(upstreams), names=upstreams),
    )
    return tuple(line for line, names in zip(lines, (kinds, upstreams), strict=True) if names)


def _describe_resolution(group: ErrorGroup) -> Phrase:
    if group.resolved_operation_id:
        by = str(group.resolved_operation_id)
        return phrase("It was resolved by operation %(operation)s.", operation=by)
    return phrase("It was resolved by %(name)s.", name=group.resolved_by)


def _as_data(operation: Operation) -> dict[str, Any]:
    return {
        "operation": str(operation.pk),
        "action": operation.action,
        "state": operation.state,
        "total": operation.total,
        "requested_by": operation.actor_label,
        "requested_by_id": operation.actor_id,
    }
