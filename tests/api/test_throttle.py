"""Unknown tokens are counted by address."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from retry.access import tokens
from retry.api.http.throttle import LIMIT, Throttle, unknown_tokens
from retry.outcomes import Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
STATUS = "/admin/api/status"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    unknown_tokens.clear()
    yield
    unknown_tokens.clear()


def ask(token: str, *, address: str = "203.0.113.7") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().get(STATUS, headers=headers, REMOTE_ADDR=address).status_code


def test_so_many_tries_and_no_more(operator: "User") -> None:
    known = tokens.create(operator, name="x", actor=Actor.command("test"))
    assert [ask("guess") for _ in range(LIMIT)] == [401] * LIMIT
    headers = {"Authorization": "Bearer guess"}
    refused = Client().get(STATUS, headers=headers, REMOTE_ADDR="203.0.113.7")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused["Retry-After"]) <= 61
    assert ask("guess", address="203.0.113.8") == 401, "another address has its own tries"
    assert ask(known) == 200, "a neighbour who shares the address goes on"


def test_addresses_that_are_remembered_are_bounded() -> None:
    throttle = Throttle()
    for n in range(12_000):
        throttle.count(str(n))
    assert len(throttle._failures) == 10_000
