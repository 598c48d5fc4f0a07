"""Reading entries; no writes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from entries.content import content_hash
from entries.permissions import VIEW_ENTRY
from entries.states import EntryStatus, allowed_statuses

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from entries.models import Entry


#: What an entry holds, and what its ``content_hash`` is made of.
CONTENT_FIELDS = frozenset({"title", "payload"})


class EntryQuerySet(models.QuerySet["Entry"]):
    def update(self, **kwargs: Any) -> int:
        """As Django's, but raises ``ValueError`` for what only ``entries.transitions`` writes.

        ``bulk_update`` and the managers of relations come by here as well. Where it writes a title
        or a payload, the hash of the content becomes that of nothing, so that it does not lie.
        """
        _refuse_fenced(kwargs)
        if CONTENT_FIELDS.intersection(kwargs):
            kwargs.setdefault("content_hash", "")
        return super().update(**kwargs)

    def bulk_create(self, objs: "Iterable[Entry]", *args: Any, **kwargs: Any) -> "list[Entry]":
        """As Django's; with ``update_conflicts`` it is an update, with the same refusal."""
        _refuse_fenced(kwargs.get("update_fields") or next(iter(args[3:4]), None) or ())
        objs = list(objs)
        for entry in objs:
            entry.content_hash = content_hash(entry.title, entry.payload)
        return super().bulk_create(objs, *args, **kwargs)

    def retryable(self) -> Self:
        return self.filter(status__in=allowed_statuses("retry"))

    def failed(self) -> Self:
        return self.filter(status=EntryStatus.FAILED)

    def visible_to(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """The entries ``user`` may see. The one place to narrow this by source, team or tenant."""
        has_perm = getattr(user, "has_perm", None)
        if has_perm is None or not has_perm(VIEW_ENTRY):
            return self.none()
        return self.all()


def _refuse_fenced(names: Iterable[str]) -> None:
    from entries.models import FENCED_FIELDS

    fenced = FENCED_FIELDS.intersection(names)
    if fenced:
        raise ValueError(f"{sorted(fenced)} are written by entries.transitions")
