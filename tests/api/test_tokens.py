"""Making tokens: ``retry.access.tokens`` and ``manage.py create_token``."""

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from retry.access import tokens
from retry.management.account import find_account
from retry.models import ApiToken, AuditEvent
from retry.outcomes import Actor
from tests.api.calls import Caller, ok
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
ADMIN = Actor.command("test")


def create_token(*args: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_token", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_only_a_digest_is_stored(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)
    assert token.startswith("rdv_")
    assert len(token) > 40
    stored = ApiToken.objects.values().get()
    assert token not in str(stored)
    assert tokens.find_user(token) == operator


def test_making_one_is_audited_without_the_token(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_label) == ("create_token", "test")
    assert event.after == {"user": "operator", "name": "nightly", "expires_at": None}
    assert token not in str(AuditEvent.objects.values().get())


def test_another_of_the_same_name_replaces_it(operator: "User") -> None:
    first = tokens.create(operator, name="nightly", actor=ADMIN)
    other = tokens.create(operator, name="hourly", actor=ADMIN)
    ApiToken.objects.update(created_at=timezone.now() - timedelta(days=9))
    second = tokens.create(operator, name="nightly", actor=ADMIN)
    assert tokens.find_user(first) is None
    assert tokens.find_user(second) == tokens.find_user(other) == operator
    made = ApiToken.objects.get(name="nightly").created_at
    assert timezone.now() - made < timedelta(minutes=1)


def test_a_revoked_one_is_gone_and_the_audit_knows_whose_it_was(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)
    tokens.revoke(ApiToken.objects.select_related("user"), actor=ADMIN)
    assert tokens.find_user(token) is None
    event = AuditEvent.objects.get(verb="revoke_token")
    assert event.before == {"user": "operator", "name": "nightly"}


def test_its_use_is_noted_once_a_minute(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)

    def used() -> object:
        assert tokens.find_user(token)
        return ApiToken.objects.get().last_used_at

    first = used()
    assert first is not None
    assert used() == first
    earlier = timezone.now() - timedelta(seconds=61)
    ApiToken.objects.update(last_used_at=earlier)
    assert used() != earlier


class TestCommand:
    def test_prints_the_token_and_nothing_else(self, operator: "User") -> None:
        out, err = create_token("operator", "--name", " nightly ")
        assert AuditEvent.objects.get().actor_label == find_account(), "who ran it, not what"
        assert err == ""
        ok(Caller(token=out.strip()).get("entries"))
        made = ApiToken.objects.get()
        assert (made.name, made.expires_at) == ("nightly", None)
        assert AuditEvent.objects.get().channel == "command"

    def test_for_some_days(self, operator: "User") -> None:
        create_token("operator", "--name", "x", "--days", "30")
        expires = ApiToken.objects.get().expires_at
        assert expires is not None
        assert timedelta(29) < expires - timezone.now() < timedelta(31)

    @pytest.mark.parametrize(
        "args",
        [
            ["nobody", "--name", "x"],
            ["operator"],
            ["operator", "--name", "  "],
            ["operator", "--name", "x" * 101],
            ["operator", "--name", "x", "--days", "0"],
            ["operator", "--name", "x", "--days", "-1"],
            ["operator", "--name", "x", "--days", "many"],
            ["operator", "--name", "x", "--days", "1000000000"],
        ],
    )
    def test_refuses_in_words(self, operator: "User", args: list[str]) -> None:
        with pytest.raises(CommandError):
            create_token(*args)
        assert not ApiToken.objects.exists()

    @pytest.mark.parametrize(
        "traits", [{"is_staff": False}, {"is_staff": True, "is_active": False}]
    )
    def test_says_when_the_token_cannot_work_yet(self, traits: dict[str, bool]) -> None:
        UserFactory.create(username="alice", **traits)
        out, err = create_token("alice", "--name", "x")
        assert out.startswith("rdv_")
        assert "active and staff" in err
