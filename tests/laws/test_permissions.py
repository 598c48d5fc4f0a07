"""Each permission is named in one place, and exists."""

import ast

import pytest
from django.contrib.auth.models import Permission

from entries import permissions as of_entries
from retry.access import permissions
from tests.laws.tree import ROOT

NAMES = {name: value for name, value in vars(permissions).items() if name in permissions.__all__}
HOMES = {"entries/permissions.py", "retry/access/permissions.py"}


@pytest.mark.django_db
def test_every_name_is_a_permission_that_can_be_granted() -> None:
    there = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    wanted = {value for value in NAMES.values() if isinstance(value, str)}
    assert wanted <= there
    assert set(permissions.OPERATE.values()) <= wanted


def test_those_of_entries_are_all_passed_on() -> None:
    own = {name: value for name, value in vars(of_entries).items() if name.isupper()}
    assert own.items() <= NAMES.items()


def test_no_other_module_spells_one_out() -> None:
    values = {value for value in NAMES.values() if isinstance(value, str)}
    spelt = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("config", "entries", "retry", "bench")
        for path in (ROOT / package).rglob("*.py")
        if str(path.relative_to(ROOT)) not in HOMES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in values
    ]
    assert spelt == []
