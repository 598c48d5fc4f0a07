"""The scopes of tokens: short names for some of a user's rights, which a token may be narrowed to.

A scope adds nothing: it is intersected with what the user may do, where ``Actor.may`` decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from retry.access.permissions import (
    APPROVE_OPERATION,
    CHANGE_ENTRY,
    DISCARD_ENTRY,
    EXPORT_ENTRY,
    MANAGE_ERROR_GROUP,
    MANAGE_HOLD,
    RESYNC_ENTRY,
    RETRY_ENTRY,
    SHARE_VIEW,
    SUBMIT_ENTRY,
    SUBSCRIBE_ALL,
    SYNC_SOURCE,
    VIEW_ALL_SOURCES,
    VIEW_AUDIT,
    VIEW_ENDPOINT,
    VIEW_ENTRY,
    VIEW_ERROR_GROUP,
    VIEW_HOLD,
    VIEW_METRICS,
    VIEW_NOTICE,
    VIEW_OPERATION,
    VIEW_PAYLOAD,
    VIEW_RUN,
    VIEW_SOURCE,
    VIEW_STATUS,
    VIEW_SYNC,
)
from retry.outcomes import Reach

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from retry.models import ApiToken


class TokenScope(StrEnum):
    READ = "read"
    RETRY = "retry"
    RESYNC = "resync"
    DISCARD = "discard"
    SUBMIT = "submit"
    SYNC = "sync"
    EDIT = "edit"
    EXPORT = "export"
    #: To steer operations; to start one takes the scope of its action alone.
    OPERATIONS = "operations"
    APPROVE = "approve"
    HOLDS = "holds"
    ERRORS = "errors"
    VIEWS = "views"
    NOTICES = "notices"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The ``permissions`` that a scope leaves, and its words on a page."""

    words: "_StrPromise"
    permissions: frozenset[str]


def _mean(words: "_StrPromise", *permissions: str) -> Meaning:
    return Meaning(words, frozenset(permissions))


SCOPES: Mapping[TokenScope, Meaning] = {
    TokenScope.READ: _mean(
        _("see entries, operations, errors, holds, syncs and the status"),
        VIEW_ENTRY,
        VIEW_PAYLOAD,
        VIEW_ENDPOINT,
        VIEW_NOTICE,
        VIEW_SOURCE,
        VIEW_ALL_SOURCES,
        VIEW_OPERATION,
        VIEW_RUN,
        VIEW_SYNC,
        VIEW_HOLD,
        VIEW_ERROR_GROUP,
        VIEW_STATUS,
        VIEW_AUDIT,
    ),
    TokenScope.RETRY: _mean(
        _("retry entries, now as well, and stop automatic retries"), RETRY_ENTRY
    ),
    TokenScope.RESYNC: _mean(_("fetch entries from their source again"), RESYNC_ENTRY),
    TokenScope.DISCARD: _mean(_("discard and restore entries"), DISCARD_ENTRY),
    TokenScope.SUBMIT: _mean(_("submit entries"), SUBMIT_ENTRY),
    TokenScope.SYNC: _mean(_("sync sources"), SYNC_SOURCE),
    # Who writes a payload replaces one, and has to be able to see it: as people have to.
    TokenScope.EDIT: _mean(
        _("edit and repair entries; payloads only if it also sees entries"), CHANGE_ENTRY
    ),
    TokenScope.EXPORT: _mean(_("export entries"), EXPORT_ENTRY),
    TokenScope.OPERATIONS: _mean(
        _("pause, resume, move and cancel operations of its other scopes")
    ),
    TokenScope.APPROVE: _mean(_("approve and reject operations of others"), APPROVE_OPERATION),
    TokenScope.HOLDS: _mean(_("put on hold and lift holds"), MANAGE_HOLD),
    TokenScope.ERRORS: _mean(_("decide about error groups"), MANAGE_ERROR_GROUP),
    TokenScope.VIEWS: _mean(_("save views of lists"), SHARE_VIEW),
    TokenScope.NOTICES: _mean(_("subscribe to notices"), SUBSCRIBE_ALL),
    TokenScope.METRICS: _mean(_("read the metrics"), VIEW_METRICS),
}


_BY_PERMISSION: Mapping[str, str] = {
    permission: scope.value
    for scope, meaning in SCOPES.items()
    for permission in meaning.permissions
}


def build_reach(scopes: Iterable[str] | None, source_ids: Iterable[int] | None) -> Reach:
    """Return what ``scopes`` and ``source_ids`` leave; None is no limit.

    A scope that this version does not know leaves nothing.
    """
    names = None if scopes is None else frozenset(scopes)
    known = () if names is None else [SCOPES[TokenScope(name)] for name in names if name in SCOPES]
    return Reach(
        scopes=names,
        permissions=None if names is None else frozenset().union(*(m.permissions for m in known)),
        sources=None if source_ids is None else frozenset(source_ids),
        known=_BY_PERMISSION,
    )


def read_reach(token: "ApiToken") -> Reach:
    return build_reach(token.scopes, token.source_ids)
