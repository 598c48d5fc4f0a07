"""``manage.py add_endpoint``."""

import io

import pytest
from django.core.management import CommandError, call_command

from entries.endpoints import create_secret, find_secret_problem
from entries.models import Endpoint
from retry.models import AuditEvent

pytestmark = pytest.mark.django_db

URL = "https://billing.example/hooks"


def add(*arguments: str) -> str:
    out = io.StringIO()
    call_command("add_endpoint", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_a_secret_that_was_made_is_written_alone_on_the_last_line() -> None:
    *_, last = add("billing", "--url", URL).splitlines()
    endpoint = Endpoint.objects.get()
    assert last == endpoint.secret
    assert find_secret_problem(last) == ""
    assert (endpoint.slug, endpoint.url, endpoint.enabled) == ("billing", URL, True)


def test_a_secret_from_the_environment_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_SECRET", secret := create_secret())
    said = add("billing", "--url", f" {URL} ", "--name", "Bills", "--secret-env", "BILLING_SECRET")
    assert said == "Added the endpoint billing.\n"
    endpoint = Endpoint.objects.get()
    assert (endpoint.secret, endpoint.name, endpoint.url) == (secret, "Bills", URL)


def test_an_endpoint_is_added_once() -> None:
    add("billing", "--url", URL)
    before = Endpoint.objects.values().get()
    with pytest.raises(CommandError, match="The endpoint 'billing' already exists"):
        add("billing", "--url", "https://other.example/")
    said = add("billing", "--url", "https://other.example/", "--if-missing")
    assert said == "The endpoint billing already exists; nothing was changed.\n"
    assert Endpoint.objects.values().get() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["billing", "--url", "billing.example"], "--url: only absolute http and https URLs"),
        (["billing", "--url", "https://me:pw@x/"], "--url: user and password do not belong"),
        (["bil ling", "--url", URL], "slug: Enter a valid"),
        (["billing", "--url", "https://x/" + "a" * 2_000], "url: Ensure this value has"),
        (["billing", "--url", URL, "--secret-env", "NOWHERE"], "NOWHERE is not set"),
        (["billing", "--url", URL, "--secret-env", "PATH"], "a secret begins with whsec_"),
    ],
)
def test_slips_of_the_pen(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        add(*arguments)
    assert message in str(caught.value)
    assert not Endpoint.objects.exists()


def test_it_is_in_the_audit_without_its_secret() -> None:
    call_command("add_endpoint", "e", url="https://h.example/in")
    event = AuditEvent.objects.get()
    assert (event.verb, event.channel) == ("add_endpoint", "command")
    assert (event.after or {})["secret"] == "***"
