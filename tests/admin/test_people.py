"""Nobody gets further by editing users and groups than they are: by real forms, sent as they are
and with what the forms do not offer."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from retry.access import tokens
from retry.errors import NotPermitted
from retry.models import ApiToken, AuditEvent
from retry.outcomes import Actor, Channel
from tests.admin.browsing import Browser, page_of
from tests.conftest import grant
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.django_db(transaction=True)
AUTH = [
    f"auth.{verb}_{model}"
    for model in ("user", "group")
    for verb in ("view", "add", "change", "delete")
]
PASSWORD = "a-longer-passphrase-of-words"


def permission(name: str) -> Permission:
    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


@pytest.fixture
def clerk(db: None) -> User:
    """May do everything with users and groups, and see entries; nothing else."""
    return grant(
        UserFactory.create(username="clerk", is_staff=True),
        *AUTH,
        "entries.view_entry",
        "retry.delete_apitoken",
    )


@pytest.fixture
def somebody(db: None) -> User:
    return grant(UserFactory.create(username="somebody", is_staff=True), "entries.view_entry")


@pytest.fixture
def stronger(db: None) -> User:
    return grant(UserFactory.create(username="stronger", is_staff=True), "entries.retry_entry")


def form(user: User, **changes: Any) -> dict[str, Any]:
    return {
        "username": user.username,
        "is_active": "on",
        "is_staff": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "user_permissions": [p.pk for p in user.user_permissions.all()],
        "groups": [g.pk for g in user.groups.all()],
    } | changes


def rights_of(user: User) -> tuple[bool, set[str]]:
    fresh = User.objects.get(pk=user.pk)
    return fresh.is_superuser, fresh.get_all_permissions()


def test_nobody_makes_a_superuser(clerk: User, somebody: User) -> None:
    browser = Browser(clerk)
    for user in (somebody, clerk):
        before = rights_of(user)
        browser.press(page_of(user), **form(user, is_superuser="on"))
        assert rights_of(user) == before
    assert 'name="is_superuser"' not in browser.read(page_of(somebody))


def test_a_superuser_does(chief: User, somebody: User) -> None:
    Browser(chief).press(page_of(somebody), **form(somebody, is_superuser="on"))
    assert rights_of(somebody)[0]


@pytest.mark.parametrize("whom", ["somebody", "clerk"])
def test_nobody_grants_what_they_do_not_hold(
    clerk: User, somebody: User, stronger: User, whom: str
) -> None:
    user = {"somebody": somebody, "clerk": clerk}[whom]
    before = rights_of(user)
    beyond = Group.objects.create(name="beyond")
    beyond.permissions.add(permission("entries.retry_entry"))
    mixed = Group.objects.create(name="mixed")
    mixed.permissions.add(permission("entries.retry_entry"), permission("entries.view_entry"))
    retry = permission("entries.retry_entry").pk
    for changes in ({"user_permissions": [retry]}, {"groups": [beyond.pk]}, {"groups": [mixed.pk]}):
        answer = Browser(clerk).post(page_of(user), form(user, **changes))
        assert answer.status_code == 200
        assert answer.context["errors"]
        assert rights_of(user) == before


def test_what_they_hold_they_grant(clerk: User, somebody: User) -> None:
    within = Group.objects.create(name="within")
    within.permissions.add(permission("auth.view_user"))
    mine = permission("auth.view_group").pk
    changes = {"user_permissions": [mine], "groups": [within.pk]}
    Browser(clerk).press(page_of(somebody), **form(somebody, **changes))
    assert rights_of(somebody) == (False, {"auth.view_group", "auth.view_user"})


def kept(user: User) -> "Iterable[object]":
    return User.objects.filter(pk=user.pk).values().get().items()


@pytest.mark.parametrize("whom", ["chief", "stronger", "in a group", "inactive"])
def test_nobody_touches_those_who_hold_more(
    clerk: User, chief: User, stronger: User, somebody: User, whom: str
) -> None:
    if whom == "in a group":
        group = Group.objects.create(name="beyond")
        group.permissions.add(permission("entries.retry_entry"))
        somebody.groups.add(group)
    if whom == "inactive":
        User.objects.filter(pk=stronger.pk).update(is_active=False)
    user = {"chief": chief, "in a group": somebody}.get(whom, stronger)
    before = kept(user)
    browser = Browser(clerk)
    password = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert browser.post(page_of(user), form(user, username="taken")).status_code == 403
    answer = browser.post(f"/admin/auth/user/{user.pk}/password/", password)
    assert answer.status_code == 403
    assert browser.post(page_of(user, "delete"), {"post": "yes"}).status_code == 403
    ticked = {"_selected_action": [user.pk], "action": "delete_selected", "post": "yes"}
    assert browser.post("/admin/auth/user/", ticked).status_code == 403
    assert kept(user) == before
    assert browser.get(page_of(user)).status_code == 200, "they may still be looked at"
    refused = AuditEvent.objects.filter(verb="refused", actor=clerk.pk)
    assert refused.count() == 4
    assert all((event.after or {})["what"] for event in refused)


def test_a_password_is_set_for_those_who_hold_no_more(clerk: User, somebody: User) -> None:
    password = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    Browser(clerk).press(f"/admin/auth/user/{somebody.pk}/password/", **password)
    somebody.refresh_from_db()
    assert somebody.check_password(PASSWORD)
    event = AuditEvent.objects.get(verb="change_user")
    assert event.subject == f"auth.user:{somebody.pk}"
    assert event.after == {"password": "*** (replaced)"}
    assert somebody.password not in str(AuditEvent.objects.values())


def test_no_group_gives_more_than_they_hold(clerk: User, somebody: User) -> None:
    mine = Group.objects.create(name="mine")
    clerk.groups.add(mine)
    retry, view = permission("entries.retry_entry"), permission("entries.view_entry")
    browser = Browser(clerk)
    answer = browser.post(page_of(mine), {"name": "mine", "permissions": [retry.pk]})
    assert answer.context["errors"]
    assert not mine.permissions.exists()
    answer = browser.post("/admin/auth/group/add/", {"name": "new", "permissions": [retry.pk]})
    assert answer.context["errors"]
    browser.press(page_of(mine), name="mine", permissions=[view.pk])
    assert set(mine.permissions.all()) == {view}
    beyond = Group.objects.create(name="beyond")
    beyond.permissions.add(retry)
    assert browser.post(page_of(beyond), {"name": "mine too"}).status_code == 403
    assert browser.post(page_of(beyond, "delete"), {"post": "yes"}).status_code == 403
    ticked = {"_selected_action": [beyond.pk], "action": "delete_selected", "post": "yes"}
    assert browser.post("/admin/auth/group/", ticked).status_code == 403
    assert set(beyond.permissions.all()) == {retry}


def test_nobody_makes_a_token_for_those_who_hold_more(
    clerk: User, chief: User, stronger: User, somebody: User
) -> None:
    clerk = grant(clerk, "retry.add_apitoken", "retry.issue_apitoken")
    actor = Actor.from_user(clerk, channel=Channel.ADMIN)
    for user in (chief, stronger):
        with pytest.raises(NotPermitted):
            tokens.create(user, name="x", actor=actor)
    assert not ApiToken.objects.exists()
    for user in (somebody, clerk):
        bearer = tokens.find_bearer(tokens.create(user, name="x", actor=actor))
        assert bearer is not None
        assert bearer.user == user
    with pytest.raises(NotPermitted):
        tokens.create(somebody, name="x", actor=Actor.from_user(somebody, channel=Channel.ADMIN))


def test_the_tokens_of_who_is_deleted_are_revoked_and_that_is_told(
    clerk: User, somebody: User
) -> None:
    tokens.create(somebody, name="nightly", actor=SCRIPT)
    Browser(clerk).press(page_of(somebody, "delete"), post="yes")
    assert not User.objects.filter(pk=somebody.pk).exists()
    told = AuditEvent.objects.filter(subject=f"auth.user:{somebody.pk}").order_by("id")
    assert [event.verb for event in told] == ["create_token", "revoke_token", "delete_user"]
