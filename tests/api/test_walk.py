"""Every address of the API, found in its URLs, as everybody who should not get through."""

from typing import TYPE_CHECKING

import pytest

from entries.models import Entry
from retry import audit
from retry.models import AuditEvent, Hold, Operation
from tests.api.calls import Caller, ok, problem
from tests.api.walking import (
    ALSO_WRITTEN,
    ANSWERS,
    BEFORE,
    BODIES,
    DECISIONS,
    READ,
    addresses,
    furnish,
    path_of,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
#: What somebody who may only see entries gets to see.
FOR_READERS = {"entries", "entry", "kinds", "views", "view", "subscriptions"}
#: And what they keep for themselves.
OWN = {"views", "subscriptions"}
#: What is not there for those whose it is not.
FOR_OWNERS = {"subscription", "subscription-change", "subscription-delete", "subscription-test"}
#: What all staff may read.
FOR_ALL = {"openapi"}


@pytest.fixture
def entry() -> Entry:
    return furnish()


def test_every_address_is_either_read_or_has_a_body() -> None:
    assert set(addresses()) == READ | BODIES.keys()
    assert not READ & BODIES.keys()
    assert ALSO_WRITTEN.keys() < READ


@pytest.mark.parametrize("name", addresses())
def test_nobody(anonymous: Caller, entry: Entry, name: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = anonymous.send(method, path_of(name))
        assert answer.status_code == 401, method
        if method != "HEAD":
            problem(answer, 401, "not_authenticated")
    untouched(entry)


@pytest.mark.parametrize("name", addresses())
def test_staff_without_permissions(powerless: "User", entry: Entry, name: str) -> None:
    caller = Caller(powerless)
    if name in BODIES:
        answer = caller.post(path_of(name), BODIES[name])
    else:
        answer = caller.get(path_of(name))
    if name in FOR_ALL:
        ok(answer)
        return
    problem(answer, 403, "permission_denied")
    untouched(entry)
    noted = AuditEvent.objects.filter(verb=audit.REFUSED, actor=powerless.pk)
    assert noted.exists() == (name in BODIES), "what was refused is noted, looking is not"


@pytest.mark.parametrize("name", ALSO_WRITTEN)
def test_who_may_not_write_what_may_be_read(
    anonymous: Caller, powerless: "User", reader: "User", entry: Entry, name: str
) -> None:
    problem(anonymous.post(path_of(name), ALSO_WRITTEN[name]), 401, "not_authenticated")
    for user in (powerless,) if name in OWN else (powerless, reader):
        problem(Caller(user).post(path_of(name), ALSO_WRITTEN[name]), 403, "permission_denied")
    untouched(entry)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("name", ALSO_WRITTEN)
def test_who_may_writes(api: Caller, name: str) -> None:
    assert api.post(path_of(name), ALSO_WRITTEN[name]).status_code in {201, 202}


@pytest.mark.parametrize("name", addresses())
def test_staff_who_may_only_look(reader: "User", entry: Entry, name: str) -> None:
    caller = Caller(reader)
    if name in FOR_READERS | FOR_ALL:
        ok(caller.get(path_of(name)))
    elif name in FOR_OWNERS:
        path = path_of(name)
        answer = caller.get(path) if name in READ else caller.post(path, BODIES[name])
        problem(answer, 404, "subscription_not_found")
    elif name in READ:
        problem(caller.get(path_of(name)), 403, "permission_denied")
    else:
        problem(caller.post(path_of(name), BODIES[name]), 403, "permission_denied")
    untouched(entry)


@pytest.mark.parametrize("name", addresses())
def test_who_may_gets_through(api: Caller, entry: Entry, name: str) -> None:
    if name in DECISIONS:
        Operation.objects.update(state="awaiting_approval")
    if name in BEFORE:
        BEFORE[name]()
    if name in BODIES:
        expected = ANSWERS.get(name, 202)
        assert api.post(path_of(name), BODIES[name]).status_code == expected
    else:
        ok(api.get(path_of(name)))


def untouched(entry: Entry) -> None:
    entry.refresh_from_db()
    assert (entry.status, entry.attempt) == ("failed", 1)
    assert Operation.objects.get().state == "planned"
    assert Hold.objects.get().lifted_at is None
    assert set(AuditEvent.objects.values_list("verb", flat=True)) <= {audit.REFUSED}
