"""Scopes of tokens: each permission is in one, and no verb can be called without its scope."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from entries.sources import registry
from retry.access import permissions
from retry.access.permissions import ADD_TOKEN, DELETE_TOKEN, ISSUE_TOKEN, VIEW_TOKEN
from retry.access.scopes import SCOPES, TokenScope, build_reach
from retry.errors import NotPermitted
from retry.outcomes import Actor, Channel
from tests.laws.test_verbs import everything, jobs
from tests.laws.verbs import ACTS, INTERNAL, Constant
from tests.support.registries import restored_registries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)
#: No narrowed token can make, see or revoke tokens.
NOT_FOR_TOKENS = {ADD_TOKEN, ISSUE_TOKEN, VIEW_TOKEN, DELETE_TOKEN}


@pytest.fixture(autouse=True)
def _stage(settings: "Settings", tmp_path: Path) -> "Iterator[None]":
    backend = "django.core.files.storage.FileSystemStorage"
    own = {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "uploads"}}
    settings.STORAGES = {**settings.STORAGES, "uploads": own}
    with restored_registries():
        registry.register(Constant)
        yield


def test_every_permission_is_in_one_scope_or_not_for_tokens() -> None:
    named = {
        getattr(permissions, name)
        for name in permissions.__all__
        if isinstance(getattr(permissions, name), str)
    }
    scoped = [name for meaning in SCOPES.values() for name in meaning.permissions]
    assert len(scoped) == len(set(scoped))
    assert set(scoped) == named - NOT_FOR_TOKENS


def test_every_scope_has_words() -> None:
    assert SCOPES.keys() == set(TokenScope)
    assert all(str(meaning.words) for meaning in SCOPES.values())


def narrowed(user: "User", *scopes: str) -> Actor:
    return Actor.from_user(user, channel=Channel.API, reach=build_reach(frozenset(scopes), None))


@pytest.mark.parametrize("name", sorted(ACTS.keys() - INTERNAL))
def test_no_verb_is_for_a_token_that_only_reads(name: str, chief: "User") -> None:
    """Also not those that need no more of a person than to see something."""
    act = ACTS[name].prepare()
    before = everything()
    with pytest.raises(NotPermitted):
        act(narrowed(chief, TokenScope.READ))
    assert everything() == before
    assert jobs() == 0


@pytest.mark.parametrize("name", ["pause_operation", "resume_operation", "cancel_operation"])
def test_to_steer_an_operation_takes_a_scope_of_its_own(name: str, chief: "User") -> None:
    act = ACTS[name].prepare()
    with pytest.raises(NotPermitted, match="of the scope operations"):
        act(narrowed(chief, TokenScope.RETRY))
    act(narrowed(chief, TokenScope.RETRY, TokenScope.OPERATIONS))


def test_a_scope_that_is_unknown_leaves_nothing(chief: "User") -> None:
    actor = narrowed(chief, "teleport")
    assert not actor.may(permissions.VIEW_ENTRY)
    assert not actor.may(permissions.RETRY_ENTRY)
