"""Passes of retention: in batches, at rest in between, audited once, and by index."""

import re
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from axes.models import AccessAttempt
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from retry import service
from retry.dispatcher.retention import Retention, plan_next
from retry.models import AuditEvent, RetentionPass, Sync
from retry.outcomes import Actor
from retry.retention import passes
from retry.retention.overview import count_due, list_rules
from retry.retention.passes import find_due
from retry.retention.rules import RULES, Rule
from retry.retention.steps import Batch, Request, Statement, build_params
from retry.runs.rescue import DISPATCHER
from tests.factories.entries import SourceFactory
from tests.support.retention import build_over

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("uploads")]
OLD = timedelta(days=100)


class TestTheDispatcher:
    def test_it_does_a_batch_at_a_time_and_audits_a_pass_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passes, "LIMIT", 2)
        Sync.objects.bulk_create(
            Sync(source=source, **build_over(timezone.now() - OLD))
            for source in [SourceFactory.create()]
            for _ in range(6)
        )
        retention = Retention(first_seconds=0)
        removed = []
        while find_due():
            retention._rests_until = time.monotonic()
            retention.step()
            removed.append(6 - Sync.objects.count())
        assert max(b - a for a, b in pairwise(removed)) == 2
        assert removed[-1] == 5
        event = AuditEvent.objects.get(verb="prune")
        assert (event.count, event.actor_label, event.channel) == (5, "dispatcher", "system")
        view = next(view for view in list_rules() if view.name == "syncs")
        assert (view.removed, view.days, view.next_day) == (5, 90, 0)
        assert retention._rests_until > time.monotonic()

    def test_a_busy_machine_deletes_as_much_and_a_slow_batch_is_rare(self) -> None:
        assert plan_next(late=0, took=0.1) == plan_next(late=0, took=0.3) == 1
        assert plan_next(late=0.25, took=0.1) == 0.75, "made up for"
        assert plan_next(late=60, took=0.1) == pytest.approx(0.3), "but not all of a long pause"
        assert plan_next(late=0.25, took=4) == 12

    def test_it_rests_and_has_other_things_to_do_first(self, settings: "Settings") -> None:
        Retention().step()
        settings.REDRIVE_PRUNE = False
        Retention(first_seconds=0).step()
        assert not RetentionPass.objects.exists()

    def test_a_rule_that_fails_does_not_stop_the_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = replace(RULES["tracebacks"], step=Statement("SELECT 1 / 0"))
        monkeypatch.setattr("retry.retention.control.RULES", {**RULES, "tracebacks": broken})
        retention = Retention(first_seconds=0)
        with pytest.raises(DatabaseError), transaction.atomic():
            retention.step()
        retention._rests_until = 0
        retention.step()
        assert list(RetentionPass.objects.values_list("name", flat=True)) == ["attempts"]


@pytest.mark.parametrize("next_one", ["dispatcher", "command"])
def test_a_pass_that_was_killed_is_audited_in_the_name_of_who_began_it(
    monkeypatch: pytest.MonkeyPatch, next_one: str
) -> None:
    monkeypatch.setattr(passes, "LIMIT", 2)
    source = SourceFactory.create()
    Sync.objects.bulk_create(
        Sync(source=source, **build_over(timezone.now() - OLD)) for _ in range(6)
    )

    def kill(_batch: Batch) -> None:
        raise KeyboardInterrupt

    anna = Actor.command("manage.py prune (anna)")
    with pytest.raises(KeyboardInterrupt):
        service.prune("syncs", actor=anna, on_batch=kill)
    assert not AuditEvent.objects.exists()
    if next_one == "command":
        service.prune("syncs", actor=Actor.command("manage.py prune (ben)"))
    else:
        while service.prune_batch("syncs", actor=DISPATCHER):
            pass
    first = AuditEvent.objects.filter(verb="prune").earliest("pk")
    assert (first.actor_label, first.channel) == ("manage.py prune (anna)", "command")
    counts = AuditEvent.objects.order_by("pk").values_list("count", flat=True)
    assert list(counts) == ([5] if next_one == "dispatcher" else [2, 3])


def test_an_old_row_behind_many_that_were_moved_on_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """django-axes counts failed logins in one row for each user and address, over years."""
    monkeypatch.setattr(passes, "LIMIT", 2)
    attempts = [
        AccessAttempt.objects.create(username=str(number), failures_since_start=1)
        for number in range(7)
    ]
    old = [attempts[4].pk, attempts[6].pk]
    AccessAttempt.objects.filter(pk__in=old).update(attempt_time=timezone.now() - 5 * OLD)
    assert count_due(RULES["login_attempts"]) == 2
    anna = Actor.command("manage.py prune (anna)")
    assert service.prune("login_attempts", actor=anna) == 2
    assert not AccessAttempt.objects.filter(pk__in=old).exists()
    assert AccessAttempt.objects.count() == 5
    AccessAttempt.objects.filter(pk=attempts[0].pk).update(attempt_time=timezone.now() - 5 * OLD)
    view = next(view for view in list_rules() if view.name == "login_attempts")
    assert view.next_day == 1, "also what comes before the end of the last pass"


#: Small whatever happens.
SMALL = {"entries_source", "retry_outage", "retry_errorgroup"}


@pytest.mark.parametrize(
    "rule", [r for r in RULES.values() if isinstance(r.step, Statement)], ids=lambda r: r.name
)
def test_no_statement_scans_a_table(rule: Rule) -> None:
    """With sequential scans forbidden, one is left only where no index would do."""
    assert isinstance(rule.step, Statement)
    request = Request(cutoff=timezone.now() - OLD, after=rule.first, limit=1_000)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {rule.step.sql}", build_params(request) | dict(rule.step.params))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= SMALL, plan
    assert "Index" in plan or "Bitmap" in plan
