"""What a token may do, and whether it works, in words."""

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from entries.models import Source
from retry.access.scopes import TokenScope
from retry.access.visibility import visible_sources
from retry.models import ApiToken
from retry.outcomes import Actor


def describe_scopes(token: ApiToken) -> str:
    if token.scopes is None:
        return gettext("everything its user may")
    if token.scopes == [TokenScope.READ.value]:
        return gettext("only read")
    return ", ".join(token.scopes)


def count_sources(token: ApiToken) -> str:
    if token.source_ids is None:
        return gettext("all")
    count = len(token.source_ids)
    return ngettext("%(count)d source", "%(count)d sources", count) % {"count": count}


def list_sources(token: ApiToken, *, actor: Actor) -> list[Source] | None:
    """Return those of its sources that the actor may see; None where it has all."""
    if token.source_ids is None:
        return None
    return list(visible_sources(actor).filter(pk__in=token.source_ids).order_by("slug"))


def describe_state(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return gettext("revoked")
    if token.expires_at is not None and token.expires_at <= timezone.now():
        return gettext("expired")
    if not (token.user.is_active and token.user.is_staff):
        return gettext("does not work: its user is not active staff")
    return gettext("works")
