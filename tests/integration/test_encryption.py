"""Secrets in the database: encrypted, and readable after a change of keys."""

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from entries.encryption import PREFIX, decrypt, encrypt, is_unreadable
from entries.models import Endpoint
from tests.factories.entries import EndpointFactory

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db
SECRET = "whsec_" + "QUJD" * 8


def read_stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM entries_endpoint")
        ((stored,),) = cursor.fetchall()
    return str(stored)


def store_as_text(secret: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_endpoint SET secret = %s", [secret])


def test_the_database_has_no_secret_in_clear() -> None:
    EndpointFactory.create(secret=SECRET)
    assert read_stored().startswith(PREFIX)
    assert SECRET[6:] not in read_stored()
    assert Endpoint.objects.get().secret == SECRET


def test_the_same_secret_is_encrypted_differently_each_time() -> None:
    assert encrypt(SECRET) != encrypt(SECRET)
    assert encrypt("") == ""
    assert encrypt(encrypted := encrypt(SECRET)) == encrypted


def test_a_secret_from_before_is_read_and_can_be_encrypted() -> None:
    EndpointFactory.create()
    store_as_text(SECRET)
    assert Endpoint.objects.get().secret == SECRET
    call_command("encrypt_secrets", stdout=StringIO())
    assert read_stored().startswith(PREFIX)
    assert Endpoint.objects.get().secret == SECRET


def test_keys_are_replaced_while_everything_runs(settings: "Settings") -> None:
    settings.REDRIVE_ENCRYPTION_KEYS = ["old"]
    EndpointFactory.create(secret=SECRET)
    settings.REDRIVE_ENCRYPTION_KEYS = ["new", "old"]
    assert Endpoint.objects.get().secret == SECRET
    call_command("encrypt_secrets", stdout=StringIO())
    settings.REDRIVE_ENCRYPTION_KEYS = ["new"]
    assert Endpoint.objects.get().secret == SECRET


def test_without_keys_of_its_own_it_follows_the_secret_key(settings: "Settings") -> None:
    settings.SECRET_KEY = "first"
    EndpointFactory.create(secret=SECRET)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert Endpoint.objects.get().secret == SECRET


def test_a_missing_key_loses_nothing(settings: "Settings") -> None:
    settings.REDRIVE_ENCRYPTION_KEYS = ["old"]
    EndpointFactory.create(slug="billing", secret=SECRET)
    settings.REDRIVE_ENCRYPTION_KEYS = ["new"]
    endpoint = Endpoint.objects.get()
    assert is_unreadable(endpoint.secret)
    endpoint.save()
    with pytest.raises(CommandError, match="billing"):
        call_command("encrypt_secrets", stdout=StringIO())
    settings.REDRIVE_ENCRYPTION_KEYS = ["new", "old"]
    assert decrypt(read_stored()) == SECRET
