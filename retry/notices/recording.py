"""Recording that something happened, in the transaction in which it happens.

What makes the event happen once makes its notice happen once: a conditional statement, or a lock.
The unique key holds where several processes notice the same.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import override

from retry.models import Notice, NoticeEvent, Outage, Subscription
from retry.notices.words import as_words, write_subject, write_text

logger = logging.getLogger(__name__)

#: What can be subscribed to. The end of an outage goes to those who were told of its beginning.
SUBSCRIBABLE = tuple(
    event
    for event in NoticeEvent
    if event not in {NoticeEvent.OUTAGE_OVER, NoticeEvent.TEST, NoticeEvent.MORE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a notice says. ``path``: the page to look at; ``details``: the same as data.

    Mails translate what subject and lines have as phrases.
    """

    subject: str
    lines: tuple[str, ...] = ()
    path: str
    details: Mapping[str, Any] = field(default_factory=dict)


def is_wanted(*events: NoticeEvent) -> bool:
    """Return whether a subscription exists for one of the events."""
    wanted = Subscription.objects.filter(active=True, events__overlap=[*map(str, events)])
    return wanted.exists()


def record(
    event: NoticeEvent,
    key: object,
    build: Callable[[], Message],
    *,
    settle_seconds: float = 0.0,
    outage: Outage | None = None,
) -> None:
    """Record an event to which there is a subscription, in the caller's transaction.

    The same ``key`` again changes nothing. It is sent after ``settle_seconds``, unless it turns out
    to be part of an outage by then. What cannot be recorded is logged: it must not undo what has
    happened.
    """
    if not is_wanted(event):
        return
    try:
        # The user who acts may read pages in another language.
        with override(None), transaction.atomic():
            insert(event, key, build(), settle_seconds=settle_seconds, outage=outage)
    except Exception:
        logger.exception("notice.not_recorded", extra={"event_name": event.value})


def insert(
    event: NoticeEvent,
    key: object,
    message: Message,
    *,
    settle_seconds: float = 0.0,
    outage: Outage | None = None,
) -> None:
    """Record an event whether or not there is a subscription to it, as ``record`` does."""
    notice = Notice(
        event=event,
        key=str(key)[:100],
        subject=write_subject(message.subject),
        text=write_text(message.lines),
        words=as_words(message.subject, message.lines),
        path=message.path,
        details=dict(message.details),
        tell_at=Now() + timedelta(seconds=settle_seconds),
        outage=outage,
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
