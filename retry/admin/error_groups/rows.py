"""The rows of the list of error groups, with all that they show read at once."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from entries.admin.lists import BoundedList
from entries.states import EntryStatus
from retry.access.permissions import VIEW_OPERATION
from retry.access.visibility import sees_everything
from retry.admin.shared.actor import get_actor
from retry.error_groups.overview import (
    LastOperation,
    read_facts,
    read_last_operations,
    shield,
)
from retry.outcome_history.scope import find_scope
from retry.outcome_history.series import Period, read_failures_alike


class ErrorGroupList(BoundedList):
    """Adds to each group its ``facts``, ``get_page_url``, and ``last``, for users who may see every
    entry and operations.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        actor = get_actor(request)
        groups: list[Any] = list(shield(list(self.result_list), actor=actor))
        facts = read_facts(groups, actor=actor)
        last: Mapping[str, LastOperation] = {}
        if sees_everything(actor) and request.user.has_perm(VIEW_OPERATION):
            last = read_last_operations([group.fingerprint for group in groups])
        now, scope = timezone.now(), find_scope(actor)
        values: Mapping[str, Sequence[int]] = {}
        if not scope.is_empty:
            alike = [group.fingerprint for group in groups]
            values = read_failures_alike(alike, Period.DAY, scope=scope, now=now)
        for group in groups:
            group.values = values.get(group.fingerprint)
            group.facts = facts[group.pk]
            group.last = last.get(group.fingerprint)
            # Not called yet: the list is complete only after this.
            group.get_page_url = partial(self.url_for_result, group)
        self.result_list = groups


def get_entries_url(fingerprint: str) -> str:
    """Return the address of the list of entries that are failed with that fingerprint."""
    query = urlencode({"status": EntryStatus.FAILED.value, "fingerprint": fingerprint})
    return f"{reverse('admin:entries_entry_changelist')}?{query}"
