"""Permissions are offered under names in the language of the page."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "names"),
    [
        (
            "en",
            ("Operations | operation | Can approve what others have requested", "Can view hold"),
        ),
        ("de", ("Vorgänge | Vorgang | Darf freigeben", "Darf ansehen: Sperre")),
    ],
)
@pytest.mark.parametrize("page", ["admin:auth_group_add", "admin:auth_user_change"])
def test_the_choices_are_named(page: str, language: str, names: tuple[str, ...]) -> None:
    chief = UserFactory.create(is_superuser=True, is_staff=True)
    client = Client(headers={"Accept-Language": language})
    client.force_login(chief)
    args = [chief.pk] if page.endswith("change") else []
    text = client.get(reverse(page, args=args)).content.decode()
    for name in names:
        assert name in text
    assert not Permission.objects.filter(name__startswith="Darf").exists()
