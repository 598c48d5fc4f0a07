"""API tokens: made once, shown once, stored as a digest."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Now

from retry.models import ApiToken

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_PREFIX = "rdv_"
_MINUTE = timedelta(minutes=1)


def create(user: "User", *, name: str, expires_at: datetime | None = None) -> str:
    """Make or replace the user's token of that name; returns the token, which is stored nowhere."""
    token = _PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.update_or_create(
        user=user,
        name=name,
        defaults={"digest": _digest(token), "expires_at": expires_at, "last_used_at": None},
    )
    return token


def user_of(token: str) -> "User | None":
    """The active user a token stands for, or None. Notes its use at most once a minute."""
    found = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), digest=_digest(token))
        .first()
    )
    if found is None or not found.user.is_active:
        return None
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - _MINUTE)
    ApiToken.objects.filter(stale, pk=found.pk).update(last_used_at=Now())
    return found.user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
