"""API tokens: made once, shown once, stored as a digest."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from retry import audit
from retry.access.permissions import exceeds
from retry.edits import get_subject
from retry.errors import NotPermitted
from retry.models import ApiToken
from retry.outcomes import Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: So that people and scanners know one when they see it.
_PREFIX = "rdv_"
CREATE = "retry.add_apitoken"
REVOKE = "retry.delete_apitoken"
_MINUTE = timedelta(minutes=1)


def create(user: "User", *, name: str, actor: Actor, expires_at: datetime | None = None) -> str:
    """Make or replace the user's token of that name; returns the token, which is stored nowhere.

    Raises ``NotPermitted``; nobody makes a token for somebody who may do more than they may.
    """
    _require(actor, CREATE)
    if actor.user is not None and exceeds(user, holder=actor.user):
        raise NotPermitted(f"{CREATE} and all that {user.get_username()} holds")
    token = _PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        ApiToken.objects.update_or_create(
            user=user,
            name=name,
            defaults={
                "digest": _digest(token),
                "created_at": Now(),
                "expires_at": expires_at,
                "last_used_at": None,
            },
        )
        audit.record(
            "create_token",
            actor=actor,
            count=1,
            subject=get_subject(user),
            after={
                "user": user.get_username(),
                "name": name,
                "expires_at": expires_at.isoformat() if expires_at else None,
            },
        )
    return token


def revoke(revoked: Iterable[ApiToken], *, actor: Actor) -> None:
    """Make tokens worthless, from the next request on. Raises ``NotPermitted``."""
    _require(actor, REVOKE)
    with transaction.atomic():
        for token in revoked:
            before = {"user": token.user.get_username(), "name": token.name}
            token.delete()
            subject = get_subject(token.user)
            audit.record("revoke_token", actor=actor, count=1, subject=subject, before=before)


def user_of(token: str) -> "User | None":
    """The active user a token stands for, or None. Notes its use at most once a minute."""
    found = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), digest=_digest(token))
        .first()
    )
    if found is None or not found.user.is_active:
        return None
    if found.last_used_at is None or timezone.now() - found.last_used_at > _MINUTE:
        # Asked again in the statement: of many requests at once one writes.
        stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - _MINUTE)
        ApiToken.objects.filter(stale, pk=found.pk).update(last_used_at=Now())
    return found.user


def _require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise NotPermitted(permission)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
