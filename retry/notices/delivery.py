"""Telling: each notice becomes entries, one for each who wants to know, and workers send them.

An entry of the kind ``mail`` or ``webhook`` has its retries, its attempts and its history like any
other, and a dead receiver costs the others nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Now

from entries import storage
from entries.models import NOTICE_SOURCE_KIND, Source
from entries.phrases import nphrase, phrase
from entries.sources.base import SourceItem
from retry.limits import hurry_locks
from retry.models import (
    Notice,
    NoticeChannel,
    NoticeDelivery,
    NoticeEvent,
    Outage,
    Subscription,
    Trigger,
    Withheld,
)
from retry.notices.content import build_body
from retry.notices.events import PARTS
from retry.notices.paths import NOTICES
from retry.notices.recording import Message, insert
from retry.notices.rights import may_be_told
from retry.notices.sources import is_about
from retry.outcomes import Actor
from retry.runs.start import start_entries

TELLER = Actor.system("notices")
#: Told in one tick.
_BATCH = 50
_LOCK_SECONDS = 0.5
_HOUR = timedelta(hours=1)
#: Failures come before they are recognised as an outage.
_BEFORE = timedelta(minutes=5)


def tell_due(do: Callable[[Callable[[], int]], int] = lambda act: act()) -> int:
    """Tell the notices whose time has come; return how many deliveries were queued.

    ``do`` does the part of each, so that one that fails does not stop the others.
    """
    due = Notice.objects.filter(told_at=None, tell_at__lte=Now()).order_by("tell_at", "pk")
    return sum(do(partial(tell, pk)) for pk in list(due.values_list("pk", flat=True)[:_BATCH]))


def tell(notice_id: int) -> int:
    """Tell one notice, once, in one transaction; return how many deliveries were queued.

    Of two that do so at the same moment, one passes over it.
    """
    with transaction.atomic():
        hurry_locks(_LOCK_SECONDS)
        waiting = Notice.objects.select_for_update(skip_locked=True, of=("self",))
        notice = waiting.filter(pk=notice_id, told_at=None).first()
        if notice is None:
            return 0
        outage = notice.outage or _find_outage(notice)
        queued = _deliver(notice, list(_find_subscriptions(notice)), outage=outage)
        Notice.objects.filter(pk=notice_id).update(told_at=Now(), outage=outage)
    return queued


def tell_only(subscription: Subscription, event: NoticeEvent, key: str, message: Message) -> None:
    """Tell one subscription something that concerns no other, in the caller's transaction."""
    insert(event, key, message)
    notice = Notice.objects.get(event=event, key=key)
    _queue(notice, [subscription])
    Notice.objects.filter(pk=notice.pk).update(told_at=Now())


def count_tests(subscription: Subscription) -> int:
    """Count the tests of the last hour."""
    tests = subscription.deliveries.filter(notice__event=NoticeEvent.TEST)
    return tests.filter(created_at__gt=Now() - _HOUR).count()


def _find_subscriptions(notice: Notice) -> QuerySet[Subscription]:
    """Find and lock those who want to know, and had subscribed when it happened.

    The lock makes the number that an hour allows exact.
    """
    wanted = Q(events__contains=[notice.event])
    if notice.event == NoticeEvent.OUTAGE_OVER:
        wanted = Q(
            deliveries__notice__outage=notice.outage,
            deliveries__notice__event=NoticeEvent.OUTAGE_BEGAN,
            deliveries__withheld="",
        )
    chosen = Subscription.objects.filter(wanted, active=True, created_at__lte=notice.recorded_at)
    # A user that is deleted takes the subscription along.
    related = chosen.select_related("owner", "endpoint").order_by("pk")
    return related.select_for_update(of=("self",))


def _find_outage(notice: Notice) -> Outage | None:
    """Find the outage that something belongs to which happened by itself or shortly before it."""
    if notice.event not in PARTS:
        return None
    at = notice.recorded_at
    around = Q(began_at__lte=at + _BEFORE) & (Q(over_at=None) | Q(over_at__gte=at))
    return Outage.objects.filter(around).order_by("-pk").first()


def _deliver(
    notice: Notice, subscriptions: Sequence[Subscription], *, outage: Outage | None
) -> int:
    began = None
    if outage is not None and notice.event in PARTS:
        began = Notice.objects.filter(outage=outage, event=NoticeEvent.OUTAGE_BEGAN).first()
    sent = _count_sent(subscriptions)
    allowed = [s for s in subscriptions if _wants(s, notice) and may_be_told(s, notice)]
    now: list[Subscription] = []
    for subscription in allowed:
        if began is not None and _is_told(subscription, began):
            _withhold(notice, subscription, Withheld.OUTAGE)
        elif notice.event == NoticeEvent.OUTAGE_OVER:
            now.append(subscription)
        elif sent.get(subscription.pk, 0) >= settings.REDRIVE_NOTICES_AN_HOUR:
            _withhold(notice, subscription, Withheld.TOO_MANY)
            _say_that_there_is_more(subscription)
        else:
            now.append(subscription)
    return _queue(notice, now)


def _wants(subscription: Subscription, notice: Notice) -> bool:
    """Whether a notice is about what a subscription is for. Asked when it is queued, and not when
    it is sent: by then an entry may have succeeded.
    """
    return subscription.source_id is None or is_about(notice, subscription.source_id)


def _is_told(subscription: Subscription, began: Notice) -> bool:
    """Whether a subscription gets the notice of the outage itself."""
    return (
        NoticeEvent.OUTAGE_BEGAN in subscription.events
        and _wants(subscription, began)
        and subscription.created_at <= began.recorded_at
        and may_be_told(subscription, began)
    )


def _count_sent(subscriptions: Iterable[Subscription]) -> dict[int, int]:
    """Count what was sent within the last hour, by the id of the subscription."""
    recent = NoticeDelivery.objects.filter(
        subscription__in=[s.pk for s in subscriptions], created_at__gt=Now() - _HOUR, withheld=""
    ).exclude(notice__event__in=(NoticeEvent.MORE, NoticeEvent.TEST))
    rows = recent.order_by().values_list("subscription").annotate(number=Count("pk"))
    return dict(rows)


def _withhold(notice: Notice, subscription: Subscription, why: Withheld) -> None:
    delivery = _build(notice, subscription)
    delivery.withheld = why
    NoticeDelivery.objects.bulk_create([delivery], ignore_conflicts=True)


def _say_that_there_is_more(subscription: Subscription) -> None:
    """Say once in an hour that more happened than is sent."""
    of_this = Notice.objects.filter(event=NoticeEvent.MORE, deliveries__subscription=subscription)
    if of_this.filter(recorded_at__gt=Now() - _HOUR).exists():
        return
    last = of_this.aggregate(newest=Max("pk"))["newest"] or 0
    most = settings.REDRIVE_NOTICES_AN_HOUR
    message = Message(
        subject=phrase("More happened; see the desk"),
        lines=(
            nphrase(
                "At most %(count)s notice is sent within an hour. The desk lists the others.",
                "At most %(count)s notices are sent within an hour. The desk lists the others.",
                most,
            ),
        ),
        path=NOTICES,
    )
    tell_only(subscription, NoticeEvent.MORE, f"{subscription.pk} after {last}", message)


def _queue(notice: Notice, subscriptions: Sequence[Subscription]) -> int:
    """Queue a delivery for each subscription; their runs are handed over after the commit."""
    if not subscriptions:
        return 0
    deliveries = NoticeDelivery.objects.bulk_create([_build(notice, s) for s in subscriptions])
    source = find_source()
    entries: dict[str, int] = {}
    for channel in NoticeChannel:
        items = [_build_item(d, notice) for d in deliveries if d.channel == channel]
        if items:
            stored = storage.store(source_id=source.pk, kind=channel.value, items=items)
            entries |= {s.external_id: s.id for s in stored}
    start_entries(
        sorted(entries.values()),
        verb="submit",
        trigger=Trigger.SUBMIT,
        actor=TELLER,
        reason=f"notice {notice.pk}",
        bulk=False,
    )
    for delivery in deliveries:
        delivery.entry_id = entries[str(delivery.pk)]
    NoticeDelivery.objects.bulk_update(deliveries, ["entry"])
    return len(deliveries)


def _build(notice: Notice, subscription: Subscription) -> NoticeDelivery:
    return NoticeDelivery(
        notice=notice,
        subscription=subscription,
        channel=subscription.channel,
        target=subscription.target,
    )


def _build_item(delivery: NoticeDelivery, notice: Notice) -> SourceItem:
    """Build the entry of a delivery; a mail is written when it is sent."""
    payload: dict[str, Any] = {"delivery": delivery.pk}
    if delivery.channel == NoticeChannel.WEBHOOK:
        payload = {"endpoint": delivery.target, **build_body(notice)}
    return SourceItem(str(delivery.pk), f"Notice {notice.pk} by {delivery.channel}", payload)


def find_source() -> Source:
    """Find the source of all deliveries; the first call makes it."""
    known = Source.objects.filter(kind=NOTICE_SOURCE_KIND).order_by("pk").first()
    if known is not None:
        return known
    source, _ = Source.objects.get_or_create(
        slug="redrive-notices",
        defaults={
            "name": "Notices",
            "kind": NOTICE_SOURCE_KIND,
            "location": "subscriptions",
            "entry_kind": NoticeChannel.MAIL.value,
            "enabled": False,
        },
    )
    return source
