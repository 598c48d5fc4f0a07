"""Reading entries; no writes."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from entries.states import EntryStatus, sources_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from entries.models import Entry


class EntryQuerySet(models.QuerySet["Entry"]):
    def update(self, **kwargs: Any) -> int:
        """As Django's, but raises ``ValueError`` for what only ``entries.transitions`` writes."""
        from entries.models import FENCED_FIELDS

        fenced = FENCED_FIELDS.intersection(kwargs)
        if fenced:
            raise ValueError(f"{sorted(fenced)} are written by entries.transitions")
        return super().update(**kwargs)

    def retryable(self) -> Self:
        return self.filter(status__in=sources_of("retry"))

    def failed(self) -> Self:
        return self.filter(status=EntryStatus.FAILED)

    def visible_to(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """The entries ``user`` may see. The one place to narrow this by source, team or tenant."""
        has_perm = getattr(user, "has_perm", None)
        if has_perm is None or not has_perm("entries.view_entry"):
            return self.none()
        return self.all()
