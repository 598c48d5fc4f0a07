"""Who acts in the admin, as the service knows them."""

import logging
from typing import TYPE_CHECKING, cast

from django.db import DatabaseError
from django.http import HttpRequest

from entries.request_ids import get_id
from retry import audit
from retry.outcomes import Actor, Channel

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)


def get_actor(request: HttpRequest) -> Actor:
    return Actor.from_user(cast("User", request.user), channel=Channel.ADMIN, request_id=get_id())


def record_refusal(request: HttpRequest, what: str, *, permission: str = "") -> None:
    """Write a refused request to the audit. Without a database, write a warning to the log."""
    try:
        audit.record_refusal(what, actor=get_actor(request), permission=permission)
    except DatabaseError:
        logger.warning("audit.unnoted", extra={"refused": what})
