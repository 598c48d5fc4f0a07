"""Subscriptions, for the laws about verbs."""

from collections.abc import Callable
from dataclasses import replace

from retry import service
from retry.models import NoticeEvent, Subscription
from retry.notices.control import Wish
from retry.outcomes import Actor

_WISH = Wish(events=[NoticeEvent.OUTAGE_BEGAN], address="desk@example.com")
Act = Callable[[Actor], object]


def _subscribed() -> Subscription:
    return service.subscribe(_WISH, actor=Actor.command("before"))


def subscribe() -> Act:
    return lambda actor: service.subscribe(_WISH, actor=actor)


def change_subscription() -> Act:
    known, wish = _subscribed(), replace(_WISH, address="other@example.com")
    return lambda actor: service.change_subscription(known.pk, wish, actor=actor)


def unsubscribe() -> Act:
    known = _subscribed()
    return lambda actor: service.unsubscribe(known.pk, actor=actor)


def send_test_notice() -> Act:
    known = _subscribed()
    return lambda actor: service.send_test_notice(known.pk, actor=actor)
