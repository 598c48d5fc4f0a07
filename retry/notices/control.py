"""The verbs of subscriptions: who gets notices of what, by mail or by webhook.

Each user who sees entries keeps subscriptions of their own; one for all needs a permission, and
eyes from which nothing is hidden, because it gets every notice. A webhook needs
what pushing to an endpoint needs. Notices are sent by the rights of the user, not by those of a
token: a token that is narrowed to sources knows no subscriptions.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from entries.models import Endpoint, Source
from entries.phrases import phrase
from retry import audit
from retry.access.permissions import SUBMIT_ENTRY, SUBSCRIBE_ALL, VIEW_ENDPOINT, VIEW_ENTRY
from retry.access.scopes import TokenScope
from retry.access.subscriptions import visible_subscriptions
from retry.access.visibility import sees_everything, visible_sources
from retry.edits import get_subject
from retry.errors import NotPermitted
from retry.models import NoticeChannel, NoticeEvent, Subscription
from retry.notices.delivery import count_tests, tell_only
from retry.notices.errors import SubscriptionNotFound, SubscriptionRefused
from retry.notices.paths import SUBSCRIPTIONS
from retry.notices.recording import SUBSCRIBABLE, Message
from retry.notices.sources import ABOUT_ALL
from retry.outcomes import Actor

#: Of one owner, and of those for all.
MOST = 20
#: Of one subscription, so that a loop in a script does not fill a mailbox.
TESTS_AN_HOUR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user wants to know, and how: an ``address`` or the slug of an ``endpoint``.

    ``everyones``: also operations that others asked for. ``source``: the slug of the only source
    that notices are about; empty: all. ``language``: of mails; empty: the project's. Webhooks have
    none: they are English.
    """

    events: Collection[str]
    address: str = ""
    endpoint: str = ""
    source: str = ""
    language: str = ""
    everyones: bool = False
    active: bool = True


class Revision(TypedDict, total=False):
    """What to change of a wish; what is missing stays. One target takes the place of the other."""

    events: Collection[str]
    address: str
    endpoint: str
    source: str
    language: str
    everyones: bool
    active: bool


def subscribe(wish: Wish, *, actor: Actor, for_all: bool = False) -> Subscription:
    """Send the actor, or with ``for_all`` all, notices of what happens from now on.

    What a command subscribes to is for all. Raises ``NotPermitted`` and ``SubscriptionRefused``.
    """
    actor.require_scope(TokenScope.NOTICES)
    owner = None if for_all else actor.user
    _require(wish, for_all=owner is None, actor=actor)
    fields = _clean(wish) | {"source": _find_source(wish, actor=actor)}
    with transaction.atomic():
        if Subscription.objects.filter(owner=owner).count() >= MOST:
            why = phrase("There are %(count)s subscriptions already. End one first.", count=MOST)
            raise SubscriptionRefused(why)
        subscription = Subscription.objects.create(owner=owner, **fields)
        _audit("subscribe", subscription, actor=actor, after=_as_data(subscription))
    return subscription


def change_subscription(
    subscription_id: int, wish: Wish | Revision, *, actor: Actor
) -> Subscription:
    """Raises ``NotPermitted``, ``SubscriptionNotFound`` and ``SubscriptionRefused``."""
    actor.require_scope(TokenScope.NOTICES)
    actor.require(VIEW_ENTRY)
    with transaction.atomic():
        subscription = _lock(subscription_id, actor=actor)
        if not isinstance(wish, Wish):
            wish = _revise(subscription, wish)
        _require(wish, for_all=subscription.owner_id is None, actor=actor)
        before = _as_data(subscription)
        source = _find_source(wish, actor=actor, known=subscription.source)
        for name, value in {**_clean(wish), "source": source}.items():
            setattr(subscription, name, value)
        after = _as_data(subscription)
        if before != after:
            subscription.save()
            _audit("change_subscription", subscription, actor=actor, before=before, after=after)
    return subscription


def unsubscribe(subscription_id: int, *, actor: Actor) -> None:
    """End a subscription; what is queued for it is not sent either.

    Raises ``NotPermitted`` and ``SubscriptionNotFound``.
    """
    actor.require_scope(TokenScope.NOTICES)
    actor.require(VIEW_ENTRY)
    with transaction.atomic():
        subscription = _lock(subscription_id, actor=actor)
        _audit("unsubscribe", subscription, actor=actor, before=_as_data(subscription))
        subscription.delete()


def send_test_notice(subscription_id: int, *, actor: Actor) -> Subscription:
    """Send a notice that says it is a test. Raises ``NotPermitted``, ``SubscriptionNotFound``, and
    ``SubscriptionRefused`` for one that is switched off, or was tested often.
    """
    actor.require_scope(TokenScope.NOTICES)
    actor.require(VIEW_ENTRY)
    with transaction.atomic():
        subscription = _lock(subscription_id, actor=actor)
        if not subscription.active:
            why = phrase("This subscription is switched off, so nothing was sent.")
            raise SubscriptionRefused(why)
        if count_tests(subscription) >= TESTS_AN_HOUR:
            why = phrase("%(count)s tests were sent within the hour already.", count=TESTS_AN_HOUR)
            raise SubscriptionRefused(why)
        message = Message(
            subject=phrase("This is a test"),
            lines=(
                phrase(
                    "%(name)s asked for it. Notices will arrive here like this one.",
                    name=actor.label,
                ),
            ),
            path=SUBSCRIPTIONS,
        )
        tell_only(subscription, NoticeEvent.TEST, str(uuid4()), message)
        _audit("test_subscription", subscription, actor=actor)
    return subscription


def _require(wish: Wish, *, for_all: bool, actor: Actor) -> None:
    """Raises ``NotPermitted``."""
    actor.require(VIEW_ENTRY)
    if actor.sources is not None:
        raise NotPermitted(phrase("of a token for all sources"))
    if for_all:
        actor.require(SUBSCRIBE_ALL)
        if not sees_everything(actor):
            raise NotPermitted(phrase("%(permission)s and every entry", permission=SUBSCRIBE_ALL))
    if wish.endpoint:
        actor.require(SUBMIT_ENTRY)
        actor.require(VIEW_ENDPOINT)


def _lock(subscription_id: int, *, actor: Actor) -> Subscription:
    """Raises ``SubscriptionNotFound``."""
    found = visible_subscriptions(actor).select_for_update(of=("self",))
    subscription = found.filter(pk=subscription_id).first()
    if subscription is None:
        raise SubscriptionNotFound(subscription_id)
    return subscription


def _revise(subscription: Subscription, revision: Revision) -> Wish:
    known: Revision = {
        "events": subscription.events,
        "address": subscription.address,
        "endpoint": subscription.endpoint.slug if subscription.endpoint else "",
        "source": subscription.source.slug if subscription.source else "",
        # One that the project no longer has is the project's.
        "language": subscription.language if subscription.language in _list_languages() else "",
        "everyones": subscription.everyones,
        "active": subscription.active,
    }
    if "address" in revision or "endpoint" in revision:
        known |= {"address": "", "endpoint": ""}
    return Wish(**(known | revision))


def _clean(wish: Wish) -> dict[str, Any]:
    """Return the columns of a wish. Raises ``SubscriptionRefused``."""
    unknown = sorted(set(wish.events) - set(map(str, SUBSCRIBABLE)))
    if unknown:
        raise SubscriptionRefused(
            phrase("There is no event %(event)s.", event=repr(unknown[0][:50]))
        )
    if not wish.events:
        raise SubscriptionRefused(phrase("Choose at least one event."))
    if bool(wish.address) == bool(wish.endpoint):
        raise SubscriptionRefused(phrase("Give either an address for mails or an endpoint."))
    endpoint = None
    if wish.endpoint:
        endpoint = Endpoint.objects.filter(slug=wish.endpoint).first()
        if endpoint is None:
            given = repr(wish.endpoint[:80])
            raise SubscriptionRefused(phrase("There is no endpoint %(endpoint)s.", endpoint=given))
    else:
        _check_address(wish.address)
    return {
        "events": [str(event) for event in SUBSCRIBABLE if event in wish.events],
        "channel": NoticeChannel.WEBHOOK if endpoint else NoticeChannel.MAIL,
        "address": wish.address,
        "endpoint": endpoint,
        "language": "" if endpoint else _check_language(wish.language),
        "everyones": wish.everyones,
        "active": wish.active,
    }


def _find_source(wish: Wish, *, actor: Actor, known: Source | None = None) -> Source | None:
    """Find the source of a wish; one that is ``known`` may stay though the actor sees it no more.

    Raises ``SubscriptionRefused``.
    """
    if not wish.source:
        return None
    if known is not None and known.slug == wish.source:
        found: Source | None = known
    else:
        found = visible_sources(actor).filter(slug=wish.source).first()
    if found is None:
        given = repr(wish.source[:80])
        raise SubscriptionRefused(phrase("There is no source %(source)s.", source=given))
    if ABOUT_ALL.issuperset(wish.events):
        why = phrase("What you chose is about all sources. Choose another event, or no source.")
        raise SubscriptionRefused(why)
    return found


def _check_language(language: str) -> str:
    known = _list_languages()
    if language and language not in known:
        why = phrase(
            "There is no language %(language)s; there are: %(names)s.",
            language=repr(language[:20]),
            names=", ".join(known),
        )
        raise SubscriptionRefused(why)
    return language


def _list_languages() -> list[str]:
    return [code for code, _ in settings.LANGUAGES]


def _check_address(address: str) -> None:
    longest = Subscription._meta.get_field("address").max_length or 0
    try:
        validate_email(address)
    except ValidationError as error:
        why = phrase("%(address)s is no address for mails.", address=repr(address[:100]))
        raise SubscriptionRefused(why) from error
    if len(address) > longest:
        why = phrase("An address has at most %(count)s characters.", count=longest)
        raise SubscriptionRefused(why)


def _as_data(subscription: Subscription) -> dict[str, Any]:
    return {
        "events": list(subscription.events),
        "channel": str(subscription.channel),
        "target": subscription.target,
        "source": subscription.source.slug if subscription.source else None,
        "language": subscription.language,
        "everyones": subscription.everyones,
        "active": subscription.active,
        "for_all": subscription.owner_id is None,
    }


def _audit(verb: str, subscription: Subscription, *, actor: Actor, **change: Any) -> None:
    audit.record(verb, actor=actor, count=1, subject=get_subject(subscription), **change)
