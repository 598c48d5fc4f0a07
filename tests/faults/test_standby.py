"""The desk on a standby of PostgreSQL, which is read-only and a moment behind."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from retry.access import tokens
from retry.models import ApiToken
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.support.asking import SCRIPT
from tests.support.operations import failed, start
from tests.support.standby import Standby, run_standby

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

READER = ("retry.view_operation", "retry.view_run", "retry.view_hold", "retry.view_errorgroup")
READS = ("entries", "entries?q=article", "errors", "operations", "holds", "sources", "kinds")


@pytest.fixture
def standby(transactional_db: None) -> Iterator[Standby]:
    with run_standby() as running:
        yield running


@pytest.fixture
def caller(operator: "User") -> Caller:
    """A script whose token was never used: the first call would note that it is."""
    user = grant(operator, *READER)
    return Caller(token=tokens.create(user, name="reports", actor=SCRIPT))


def test_a_standby_answers_what_only_reads_and_refuses_verbs(
    standby: Standby, caller: Caller
) -> None:
    ids = failed(3)
    operation = start()
    with standby.read():
        for address in READS:
            assert caller.get(address).status_code == 200, address
        assert len(ok(caller.get("entries"))["results"]) == 3
        assert ok(caller.get(f"operations/{operation.pk}"))["total"] == 3
        assert caller.get(f"entries/{ids[0]}").status_code == 200
        refused = problem(caller.post("retry", {"entry_id": ids[0]}), 503, "database_unavailable")
        assert refused
    assert ApiToken.objects.get().last_used_at is None
    ok(caller.get("entries"))
    assert ApiToken.objects.get().last_used_at is not None


def test_pages_of_the_desk_are_read_from_a_standby(
    standby: Standby, caller: Caller, operator: "User"
) -> None:
    failed(3)
    caller.client.force_login(operator)
    with standby.read():
        for address in ("/admin/", "/admin/entries/entry/", "/admin/entries/entry/?status=failed"):
            assert caller.client.get(address).status_code == 200, address
