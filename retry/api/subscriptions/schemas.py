"""The shapes of subscriptions."""

from datetime import datetime
from typing import Annotated, Literal, Self, cast

from pydantic import Field, model_validator

from entries.models import Scope
from retry.api.http.schemas import STORABLE, PageQuery, Request, Response
from retry.models import Subscription
from retry.notices.control import Revision, Wish

#: A test compares it with what can be subscribed to.
Event = Literal[
    "outage_began",
    "group_new",
    "group_regressed",
    "breaker_tripped",
    "operation_finished",
    "operation_paused",
    "operation_awaiting",
    "source_failing",
    "dispatcher_silent",
]
_Events = Annotated[list[Event], Field(min_length=1, max_length=20)]
_Address = Annotated[str, Field(min_length=1, max_length=254), STORABLE]
#: Empty: all sources.
_Source = Annotated[str, Field(max_length=80), STORABLE]
#: Of mails; empty: the project's.
_Language = Annotated[str, Field(max_length=10), STORABLE]
_Slug = Annotated[str, Field(min_length=1, max_length=80), STORABLE]


class SubscriptionQuery(PageQuery):
    pass


class SubscribeRequest(Request):
    """Either ``address``, for mails, or ``endpoint``, for webhooks, by its slug.

    ``source``: the slug of the only source that notices are about; empty: all. ``language``: of
    mails, such as ``de``; empty: the project's; left out: what ``Accept-Language`` asks for.
    ``everyones``: also operations that others asked for. ``for_all``: not yours alone.
    """

    events: _Events
    address: _Address | None = None
    endpoint: _Slug | None = None
    source: _Source = ""
    language: _Language | None = None
    everyones: bool = False
    active: bool = True
    for_all: bool = False

    @model_validator(mode="after")
    def _check_one_target(self) -> Self:
        if (self.address is None) == (self.endpoint is None):
            raise ValueError("give either address or endpoint")
        return self

    def as_wish(self, *, language: str) -> Wish:
        """``language``: where the request names none."""
        given = self.model_dump(exclude={"for_all"}, exclude_none=True)
        return Wish(**({"language": language} | given))


class ChangeRequest(Request):
    """What is not given stays as it is. An ``endpoint`` takes the place of an ``address``."""

    events: _Events | None = None
    address: _Address | None = None
    endpoint: _Slug | None = None
    source: _Source | None = None
    language: _Language | None = None
    everyones: bool | None = None
    active: bool | None = None

    @model_validator(mode="after")
    def _check_one_target(self) -> Self:
        if self.address is not None and self.endpoint is not None:
            raise ValueError("give either address or endpoint")
        return self

    def as_revision(self) -> Revision:
        return cast("Revision", self.model_dump(exclude_none=True))


class SubscriptionResponse(Response):
    """``owner``: null where it is for all. Of ``address`` and ``endpoint`` one is null.

    ``source``: null where it is about all, or about one that the caller may not see. ``language``:
    of mails; empty where it is the project's, and for webhooks.
    """

    id: int
    owner: str | None
    events: list[str]
    channel: str
    address: str | None
    endpoint: str | None
    source: str | None
    language: str
    everyones: bool
    active: bool
    created_at: datetime

    @classmethod
    def from_subscription(cls, subscription: Subscription, *, scope: Scope) -> Self:
        source = subscription.source if scope.includes(subscription.source_id) else None
        return cls(
            id=subscription.pk,
            owner=subscription.owner.get_username() if subscription.owner else None,
            events=subscription.events,
            channel=subscription.channel,
            address=subscription.address or None,
            endpoint=subscription.endpoint.slug if subscription.endpoint else None,
            source=source.slug if source else None,
            language=subscription.language,
            everyones=subscription.everyones,
            active=subscription.active,
            created_at=subscription.created_at,
        )


class SubscriptionPage(Response):
    results: list[SubscriptionResponse]
    next_cursor: str | None


class EndedResponse(Response):
    id: int
