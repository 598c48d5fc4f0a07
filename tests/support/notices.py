"""Subscriptions, ticks, and what arrives of notices."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core import mail
from django.db.models import F
from django.db.models.functions import Now

from entries.models import Endpoint
from retry.dispatcher.loop import Dispatcher
from retry.models import Notice, NoticeEvent, Outage, OutcomeCount, Subscription
from retry.notices.control import Wish, send_test_notice, subscribe
from retry.outcomes import Actor, Channel
from retry.runs.backlog import find_startable_runs
from retry.worker import execution
from tests.support.asking import SCRIPT
from tests.support.http import LocalServer

if TYPE_CHECKING:
    from django.contrib.auth.models import User

EVERYTHING = tuple(map(str, NoticeEvent))[:-2]


def subscribe_to(
    *events: str,
    user: "User | None" = None,
    address: str = "anna@example.com",
    endpoint: Endpoint | None = None,
    everyones: bool = False,
    language: str = "",
) -> Subscription:
    """A subscription of a user, or without one for all."""
    actor = Actor.from_user(user, channel=Channel.ADMIN) if user else SCRIPT
    chosen = set(events or EVERYTHING) - {NoticeEvent.OUTAGE_OVER}
    wish = Wish(
        events=chosen,
        address="" if endpoint else address,
        endpoint=endpoint.slug if endpoint else "",
        everyones=everyones,
        language=language,
    )
    return subscribe(wish, actor=actor)


def deliver() -> None:
    """Do in this process what workers have to do for notices."""
    for run in find_startable_runs().filter(kind__in=("mail", "webhook")):
        execution.execute(run.pk, worker=f"test:{run.pk.hex}")


def tick(dispatcher: Dispatcher | None = None) -> None:
    """One round of the dispatcher, and what workers then have to send."""
    (dispatcher or Dispatcher()).tick()
    deliver()


def list_subjects() -> list[str]:
    """Subjects of the mails that were sent."""
    return [sent.subject.removeprefix("[Redrive] ") for sent in mail.outbox]


def list_bodies(server: LocalServer) -> list[dict[str, Any]]:
    """Bodies of the webhooks that arrived."""
    return [json.loads(received.body) for received in server.received]


def let_time_pass(minutes: int) -> None:
    """Let everything that is counted, and the open outage, be so much older."""
    passed = timedelta(minutes=minutes)
    # By way of another century: a minute may move to where another one still is.
    OutcomeCount.objects.update(at=F("at") - timedelta(days=36_500))
    OutcomeCount.objects.update(at=F("at") + timedelta(days=36_500) - passed)
    Outage.objects.update(began_at=F("began_at") - passed, opened_at=F("opened_at") - passed)
    Notice.objects.update(recorded_at=F("recorded_at") - passed)
    Subscription.objects.update(created_at=F("created_at") - passed)


def let_settle() -> None:
    """The time of what waits to be told has come."""
    Notice.objects.filter(told_at=None).update(tell_at=Now())


def list_events() -> Sequence[str]:
    return list(Notice.objects.order_by("pk").values_list("event", flat=True))


def note_test(subscription: Subscription) -> Notice:
    """A notice that was queued for a subscription."""
    send_test_notice(subscription.pk, actor=SCRIPT)
    return Notice.objects.latest("pk")
