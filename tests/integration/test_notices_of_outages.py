"""Exactly one notice for an outage and one for its end, whatever breaks meanwhile."""

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from standardwebhooks import Webhook

from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import ErrorGroup, Notice, NoticeDelivery, NoticeEvent, Outage, Withheld
from retry.notices import delivery
from tests.factories.entries import EndpointFactory
from tests.support import notices
from tests.support.counts import append, fail
from tests.support.http import LocalServer
from tests.support.threads import all_at_once

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_ticks")]


@pytest.fixture(autouse=True)
def _no_cache() -> None:
    cache.clear()


def break_down(failures: int, *, groups: int = 1, name: str = "error") -> None:
    """So many failures of so many groups, as workers append them, in portions."""
    for start in range(0, failures, 500):
        numbers = range(start, min(start + 500, failures))
        append(*(fail(f"{name} {'x' * (number % groups + 1)}") for number in numbers))


def ticks(dispatcher: Dispatcher, number: int = 8) -> None:
    for _ in range(number):
        notices.tick(dispatcher)
        dispatcher._outages._looked_at = dispatcher._folded_at = float("-inf")


def test_10_000_failures_are_one_mail_and_one_webhook_and_so_is_their_end(
    server: LocalServer,
) -> None:
    server.answer("/hooks", "ok")
    endpoint = EndpointFactory.create(slug="chat", url=server.url("/hooks"))
    notices.subscribe_to()
    notices.subscribe_to(endpoint=endpoint)
    dispatcher = Dispatcher()
    break_down(30, groups=3)
    ticks(dispatcher)
    for _ in range(4):
        break_down(2_500, groups=300)
        ticks(dispatcher, 3)
    notices.let_settle()
    ticks(dispatcher)
    assert ErrorGroup.objects.count() == 300
    assert len(notices.list_subjects()) == 1
    assert notices.list_subjects()[0].startswith("Outage: 30 failed since ")
    [body] = notices.list_bodies(server)
    assert body["event"] == "outage_began"
    assert "(usual: 0 an hour)" in body["text"]

    notices.let_time_pass(minutes=40)
    cache.clear()
    ticks(dispatcher)
    assert len(notices.list_subjects()) == 2
    assert notices.list_subjects()[1].startswith("The outage is over: 10,030 failed from ")
    assert [body["event"] for body in notices.list_bodies(server)] == [
        "outage_began",
        "outage_over",
    ]
    ticks(dispatcher)
    notices.let_settle()
    ticks(dispatcher)
    assert len(notices.list_subjects()) == len(server.received) == 2
    Webhook(endpoint.secret).verify(server.received[0].body, dict(server.received[0].headers))


def test_what_broke_is_listed_with_the_outage(server: LocalServer) -> None:
    notices.subscribe_to()
    dispatcher = Dispatcher()
    break_down(5, name="first")
    ticks(dispatcher, 1)
    assert notices.list_events() == ["group_new"]
    break_down(40, name="second")
    ticks(dispatcher)
    began = Notice.objects.get(event=NoticeEvent.OUTAGE_BEGAN)
    assert "- New error: RuntimeError: first x" in began.text
    notices.let_settle()
    ticks(dispatcher)
    assert len(notices.list_subjects()) == 1
    withheld = NoticeDelivery.objects.exclude(withheld="")
    assert {d.withheld for d in withheld} == {Withheld.OUTAGE}


def test_who_does_not_want_outages_is_told_of_errors_one_by_one() -> None:
    notices.subscribe_to(NoticeEvent.OUTAGE_BEGAN, address="anna@example.com")
    notices.subscribe_to(NoticeEvent.GROUP_NEW, address="ben@example.com")
    dispatcher = Dispatcher()
    break_down(40, groups=2)
    ticks(dispatcher)
    notices.let_settle()
    ticks(dispatcher)
    subjects = sorted(notices.list_subjects())
    assert [subject.partition(":")[0] for subject in subjects] == ["New error"] * 2 + ["Outage"]


def test_a_few_failures_are_no_outage_and_a_new_error() -> None:
    notices.subscribe_to()
    dispatcher = Dispatcher()
    break_down(5)
    ticks(dispatcher)
    assert notices.list_subjects() == [], "it could be the beginning of an outage"
    notices.let_settle()
    ticks(dispatcher)
    assert notices.list_subjects() == ["New error: RuntimeError: error x"]
    break_down(5)
    notices.let_settle()
    ticks(dispatcher)
    assert len(notices.list_subjects()) == 1


def test_an_outage_that_goes_on_does_not_end_and_begin_by_turns() -> None:
    notices.subscribe_to()
    dispatcher = Dispatcher()
    break_down(100)
    ticks(dispatcher)
    for _ in range(5):
        notices.let_time_pass(minutes=8)
        break_down(30)
        cache.clear()
        ticks(dispatcher)
    assert Outage.objects.count() == 1
    assert len(notices.list_subjects()) == 1


def test_after_the_end_a_second_outage_is_news() -> None:
    notices.subscribe_to()
    dispatcher = Dispatcher()
    break_down(100)
    ticks(dispatcher)
    notices.let_time_pass(minutes=20)
    ticks(dispatcher)
    break_down(5)
    ticks(dispatcher)
    assert len(notices.list_subjects()) == 2, "a few more belong to the hour of the first"
    break_down(100)
    ticks(dispatcher)
    assert [s.partition(":")[0] for s in notices.list_subjects()] == [
        "Outage",
        "The outage is over",
        "Outage",
    ]


def test_two_dispatchers_open_one_outage_and_tell_it_once(settings: "Settings") -> None:
    notices.subscribe_to()
    break_down(200, groups=20)

    def act() -> None:
        for name in ("first", "second"):
            ticks(Dispatcher(holder=name), 3)

    all_at_once(act, times=2)
    ticks(Dispatcher(), 4)
    assert Outage.objects.count() == 1
    assert notices.list_subjects() == [Notice.objects.get(event="outage_began").subject]


def test_of_two_that_tell_a_notice_at_once_one_does() -> None:
    subscription = notices.subscribe_to()
    notice = Notice.objects.create(event="group_new", key="1", subject="New error")
    assert sum(all_at_once(lambda: delivery.tell(notice.pk), times=4)) == 1
    assert subscription.deliveries.count() == Entry.objects.count() == 1


def test_nobody_who_wants_to_know_means_that_nothing_is_recorded() -> None:
    break_down(500, groups=20)
    ticks(Dispatcher())
    assert not Notice.objects.exists()
    assert not Outage.objects.exists()
    notices.subscribe_to()
    notices.let_settle()
    ticks(Dispatcher(), 1)
    assert [s.partition(":")[0] for s in notices.list_subjects()] == ["Outage"]
