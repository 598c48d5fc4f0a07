"""Failures of an operation by group, and how far several operations are: true and bounded."""

import pytest
from django.db import connection

from retry.models import Operation, Run
from retry.operations import groups as module
from retry.operations.groups import Group, find_groups
from retry.operations.progress import read_progress
from retry.operations.tallies import Tally, read_tallies
from tests.admin.operating import failed, finish, started, step

pytestmark = pytest.mark.django_db(transaction=True)


def test_failures_are_grouped_the_largest_first() -> None:
    failed(12)
    failed(3, do="fail")
    failed(2, do="permanent")
    operation = started()
    finish(operation)
    found = find_groups(operation.pk)
    assert [(group.error_class, group.message, group.count) for group in found.found] == [
        ("RuntimeError", "HTTP 500", 3),
        ("PermanentError", "HTTP 500", 2),
    ]
    assert (found.looked_at, found.bounded) == (5, False)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fingerprint, count(*) FROM entries_entry WHERE status = 'failed' GROUP BY 1"
        )
        assert {(g.fingerprint, g.count) for g in found.found} == set(cursor.fetchall())


def test_what_failed_before_and_elsewhere_does_not_count() -> None:
    failed(2, do="fail")
    first = started()
    finish(first)
    second = started()
    assert find_groups(second.pk).found == []
    finish(second)
    assert [group.count for group in find_groups(second.pk).found] == [2]
    assert [group.count for group in find_groups(first.pk).found] == [2]


def test_only_the_newest_are_looked_at_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    failed(30, do="fail")
    operation = started()
    finish(operation)
    monkeypatch.setattr(module, "NEWEST_FAILURES", 15)
    found = find_groups(operation.pk)
    assert (found.looked_at, found.bounded) == (15, True)
    monkeypatch.setattr(module, "NEWEST_FAILURES", 1000)
    monkeypatch.setattr(module, "MOST_ENTRIES", 10)
    found = find_groups(operation.pk)
    assert (found.looked_at, found.bounded) == (10, True)


def test_few_of_many_groups() -> None:
    failed(1, do="fail")
    failed(1, do="permanent")
    operation = started()
    finish(operation)
    found = find_groups(operation.pk, limit=1)
    assert len(found.found) == 1
    assert isinstance(found.found[0], Group)
    assert found.looked_at == 2


def test_a_tally_says_what_the_progress_says() -> None:
    failed(25)
    failed(3, do="fail")
    first = started()
    step()
    second = started()
    finish(first)
    finish(second)
    empty = Operation.objects.create(action="retry", selection_words="", actor_label="x")
    found = read_tallies([first.pk, second.pk, empty.pk])
    assert empty.pk not in found
    for operation in (first, second):
        said = read_progress(operation.pk)
        assert found[operation.pk] == Tally(
            said.succeeded, said.failed, said.scheduled, said.skipped_total, said.cancelled
        )
    assert Run.objects.filter(operation=second).exists()
