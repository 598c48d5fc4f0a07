"""The kinds of people at the desk."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission

from retry.access import tokens
from retry.access.permissions import VIEW_ALL_SOURCES
from retry.access.roles import ADMINISTRATORS, OPERATORS, VIEWERS, create_roles
from tests.api.calls import Caller
from tests.conftest import OPERATOR, grant
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def _staff(name: str, *permissions: str) -> "User":
    return grant(UserFactory.create(username=name, is_staff=True), *permissions)


def _chief() -> "User":
    user = _staff("chief")
    user.user_permissions.set(Permission.objects.all())
    return type(user).objects.get(pk=user.pk)


def _superuser() -> "User":
    return UserFactory.create(username="superuser", is_staff=True, is_superuser=True)


#: Heading of a column -> a new user of that kind; None for a visitor who has not logged in.
PEOPLE: dict[str, Callable[[], "User | None"]] = {
    "anonymous": lambda: None,
    "staff": lambda: _staff("staff"),
    "reader": lambda: _staff("reader", "entries.view_entry"),
    "operator": lambda: _staff("operator", *OPERATOR),
    "blind": lambda: _staff("blind", "entries.retry_entry"),
    "chief": _chief,
    "superuser": _superuser,
}
WHO = {
    "anonymous": "has not logged in",
    "staff": "staff without any permission",
    "reader": 'may see entries ("Can view entry") and nothing else',
    "operator": "sees entries, sources, syncs and the status, and retries, resyncs and syncs",
    "blind": '"Can retry entry" without "Can view entry"',
    "chief": "has every permission, and is no superuser",
    "superuser": "may do everything",
}


def _member(name: str, *, group: str, without: str = "") -> "User":
    """Of a group that comes along, and of none that a source belongs to."""
    create_roles()
    user = _staff(name)
    user.groups.add(Group.objects.get(name=group))
    Group.objects.get(name=group).permissions.remove(*_find(without))
    return type(user).objects.get(pk=user.pk)


def _find(permission: str) -> "list[Permission]":
    app, _, codename = permission.partition(".")
    return list(Permission.objects.filter(content_type__app_label=app, codename=codename))


#: Those from whom the source is hidden that everything they ask for is about.
OUTSIDERS: dict[str, Callable[[], "User"]] = {
    "viewer": lambda: _member("viewer", group=VIEWERS),
    "operator": lambda: _member("operator", group=OPERATORS),
    "administrator": lambda: _member(
        "administrator", group=ADMINISTRATORS, without=VIEW_ALL_SOURCES
    ),
}
WHO_OUTSIDE = {
    "viewer": "of the group Viewers",
    "operator": "of the group Operators",
    "administrator": "of the group Administrators without the permission to see every source",
}


#: Those who only come to the API.
TOKENS = {
    "token": "a token of the operator",
    "inactive": "a token of a superuser whose account was deactivated later",
}
WHO |= TOKENS


def callers() -> dict[str, Caller]:
    """A new caller of each kind, at the API."""
    people = {who: make() for who, make in PEOPLE.items()}
    gone = UserFactory.create(username="inactive", is_staff=True, is_superuser=True)
    made = [_token_of(people["operator"]), _token_of(gone)]
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    sessions = {who: Caller(user) for who, user in people.items()}
    return sessions | {who: Caller(token=token) for who, token in zip(TOKENS, made, strict=True)}


def _token_of(user: "User | None") -> str:
    assert user is not None
    return tokens.create(user, name="walk", actor=SCRIPT)
