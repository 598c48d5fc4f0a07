"""What breaks: the largest groups of entries that failed alike and are failed now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.utils.safestring import SafeString
from django.utils.translation import gettext_noop, ngettext

from entries.filters import EntryFilter
from entries.models import Attempt, Entry, EntryQuerySet
from entries.states import EntryStatus
from retry.access.visibility import visible_entries
from retry.admin.shared.error_words import shorten_message
from retry.admin.shared.plots import draw_sparkline
from retry.error_groups.overview import count_failed, shield
from retry.error_groups.samples import choose_action
from retry.models import Action, ErrorGroup, GroupState
from retry.outcome_history.scope import Scope
from retry.outcome_history.series import Period, find_most_frequent, read_failures_alike
from retry.outcomes import Actor

#: Rows on the page, and groups that are counted to find them.
ROWS = 6
_CANDIDATES = 8
#: Failures, the newest, among which groups are looked for.
_NEWEST = 2_000
_SPAN = timedelta(days=1)
_FREQUENT_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Entries that are failed now and failed alike: ``count``, or ``more`` than that.

    ``action``: the one that fits.
    ``values``: failures in each hour of the last day, for all that failed so.
    """

    fingerprint: str
    count: int
    more: bool
    error_class: str
    message: str
    upstream: str
    action: Action
    values: Sequence[int] = ()
    #: What people say of the group, "new" for a day, or empty.
    state: str = ""

    @property
    def filter(self) -> EntryFilter:
        return EntryFilter(status=EntryStatus.FAILED, fingerprint=self.fingerprint)

    @property
    def sparkline(self) -> SafeString:
        total = sum(self.values)
        label = ngettext(
            "%(count)s failure in the last 24 hours",
            "%(count)s failures in the last 24 hours",
            total,
        )
        words = label % {"count": intcomma(total)}
        return draw_sparkline(self.values, label=words)


def find_groups(actor: Actor, *, scope: Scope, now: datetime) -> Sequence[FailureGroup]:
    """Find the largest groups among the entries that the actor may see, the largest first.

    Without those that are muted.
    """
    failed = visible_entries(actor).failed()
    counts = count_failed(_find_candidates(failed, scope, now=now), actor=actor)
    # When a group was first seen is known of all sources together only.
    states = _read_states(list(counts), now=now if scope.everything else None, actor=actor)
    open_ = [name for name in counts if counts[name][0] and states.get(name) != GroupState.MUTED]
    shown = sorted(open_, key=lambda name: (-counts[name][0], name))[:ROWS]
    values: Mapping[str, Sequence[int]] = {}
    if not scope.is_empty:
        values = read_failures_alike(shown, Period.DAY, scope=scope, now=now)
    newest = {name: _find_newest(failed, name) for name in shown}
    transient = _find_transient([entry for entry in newest.values() if entry is not None])
    return [
        _build_group(
            entry,
            counts[name],
            values.get(name, ()),
            transient=entry.pk in transient,
            state=states.get(name, ""),
        )
        for name, entry in newest.items()
        if entry is not None
    ]


def _read_states(
    fingerprints: Sequence[str], *, now: datetime | None, actor: Actor
) -> Mapping[str, str]:
    """Return what people say of the groups; ``new`` for a day, by ``now``."""
    known = list(ErrorGroup.objects.filter(fingerprint__in=fingerprints))
    found = {}
    for group in shield(known, actor=actor):
        fresh = gettext_noop("new") if now is not None and group.first_seen > now - _SPAN else ""
        found[group.fingerprint] = fresh if group.state == GroupState.OPEN else group.state
    return found


def _find_candidates(failed: EntryQuerySet, scope: Scope, *, now: datetime) -> Sequence[str]:
    """Find fingerprints that may have the most failed entries: of the last day, and the newest."""
    ordered = failed.order_by("-failed_at", "-id").values_list("fingerprint", flat=True)
    newest = [name for name, _ in Counter(ordered[:_NEWEST]).most_common(_CANDIDATES)]
    if scope.is_empty:
        return newest
    # What is new is among the newest; what failed most in a day changes slowly and is much to read.
    frequent = cast(
        "list[str]",
        cache.get_or_set(
            f"redrive.frequent.{scope.key}",
            lambda: _find_frequent(scope, since=now - _SPAN),
            _FREQUENT_SECONDS,
        ),
    )
    return list(dict.fromkeys([*newest, *frequent]))


def _find_frequent(scope: Scope, *, since: datetime) -> list[str]:
    frequent = find_most_frequent(since, scope=scope, most=_CANDIDATES)
    return [found.fingerprint for found in frequent]


def _find_newest(failed: EntryQuerySet, fingerprint: str) -> Entry | None:
    alike = failed.filter(fingerprint=fingerprint).defer("payload", "result")
    return alike.order_by("-failed_at", "-id").first()


def _find_transient(entries: Sequence[Entry]) -> set[int]:
    """Return the ids of entries whose last attempt failed with a transient error."""
    numbers = {entry.pk: entry.attempt for entry in entries}
    attempts = Attempt.objects.filter(entry__in=numbers, transient=True)
    return {
        entry_id
        for entry_id, number in attempts.values_list("entry_id", "number")
        if numbers[entry_id] == number
    }


def _build_group(
    newest: Entry,
    counted: tuple[int, bool],
    values: Sequence[int],
    *,
    transient: bool,
    state: str,
) -> FailureGroup:
    return FailureGroup(
        fingerprint=newest.fingerprint,
        count=counted[0],
        more=counted[1],
        error_class=newest.error_class,
        message=shorten_message(newest.error_message, upstream=newest.upstream),
        upstream=newest.upstream,
        action=choose_action(newest, transient=transient),
        values=values,
        state=state,
    )
