"""The groups that come along, and what a migration leaves to those who were there before."""

from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.db.models import ProtectedError

from entries.permissions import VIEW_ALL_SOURCES, VIEW_PAYLOAD
from retry.access.grants import exceeds, group_exceeds, list_grantable_groups
from retry.access.permissions import ADD_TOKEN, ISSUE_TOKEN, VIEW_AUDIT
from retry.access.roles import ADMINISTRATORS, OPERATORS, ROLES, VIEWERS, create_roles
from tests.admin.browsing import Browser
from tests.conftest import grant
from tests.factories.entries import SourceFactory
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_groups() -> None:
    Group.objects.all().delete()


def list_permissions(name: str) -> set[str]:
    found = Group.objects.get(name=name).permissions
    return {
        f"{app}.{code}" for app, code in found.values_list("content_type__app_label", "codename")
    }


def test_each_may_do_more_than_the_one_before() -> None:
    create_roles()
    viewers, operators, administrators = (list_permissions(name) for name in ROLES)
    assert viewers < operators < administrators
    assert not [name for name in viewers if not name.split(".")[1].startswith("view_")]
    assert VIEW_PAYLOAD not in viewers
    assert VIEW_PAYLOAD in operators
    assert VIEW_ALL_SOURCES not in operators
    assert VIEW_ALL_SOURCES in administrators
    assert "auth.change_user" in administrators
    assert ADD_TOKEN in operators - viewers
    assert {ISSUE_TOKEN, VIEW_AUDIT} <= administrators - operators


def test_what_is_there_is_left_as_it_is() -> None:
    Group.objects.create(name=OPERATORS)
    create_roles()
    create_roles()
    assert list_permissions(OPERATORS) == set()
    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(ROLES)


def test_permissions_are_made_where_they_are_missing() -> None:
    """In a new database Django makes them only after the migrations."""
    Permission.objects.filter(content_type__app_label__in=("entries", "retry")).delete()
    create_roles()
    assert list_permissions(VIEWERS)
    assert "retry.approve_operation" in list_permissions(ADMINISTRATORS)


def test_who_saw_payloads_still_does() -> None:
    reader = grant(UserFactory.create(), "entries.view_entry")
    other = grant(UserFactory.create(), "entries.retry_entry")
    group = Group.objects.create(name="night shift")
    group.permissions.add(Permission.objects.get(codename="view_entry"))
    migration = import_module("entries.migrations.0016_source_groups")
    for _ in range(2):
        migration.keep_payloads_visible(apps, connection.schema_editor())
    assert type(reader).objects.get(pk=reader.pk).has_perm(VIEW_PAYLOAD)
    assert not type(other).objects.get(pk=other.pk).has_perm(VIEW_PAYLOAD)
    assert VIEW_PAYLOAD in list_permissions("night shift")


def test_nobody_opens_a_source_that_is_hidden_from_them() -> None:
    """Neither by joining its group, nor by another account that is in it."""
    people = Group.objects.create(name="people of theirs")
    SourceFactory.create(slug="theirs").groups.add(people)
    SourceFactory.create(slug="mine").groups.add(mine := Group.objects.create(name="mine"))
    holder, member = UserFactory.create(), UserFactory.create()
    holder.groups.add(mine)
    member.groups.add(people)
    assert list(list_grantable_groups(holder)) == [mine]
    assert group_exceeds(people, holder=holder)
    assert exceeds(member, holder=holder)
    seeing = grant(UserFactory.create(), "entries.view_all_sources")
    assert set(list_grantable_groups(seeing)) == {mine, people}
    assert not exceeds(member, holder=seeing)


def test_a_group_of_a_source_is_not_deleted(chief: "User") -> None:
    """Without a group the source would be open to all."""
    people = Group.objects.create(name="people of theirs")
    source = SourceFactory.create(slug="theirs")
    source.groups.add(people)
    with pytest.raises(ProtectedError, match="people of theirs"), transaction.atomic():
        people.delete()
    browser = Browser(chief)
    url = f"/admin/auth/group/{people.pk}/delete/"
    assert "Theirs" in browser.read(url)
    browser.post(url, {"post": "yes"})
    ticked = {"_selected_action": [people.pk], "action": "delete_selected", "post": "yes"}
    browser.post("/admin/auth/group/", ticked)
    assert list(source.groups.all()) == [people]
    source.groups.clear()
    browser.post(url, {"post": "yes"})
    assert not Group.objects.filter(pk=people.pk).exists()
