"""The list of operations, and the ways that lead to one."""

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retry.models import AuditEvent, Run
from retry.operations import control
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.operating import OPERATIONS, failed, finish, started, url_of
from tests.conftest import grant
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def foreman(operator: "User") -> Browser:
    return Browser(
        grant(operator, "retry.view_operation", "retry.view_run", "retry.view_auditevent")
    )


def test_the_list_says_what_who_why_and_how_far(foreman: Browser) -> None:
    failed(3)
    failed(1, do="fail")
    finish(started(reason="upstream is back"))
    failed(2)
    cancelled = started()
    control.cancel(cancelled.pk, actor=SCRIPT)
    page = foreman.read(OPERATIONS)
    words = text_of(page)
    for expected in ("Retry status failed", "script", "upstream is back", "completed"):
        assert expected in words
    assert 'aria-label="of 4: 3 succeeded, 1 failed again"' in page
    assert 'aria-label="of 3: 3 cancelled"' in page
    assert "1 operation" in text_of(foreman.read(f"{OPERATIONS}?state=completed&action=retry"))
    assert "No operation matches" in text_of(foreman.read(f"{OPERATIONS}?action=discard"))
    assert "1 operation" in text_of(foreman.read(f"{OPERATIONS}?q=upstream"))


def test_an_empty_list_says_where_operations_come_from(foreman: Browser) -> None:
    assert "No operations yet" in text_of(foreman.read(OPERATIONS))


def test_more_operations_cost_no_more_queries(foreman: Browser) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            foreman.read(OPERATIONS)
        return len(queries)

    failed(2)
    started()
    cost()
    before = cost()
    for _ in range(4):
        started()
    assert cost() == before


def test_runs_and_audit_lead_to_the_operation(foreman: Browser) -> None:
    failed(2)
    operation = started()
    link = f'href="{url_of(operation)}"'
    assert link in foreman.read(page_of(Run.objects.get()))
    assert "1 run" in text_of(foreman.read(f"/admin/retry/run/?operation={operation.pk}"))
    assert link in foreman.read(f"/admin/retry/auditevent/?q={operation.pk}")
    assert link in foreman.read(page_of(AuditEvent.objects.get()))
    assert OPERATIONS in foreman.read("/admin/")
