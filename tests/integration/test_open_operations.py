"""How many operations one user may have open."""

from typing import TYPE_CHECKING

import pytest

from retry import service
from retry.models import Action, Operation
from retry.operations.errors import TooManyOperations
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two(settings: "Settings") -> None:
    settings.REDRIVE_OPEN_OPERATIONS = 2


def start(actor: Actor) -> Operation:
    chosen = Selection(ids=(EntryFactory.create(failed=True).pk,))
    return service.start_operation(chosen, action=Action.RETRY, actor=actor)


def test_so_many_and_no_more_until_one_ends(operator: "User", chief: "User") -> None:
    actor = Actor.from_user(operator, channel=Channel.ADMIN)
    first, _ = start(actor), start(actor)
    with pytest.raises(TooManyOperations):
        start(actor)
    assert Operation.objects.count() == 2
    start(Actor.from_user(chief, channel=Channel.ADMIN))
    service.cancel_operation(first.pk, actor=actor)
    start(actor)


def test_commands_have_no_limit() -> None:
    for _ in range(4):
        start(SCRIPT)


def test_a_repeated_request_gets_what_it_has_started(operator: "User") -> None:
    actor = Actor.from_user(operator, channel=Channel.API)
    chosen = Selection(ids=(EntryFactory.create(failed=True).pk,))

    def begin(key: str) -> Operation:
        return service.start_operation(
            chosen, action=Action.RETRY, actor=actor, idempotency_key=key
        )

    assert [begin("a"), begin("b")] == [begin("a"), begin("b")]


def test_the_api_says_why(operator: "User") -> None:
    caller = Caller(operator)
    body = {"entry_ids": [EntryFactory.create(failed=True).pk]}
    for _ in range(2):
        ok(caller.post("retry/bulk", body), 202)
    answer = problem(caller.post("retry/bulk", body), 409, "too_many_operations")
    assert "cancel some" in answer["detail"]
