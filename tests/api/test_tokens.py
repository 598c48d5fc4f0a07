"""Making tokens: ``retry.access.tokens`` and ``manage.py create_token``."""

from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from retry.access import tokens
from retry.access.token_text import PATTERN
from retry.management.account import find_account
from retry.models import ApiToken, AuditEvent
from retry.outcomes import Actor
from tests.admin.browsing import Browser
from tests.api.calls import Caller, ok
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
ADMIN = Actor.command("test")


def find_user(token: str) -> "User | None":
    bearer = tokens.find_bearer(token)
    return bearer.user if bearer else None


def create_token(*args: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_token", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_only_a_digest_is_stored(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)
    assert PATTERN.fullmatch(token)
    stored = ApiToken.objects.values().get()
    assert token not in str(stored)
    assert find_user(token) == operator


def test_making_one_is_audited_without_the_token(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_label) == ("create_token", "test")
    assert event.after == {
        "user": "operator",
        "name": "nightly",
        "scopes": None,
        "sources": None,
        "expires_at": None,
        "replaced": False,
    }
    assert token not in str(AuditEvent.objects.values().get())


def test_another_of_the_same_name_replaces_it(operator: "User") -> None:
    first = tokens.create(operator, name="nightly", actor=ADMIN)
    other = tokens.create(operator, name="hourly", actor=ADMIN)
    ApiToken.objects.update(created_at=timezone.now() - timedelta(days=9))
    second = tokens.create(operator, name="nightly", actor=ADMIN)
    assert find_user(first) is None
    assert find_user(second) == find_user(other) == operator
    made = ApiToken.objects.get(name="nightly", revoked_at=None).created_at
    assert timezone.now() - made < timedelta(minutes=1)


def test_the_audit_names_the_token_with_which_something_was_done(chief: "User") -> None:
    caller = Caller(token=tokens.create(chief, name="nightly", actor=ADMIN))
    entry = EntryFactory.create(failed=True)
    ok(caller.post("retry", {"entry_id": entry.pk}), 202)
    ok(caller.post("holds", {"kind": "page"}), 201)
    ok(Caller(chief).post("holds", {"kind": "webhook"}), 201)
    token_id = ApiToken.objects.get().pk
    page, hold, retried, made = ok(caller.get("audit"))["results"]
    assert [(each["token_id"], each["token"]) for each in (page, hold, retried, made)] == [
        (None, ""), (token_id, "nightly"), (token_id, "nightly"), (None, ""),
    ]  # fmt: skip
    assert ok(caller.get("audit", token_id=token_id))["results"] == [hold, retried]
    words = "chief, token “nightly”"
    assert words in Browser(chief).read(f"/admin/retry/auditevent/{hold['id']}/change/")
    assert words in Browser(chief).read(f"/admin/entries/entry/{entry.pk}/history/")


def test_a_revoked_one_stays_known_and_the_audit_knows_whose_it_was(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)
    everyone = ApiToken.objects.select_related("user")
    assert [tokens.revoke(everyone, actor=ADMIN) for _ in range(2)] == [1, 0]
    assert find_user(token) is None
    assert ApiToken.objects.get().revoked_at is not None
    event = AuditEvent.objects.get(verb="revoke_token")
    assert event.before == {"user": "operator", "name": "nightly"}


def test_its_use_is_noted_once_a_minute(operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=ADMIN)

    def used() -> object:
        assert find_user(token)
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

    def test_narrowed(self, operator: "User") -> None:
        news = SourceFactory.create(slug="news")
        out, _ = create_token(
            "operator", "--name", "x", "--scopes", "retry, read", "--sources", "news"
        )
        bearer = tokens.find_bearer(out.strip())
        assert bearer is not None
        assert bearer.reach.scopes == frozenset({"retry", "read"})
        assert bearer.reach.sources == frozenset({news.pk})

    def test_names_the_sources_there_are(self, operator: "User") -> None:
        SourceFactory.create(slug="news")
        with pytest.raises(CommandError, match="There are: news"):
            create_token("operator", "--name", "x", "--sources", "nwes")

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
            ["operator", "--name", "x", "--scopes", "retry,everything"],
            ["operator", "--name", "x", "--scopes", ","],
            ["operator", "--name", "x", "--sources", "nowhere"],
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
        assert PATTERN.fullmatch(out.strip())
        assert "active and staff" in err
