"""What rights to sources cost where nothing is hidden; and who steers no operation."""

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retry.access import tokens
from retry.access.visibility import sees_everything, visible_ids
from retry.models import Action, Operation
from retry.operations import control
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_asked_of_the_database_where_nothing_is_hidden(
    operator: "User", django_assert_num_queries: Any
) -> None:
    actor = Actor.from_user(operator, channel=Channel.API)
    assert actor.may("entries.retry_entry")  # reads the permissions, as each verb does
    with django_assert_num_queries(1):
        assert sees_everything(actor)  # whether a source belongs to groups, once for a user
    with django_assert_num_queries(0):
        assert sees_everything(actor)
        assert visible_ids([1, 2], actor=actor) == [1, 2]
        assert visible_ids([1, 2], actor=SCRIPT) == [1, 2]
    seeing = Actor.from_user(grant(operator, "entries.view_all_sources"), channel=Channel.API)
    assert seeing.may("entries.retry_entry")
    with django_assert_num_queries(0):
        assert sees_everything(seeing)


def test_one_retry_by_a_token_asks_nothing_more(operator: "User") -> None:
    """That no source belongs to a group comes with the token."""
    caller = Caller(token=tokens.create(operator, name="script", actor=SCRIPT))
    entry = EntryFactory.create(failed=True)
    caller.get("status")  # the token's use is noted, once a minute
    with CaptureQueriesContext(connection) as captured:
        ok(caller.post("retry", {"entry_id": entry.pk}), 202)
    sent = [query["sql"] or "" for query in captured]
    (asked,) = [sql for sql in sent if "entries_source_groups" in sql]
    assert "retry_apitoken" in asked


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_who_sees_no_entry_steers_no_operation(verb: str) -> None:
    chosen = Selection(ids=(EntryFactory.create(failed=True).pk,))
    operation = control.start(chosen, action=Action.RETRY, actor=SCRIPT)
    blind = Caller(grant(UserFactory.create(is_staff=True), "entries.retry_entry"))
    problem(blind.post(f"operations/{operation.pk}/{verb}", {}), 404, "operation_not_found")
    assert Operation.objects.get().state == operation.state
