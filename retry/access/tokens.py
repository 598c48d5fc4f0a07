"""API tokens: shown once when created, stored as a digest, narrowed to scopes and sources."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.contrib.auth import get_user_model
from django.db import InternalError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from psycopg.errors import ReadOnlySqlTransaction

from entries.models import Source
from entries.models.scope import is_any_restricted, note_unrestricted
from entries.phrases import phrase
from retry import audit
from retry.access.errors import TokenNotFound, TokenRefused
from retry.access.grants import exceeds
from retry.access.permissions import ADD_TOKEN, DELETE_TOKEN, ISSUE_TOKEN
from retry.access.scopes import SCOPES, read_reach
from retry.access.token_text import make_token, may_be_token
from retry.access.visibility import visible_sources
from retry.edits import find_differences, get_subject
from retry.errors import NotPermitted
from retry.models import ApiToken
from retry.outcomes import Actor, Reach, UsedToken

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_MINUTE = timedelta(minutes=1)
#: Tokens of one user that have not been revoked.
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a token may do, and until when. None: all that its user may, everywhere, always."""

    scopes: frozenset[str] | None = None
    source_ids: frozenset[int] | None = None
    expires_at: datetime | None = None

    def columns(self) -> dict[str, Any]:
        return {
            "scopes": None if self.scopes is None else sorted(self.scopes),
            "source_ids": None if self.source_ids is None else sorted(self.source_ids),
            "expires_at": self.expires_at,
        }


@dataclass(frozen=True, slots=True)
class Bearer:
    """The user of a valid token, and what the token leaves of the user's rights.

    ``token``: None where there is a session instead.
    """

    user: "User"
    reach: Reach
    token: UsedToken | None = None


def create(
    user: "User", *, name: str, actor: Actor, terms: Terms = Terms(), replaces: bool = True
) -> str:
    """Create the user's token of that name and return it; only its digest is stored.

    A token of the same name is revoked; without ``replaces`` it is a reason to refuse. For others
    than the actor it takes a permission of its own, and every permission of the user. Raises
    ``NotPermitted`` and ``TokenRefused``.
    """
    _require(user, actor=actor)
    name = _clean_name(name)
    _check(terms, actor=actor)
    token = make_token()
    with transaction.atomic():
        # Locked, so that two at the same moment do not both find the name free.
        get_user_model().objects.select_for_update(no_key=True, of=("self",)).get(pk=user.pk)
        current = ApiToken.objects.filter(user=user, revoked_at=None)
        same = current.filter(name=name).first()
        if same is not None and not replaces:
            why = phrase(
                "%(user)s has a token “%(name)s” already.", user=user.get_username(), name=name
            )
            raise TokenRefused(why, field="name")
        if same is None and current.count() >= MOST:
            why = phrase(
                "%(user)s has %(count)s tokens already. Revoke some.",
                user=user.get_username(),
                count=MOST,
            )
            raise TokenRefused(why)
        current.filter(name=name).update(revoked_at=Now())
        made = ApiToken.objects.create(
            user_id=user.pk, name=name, digest=_digest(token), **terms.columns()
        )
        audit.record(
            "create_token",
            actor=actor,
            count=1,
            subject=get_subject(user),
            after={"user": user.get_username(), **_describe(made), "replaced": same is not None},
        )
    return token


def change(token_id: int, *, terms: Terms, actor: Actor) -> ApiToken:
    """Give a token other scopes, sources or another end; the token itself stays the same.

    Rights are needed as to create it. Raises ``NotPermitted``, ``TokenNotFound`` (revoked ones as
    well) and ``TokenRefused``.
    """
    with transaction.atomic():
        tokens = ApiToken.objects.select_related("user").select_for_update(of=("self",))
        token = tokens.filter(pk=token_id, revoked_at=None).first()
        if token is None:
            actor.require(ISSUE_TOKEN)
            raise TokenNotFound(token_id)
        _require(token.user, actor=actor)
        _check(terms, actor=actor)
        old = _describe(token)
        for column, value in terms.columns().items():
            setattr(token, column, value)
        before, after = find_differences(old, _describe(token))
        if after:
            token.save(update_fields=list(terms.columns()))
            named = {"user": token.user.get_username(), "name": token.name}
            audit.record(
                "change_token",
                actor=actor,
                count=1,
                subject=get_subject(token.user),
                before=named | before,
                after=after,
            )
    return token


def revoke(revoked: Iterable[ApiToken], *, actor: Actor) -> int:
    """Revoke tokens, which stop working with the next request; return how many worked before.

    One's own take no permission. Raises ``NotPermitted``.
    """
    count = 0
    with transaction.atomic():
        for token in revoked:
            if token.user_id != actor.user_id or actor.reach != Reach():
                actor.require(DELETE_TOKEN)
            if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now()):
                continue
            count += 1
            before = {"user": token.user.get_username(), "name": token.name}
            subject = get_subject(token.user)
            audit.record("revoke_token", actor=actor, count=1, subject=subject, before=before)
    return count


def find_bearer(token: str) -> Bearer | None:
    """Return who a valid token stands for, or None; their account is active.

    Updates ``last_used_at`` at most once a minute. The log names the token by its id.
    """
    if not may_be_token(token):
        return None
    found = (
        ApiToken.objects.select_related("user")
        .annotate(restricted=is_any_restricted())
        .filter(
            Q(expires_at=None) | Q(expires_at__gt=Now()), digest=_digest(token), revoked_at=None
        )
        .first()
    )
    if found is None or not found.user.is_active:
        return None
    if not found.restricted:
        note_unrestricted(found.user)
    structlog.contextvars.bind_contextvars(token_id=found.pk)
    if found.last_used_at is None or timezone.now() - found.last_used_at > _MINUTE:
        _note_use(found)
    return Bearer(found.user, read_reach(found), UsedToken(found.pk, found.name))


def _note_use(token: ApiToken) -> None:
    """Note that a token is used. On a standby, which answers what only reads, nothing is noted."""
    # The statement checks again, so that one of many concurrent requests writes.
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - _MINUTE)
    try:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())
    except InternalError as error:
        if not isinstance(error.__cause__, ReadOnlySqlTransaction):
            raise


def _require(user: "User", *, actor: Actor) -> None:
    """Raise ``NotPermitted`` where the actor may not make or widen a token of ``user``."""
    if actor.user_id == user.pk:
        actor.require(ADD_TOKEN)
        return
    actor.require(ISSUE_TOKEN)
    if actor.user is not None and exceeds(user, holder=actor.user):
        needed = phrase(
            "%(permission)s and every permission of %(user)s",
            permission=ISSUE_TOKEN,
            user=user.get_username(),
        )
        raise NotPermitted(needed)


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100 or "\0" in name:
        raise TokenRefused(phrase("The name must have 1 to 100 characters."), field="name")
    return name


def _check(terms: Terms, *, actor: Actor) -> None:
    if terms.scopes is not None:
        unknown = terms.scopes - SCOPES.keys()
        if unknown or not terms.scopes:
            known = ", ".join(SCOPES)
            why = phrase("Choose a scope. There are: %(known)s.", known=known)
            if unknown:
                wrong = min(unknown)
                why = phrase(
                    "There is no scope %(scope)s. There are: %(known)s.", scope=wrong, known=known
                )
            raise TokenRefused(why, field="scopes")
    if terms.source_ids is not None:
        found = visible_sources(actor).filter(pk__in=terms.source_ids).count()
        if not found or found < len(terms.source_ids):
            raise TokenRefused(phrase("Choose sources that exist."), field="sources")
    if terms.expires_at is not None and terms.expires_at <= timezone.now():
        raise TokenRefused(phrase("It would have expired already."), field="expires_at")


def _describe(token: ApiToken) -> dict[str, Any]:
    """Return its name and terms for the audit, with the slugs of its sources."""
    sources = None
    if token.source_ids is not None:
        chosen = Source.objects.filter(pk__in=token.source_ids).order_by("slug")
        sources = list(chosen.values_list("slug", flat=True))
    return {
        "name": token.name,
        "scopes": token.scopes,
        "sources": sources,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
