"""What retention keeps, has deleted and will delete, for pages, the API and commands."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from entries.budget import OutOfTime, time_budget
from retry.models import RetentionPass
from retry.retention.passes import LIMIT
from retry.retention.rules import RULES, Rule
from retry.retention.steps import Request

#: For what goes next, of all rules together; rows that are looked at for one of them.
SECONDS = 0.5
_MOST = 5_000
NEXT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule. ``days``: None forever, 0 where rows say themselves when they end.

    ``removed``: in the last pass, which ended at ``ended_at``. ``under_way``: deleted so far in the
    pass under way, None where there is none. ``next_day``: what will go within a day, None where
    that takes too long to find out; ``more``: or more.
    """

    name: str
    days: int | None
    ended_at: datetime | None = None
    removed: int = 0
    under_way: int | None = None
    next_day: int | None = None
    more: bool = False

    @property
    def rule(self) -> Rule:
        return RULES[self.name]


def list_rules(*, counting: bool = True) -> Sequence[RuleView]:
    """List the rules whose tables there are.

    Without ``counting`` it is one small statement, and ``next_day`` is None.
    """
    known = {row.name: row for row in RetentionPass.objects.all()}
    rules = [rule for rule in RULES.values() if rule.is_there]
    counts: dict[str, tuple[int, bool]] = {}
    if counting:
        with suppress(OutOfTime), time_budget(SECONDS):
            for rule in rules:
                counts[rule.name] = _count_next(rule, known.get(rule.name))
    return [_build_view(rule, known.get(rule.name), counts.get(rule.name)) for rule in rules]


def count_due(rule: Rule) -> int:
    """Count what a pass would delete now, batch by batch, without a limit of time."""
    if rule.keep is None or not rule.active:
        return 0
    cutoff, after, found = timezone.now() - rule.keep, rule.first, 0
    while True:
        request = Request(cutoff=cutoff, after=after, limit=LIMIT, dry_run=True)
        batch = rule.step(request)
        if not batch.scanned:
            return found
        found, after = found + batch.removed, batch.last


def _count_next(rule: Rule, row: RetentionPass | None) -> tuple[int, bool]:
    """Count what comes after the rows that the last pass has looked at, or all of it."""
    if rule.keep is None or not rule.active:
        return 0, False
    after = rule.first
    if row is not None and row.cursor_id and not rule.whole:
        after = (row.cursor_at, row.cursor_id)
    cutoff = timezone.now() - rule.keep + NEXT
    batch = rule.step(Request(cutoff=cutoff, after=after, limit=_MOST, dry_run=True))
    return batch.removed, batch.scanned >= _MOST


def _build_view(
    rule: Rule, row: RetentionPass | None, counted: tuple[int, bool] | None
) -> RuleView:
    next_day, more = counted if counted is not None else (None, False)
    return RuleView(
        name=rule.name,
        days=rule.keep.days if rule.keep is not None else None,
        ended_at=row.ended_at if row else None,
        removed=row.last_removed if row else 0,
        under_way=row.removed if row and row.began_at else None,
        next_day=next_day,
        more=more,
    )
