"""A subscription to one source: notices that are about it, and no others."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Source
from retry import service
from retry.models import Action, AuditEvent, Hold, Notice, NoticeEvent, Operation, Subscription
from retry.notices.control import Wish
from retry.notices.delivery import tell
from retry.notices.errors import SubscriptionRefused
from retry.notices.recording import SUBSCRIBABLE, Message, insert
from retry.outcomes import Actor, Channel
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import forget_scope, hide_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

SEEN = ("entries.view_entry", "retry.view_errorgroup")


@pytest.fixture
def news() -> Source:
    found: Source = SourceFactory.create(slug="news")
    EntryFactory.create(failed=True, source=found, fingerprint="1-news", kind="page")
    return found


@pytest.fixture
def blog() -> Source:
    found: Source = SourceFactory.create(slug="blog")
    EntryFactory.create(failed=True, source=found, fingerprint="1-blog", kind="webhook")
    return found


def wish(source: str = "news", events: tuple[str, ...] = SUBSCRIBABLE, **more: Any) -> Wish:
    return Wish(events=events, address="anna@example.com", source=source, everyones=True, **more)


def tell_of(event: NoticeEvent, details: Mapping[str, Any]) -> int:
    """Tell of something that happened, and return to how many subscriptions it went."""
    key = f"{event} {details}"
    insert(event, key, Message(subject=str(event), path="/admin/", details=details))
    return tell(Notice.objects.get(event=event, key=key).pk)


def operate(*sources: Source) -> str:
    ids = [source.pk for source in sources]
    made = Operation.objects.create(action=Action.RETRY, actor_label="x", source_ids=ids)
    return str(made.pk)


def put_hold(kind: str, upstream: str = "") -> int:
    made: Hold = Hold.objects.create(kind=kind, upstream=upstream, actor_label="breaker")
    return made.pk


def test_what_is_about_the_source_is_told(news: Source, blog: Source) -> None:
    service.subscribe(wish(), actor=SCRIPT)
    told = [
        tell_of(NoticeEvent.SOURCE_FAILING, {"source_id": news.pk}),
        tell_of(NoticeEvent.GROUP_NEW, {"fingerprint": "1-news"}),
        tell_of(NoticeEvent.OPERATION_FINISHED, {"operation": operate(blog, news)}),
        tell_of(NoticeEvent.BREAKER_TRIPPED, {"hold": put_hold("page")}),
        tell_of(NoticeEvent.BREAKER_TRIPPED, {"hold": put_hold("page", "page.example")}),
    ]
    assert told == [1] * len(told)


def test_what_is_not_about_it_is_not(news: Source, blog: Source) -> None:
    service.subscribe(wish(), actor=SCRIPT)
    told = [
        tell_of(NoticeEvent.SOURCE_FAILING, {"source_id": blog.pk}),
        tell_of(NoticeEvent.GROUP_REGRESSED, {"fingerprint": "1-blog"}),
        tell_of(NoticeEvent.OPERATION_PAUSED, {"operation": operate(blog)}),
        tell_of(NoticeEvent.BREAKER_TRIPPED, {"hold": put_hold("webhook")}),
        tell_of(NoticeEvent.BREAKER_TRIPPED, {"hold": put_hold("page", "else.example")}),
        tell_of(NoticeEvent.OUTAGE_BEGAN, {}),
        tell_of(NoticeEvent.DISPATCHER_SILENT, {}),
    ]
    assert told == [0] * len(told)


@pytest.fixture
def member(news: Source) -> "User":
    """Does not see ``news``."""
    hide_source(news)
    return grant(UserFactory.create(username="member", is_staff=True), *SEEN)


def act_as(user: "User") -> Actor:
    return Actor.from_user(forget_scope(user), channel=Channel.ADMIN)


def test_a_hidden_source_is_not_there(member: "User", blog: Source) -> None:
    with pytest.raises(SubscriptionRefused, match="There is no source 'news'"):
        service.subscribe(wish(), actor=act_as(member))
    with pytest.raises(SubscriptionRefused, match="There is no source 'x'"):
        service.subscribe(wish("x"), actor=act_as(member))
    made = service.subscribe(wish("blog"), actor=act_as(member))
    with pytest.raises(SubscriptionRefused, match="There is no source"):
        service.change_subscription(made.pk, wish(), actor=act_as(member))


def test_who_sees_the_source_no_more_is_told_nothing_and_keeps_it(
    member: "User", news: Source
) -> None:
    member.groups.add(*news.groups.all())
    made = service.subscribe(wish(), actor=act_as(member))
    assert tell_of(NoticeEvent.GROUP_NEW, {"fingerprint": "1-news"}) == 1
    member.groups.clear()
    assert tell_of(NoticeEvent.GROUP_REGRESSED, {"fingerprint": "1-news"}) == 0
    service.change_subscription(made.pk, wish(active=False), actor=act_as(member))
    assert Subscription.objects.get().source == news


def test_events_of_all_sources_alone_go_with_no_source(news: Source) -> None:
    with pytest.raises(SubscriptionRefused, match="is about all sources"):
        service.subscribe(wish(events=("outage_began", "dispatcher_silent")), actor=SCRIPT)


def test_the_audit_names_the_source(news: Source) -> None:
    made = service.subscribe(wish(), actor=SCRIPT)
    service.change_subscription(made.pk, wish(""), actor=SCRIPT)
    first, second = AuditEvent.objects.order_by("pk").values_list("before", "after")
    stored = [(change or {}).get("source") for change in (first[1], second[0], second[1])]
    assert stored == ["news", "news", None]
