"""API tokens: shown once when created, stored as a digest."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from entries.models.scope import is_any_restricted, note_unrestricted
from retry import audit
from retry.access.grants import exceeds
from retry.access.permissions import ADD_TOKEN, DELETE_TOKEN
from retry.edits import get_subject
from retry.errors import NotPermitted
from retry.models import ApiToken
from retry.outcomes import Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Lets people and secret scanners recognise a token.
_PREFIX = "rdv_"
_MINUTE = timedelta(minutes=1)


def create(user: "User", *, name: str, actor: Actor, expires_at: datetime | None = None) -> str:
    """Create or replace the user's token of that name and return it; only its digest is stored.

    Raises ``NotPermitted``, also where the user holds a permission that the actor lacks.
    """
    actor.require(ADD_TOKEN)
    if actor.user is not None and exceeds(user, holder=actor.user):
        raise NotPermitted(f"{ADD_TOKEN} and every permission of {user.get_username()}")
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
    """Delete tokens; they stop working with the next request. Raises ``NotPermitted``."""
    actor.require(DELETE_TOKEN)
    with transaction.atomic():
        for token in revoked:
            before = {"user": token.user.get_username(), "name": token.name}
            token.delete()
            subject = get_subject(token.user)
            audit.record("revoke_token", actor=actor, count=1, subject=subject, before=before)


def find_user(token: str) -> "User | None":
    """Return the active user of a valid token, or None.

    Updates ``last_used_at`` at most once a minute.
    """
    found = (
        ApiToken.objects.select_related("user")
        .annotate(restricted=is_any_restricted())
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), digest=_digest(token))
        .first()
    )
    if found is None or not found.user.is_active:
        return None
    if not found.restricted:
        note_unrestricted(found.user)
    if found.last_used_at is None or timezone.now() - found.last_used_at > _MINUTE:
        # The statement checks again, so that one of many concurrent requests writes.
        stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - _MINUTE)
        ApiToken.objects.filter(stale, pk=found.pk).update(last_used_at=Now())
    return found.user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
