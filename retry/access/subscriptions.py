"""Subscriptions and notices as an actor sees them."""

from django.db.models import Q, QuerySet

from retry.access.permissions import SUBSCRIBE_ALL, VIEW_ENTRY, VIEW_NOTICE
from retry.access.visibility import sees_everything
from retry.models import Notice, NoticeDelivery, Subscription
from retry.outcomes import Actor


def visible_subscriptions(actor: Actor) -> QuerySet[Subscription]:
    """Return the actor's own, and those for all where the actor may make such.

    None for a token that is narrowed to sources: what is sent is not.
    """
    if not actor.may(VIEW_ENTRY) or actor.sources is not None:
        return Subscription.objects.none()
    found = Subscription.objects.select_related("owner", "endpoint", "source")
    if actor.user is None:
        return found
    for_all = actor.may(SUBSCRIBE_ALL) and sees_everything(actor)
    return found.filter(Q(owner=actor.user_id) | (Q(owner=None) if for_all else Q(pk=None)))


def sees_all_notices(actor: Actor) -> bool:
    return actor.may(VIEW_NOTICE) and sees_everything(actor)


def visible_deliveries(actor: Actor) -> QuerySet[NoticeDelivery]:
    """Return the deliveries to the actor, or all of them for who may see all notices."""
    if not actor.may(VIEW_ENTRY):
        return NoticeDelivery.objects.none()
    if sees_all_notices(actor):
        return NoticeDelivery.objects.all()
    return NoticeDelivery.objects.filter(subscription__owner=actor.user_id)


def visible_notices(actor: Actor) -> QuerySet[Notice]:
    """Return what the actor was told, or all notices for who may see them."""
    if not actor.may(VIEW_ENTRY):
        return Notice.objects.none()
    if sees_all_notices(actor):
        return Notice.objects.all()
    told = visible_deliveries(actor).values("notice")
    return Notice.objects.filter(pk__in=told)
