"""How the pages name what was sent, and what became of it."""

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext as _

from entries.admin.numbers import format_number
from entries.states import EntryStatus
from retry.models import NoticeDelivery, NoticeEvent, Withheld
from retry.notices.recording import SUBSCRIBABLE


def describe_delivery(delivery: NoticeDelivery) -> str:
    """Say in a few words what became of a delivery."""
    if delivery.withheld:
        return str(Withheld(delivery.withheld).label)
    entry = delivery.entry
    if entry is None:
        return _("queued")
    if entry.status == EntryStatus.SUCCEEDED:
        return describe_success(entry.result)
    words = {
        EntryStatus.FAILED: _("failed"),
        EntryStatus.SCHEDULED: _("will be tried again"),
        EntryStatus.DISCARDED: _("discarded"),
    }
    return words.get(EntryStatus(entry.status), _("queued"))


def describe_success(result: object) -> str:
    """A mail that its receiver may not see any more has succeeded without being sent."""
    left_out = isinstance(result, dict) and result.get("sent") is False
    return _("not sent any more") if left_out else _("sent")


def summarize(deliveries: Iterable[NoticeDelivery]) -> str:
    """``2 sent, 1 failed``"""
    counts = Counter(describe_delivery(delivery) for delivery in deliveries)
    return ", ".join(f"{format_number(number)} {words}" for words, number in counts.items())


def describe_events(events: Iterable[str]) -> str:
    events = list(events)
    if set(events) >= set(map(str, SUBSCRIBABLE)):
        return _("Everything")
    return "; ".join(str(NoticeEvent(event).label) for event in events if event in NoticeEvent)
