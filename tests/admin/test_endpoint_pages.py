"""Endpoints in the admin: what is checked, and that a secret is never shown again."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from entries.endpoints import create_secret, find_secret_problem
from entries.models import Endpoint
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.walking import addresses, populate
from tests.conftest import grant
from tests.factories.entries import EndpointFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

ENDPOINTS = "/admin/entries/endpoint/"
GIVEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def keeper(powerless: "User") -> Browser:
    """Whoever may look after endpoints, and nothing else."""
    return Browser(
        grant(powerless, "entries.view_endpoint", "entries.add_endpoint", "entries.change_endpoint")
    )


def form(**changes: Any) -> dict[str, Any]:
    return {
        "slug": "billing",
        "name": "Billing",
        "url": "https://billing.example/hooks",
        "enabled": "on",
        "secret": "",
    } | changes


def test_a_secret_that_was_made_is_shown_exactly_once(keeper: Browser) -> None:
    said = keeper.press(f"{ENDPOINTS}add/", **form())
    endpoint = Endpoint.objects.get()
    assert find_secret_problem(endpoint.secret) == ""
    assert [message.count(endpoint.secret) for message in said if "secret" in message] == [1]
    assert "not shown again" in " ".join(said)
    pages = (ENDPOINTS, page_of(endpoint), page_of(endpoint, "history"), "/admin/")
    assert not [url for url in pages if endpoint.secret[6:] in keeper.read(url)]


def test_a_secret_that_was_given_is_kept_and_not_shown_at_all(keeper: Browser) -> None:
    said = keeper.press(f"{ENDPOINTS}add/", **form(secret=GIVEN))
    assert Endpoint.objects.get().secret == GIVEN
    assert "whsec_" not in " ".join(said)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secret": "hunter2"}, "A secret begins with whsec_."),
        ({"secret": "whsec_not base64!"}, "After whsec_ a secret is base64."),
        ({"secret": "whsec_c2hvcnQ="}, "A secret has 24 to 64 bytes, this one has 5."),
        ({"secret": "whsec_" + "A" * 88}, "this one has 66"),
        ({"url": "billing.example"}, "Only absolute http and https URLs"),
        ({"url": "javascript:alert(1)"}, "Only absolute http and https URLs"),
        ({"url": "https://me:pw@billing.example/"}, "User and password do not belong"),
        ({"url": ""}, "This field is required."),
        ({"slug": "not a slug"}, "Enter a valid “slug”"),
        ({"slug": "taken"}, "already exists"),
    ],
)
def test_what_makes_no_sense_is_not_stored(
    changes: dict[str, str], words: str, keeper: Browser
) -> None:
    EndpointFactory.create(slug="taken")
    secret = changes.get("secret", GIVEN)
    answer = keeper.post(f"{ENDPOINTS}add/", form(secret=GIVEN) | changes)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert words in text_of(page)
    assert secret not in page, "what was typed is not sent back"
    assert Endpoint.objects.count() == 1


def test_an_empty_secret_keeps_the_old_one_and_is_no_change(keeper: Browser) -> None:
    endpoint = EndpointFactory.create(slug="billing", secret=GIVEN)
    keeper.press(page_of(endpoint), **form(name="Bills", slug="other"))
    after = Endpoint.objects.get()
    assert (after.secret, after.name) == (GIVEN, "Bills")
    assert after.slug == "billing", "entries know it by that"
    words = text_of(keeper.read(page_of(endpoint, "history")))
    assert "Changed Name and URL." in words


def test_a_new_secret_replaces_the_old_one_unseen(keeper: Browser) -> None:
    endpoint = EndpointFactory.create(slug="billing")
    new = create_secret()
    said = keeper.press(page_of(endpoint), **form(secret=new))
    assert Endpoint.objects.get().secret == new
    assert new not in " ".join(said)
    assert "Secret" in LogEntry.objects.get().get_change_message()


def test_a_generated_secret_replaces_the_old_one_which_signs_for_a_day(keeper: Browser) -> None:
    endpoint = EndpointFactory.create(slug="billing", secret=GIVEN)
    said = keeper.press(page_of(endpoint), **form(generate="on", overlap="24"))
    after = Endpoint.objects.get()
    assert after.secret != GIVEN
    assert find_secret_problem(after.secret) == ""
    assert after.secret in " ".join(said)
    assert after.previous_secret == GIVEN
    assert after.previous_until is not None
    assert timedelta(hours=23) < after.previous_until - timezone.now() < timedelta(hours=25)
    assert "the secret and, until" in text_of(keeper.read(page_of(endpoint)))
    keeper.press(page_of(endpoint), **form(name="Bills", overlap="1"))
    assert Endpoint.objects.get().previous_until == after.previous_until, "no secret was changed"
    keeper.press(page_of(endpoint), **form(secret=create_secret(), overlap="0"))
    assert Endpoint.objects.get().previous_secret == ""


def test_a_stale_page_undoes_no_rotation(keeper: Browser) -> None:
    endpoint = EndpointFactory.create(slug="billing", name="Billing")
    page = keeper.read(page_of(endpoint))
    assert 'type="password"' in page
    Endpoint.objects.update(secret=GIVEN)
    keeper.press(page_of(endpoint), **form(name="Bills"))
    assert Endpoint.objects.get().secret == GIVEN


def test_no_page_and_no_record_has_a_secret(chief: "User", powerless: "User") -> None:
    made = populate()
    endpoint = made["entries_endpoint"]
    chiefs = Browser(chief)
    chiefs.press(page_of(endpoint), **form(slug=endpoint.slug, secret=GIVEN))
    keys = (endpoint.secret[6:], GIVEN[6:])
    viewer = Browser(grant(powerless, "entries.view_endpoint"))
    for address in addresses(made):
        if address.name == "logout":
            continue
        for browser in (chiefs, viewer):
            page = browser.get(address.url).content.decode()
            assert not [key for key in keys if key in page], address
    rows = [
        repr(row)
        for model in apps.get_models()
        if model is not Endpoint and model._meta.managed
        for row in model._default_manager.values()
    ]
    assert not [row for row in rows for key in keys if key in row]
    assert LogEntry.objects.exists()


def test_those_who_may_only_look_see_everything_but_the_secret(powerless: "User") -> None:
    endpoint = EndpointFactory.create(name="Billing", url="https://billing.example/hooks")
    viewer = Browser(grant(powerless, "entries.view_endpoint"))
    words = text_of(viewer.read(page_of(endpoint)))
    assert "https://billing.example/hooks" in words
    assert "secret" not in words.lower()
    assert viewer.post(page_of(endpoint), form()).status_code == 403
    assert viewer.get(f"{ENDPOINTS}add/").status_code == 403


def test_nobody_finds_a_secret_out_by_filtering(keeper: Browser) -> None:
    endpoint = EndpointFactory.create(secret=GIVEN)
    for query in ("secret__startswith=whsec_M", f"secret={GIVEN}"):
        assert keeper.get(f"{ENDPOINTS}?{query}").status_code == 400
    assert endpoint.slug not in text_of(keeper.read(f"{ENDPOINTS}?q=MfKQ9r8"))


def test_endpoints_are_not_deleted(chief: "User") -> None:
    endpoint = EndpointFactory.create()
    browser = Browser(chief)
    assert "deletelink" not in browser.read(page_of(endpoint))
    assert browser.post(page_of(endpoint, "delete"), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [endpoint.pk], "post": "yes"}
    browser.post(ENDPOINTS, selected)
    assert Endpoint.objects.exists()


def test_the_list_shows_the_address_without_its_query(keeper: Browser) -> None:
    EndpointFactory.create(slug="billing", url="https://billing.example/hooks?key=t0psecret")
    EndpointFactory.create(slug="broken", url="nonsense")
    words = text_of(keeper.read(ENDPOINTS))
    assert "billing" in words
    assert "https://billing.example/hooks?…" in words
    assert "t0psecret" not in words


def test_without_endpoints_the_list_says_what_they_are_for(
    keeper: Browser, powerless: "User"
) -> None:
    assert "No endpoints yet" in text_of(keeper.read(ENDPOINTS))
    assert f'href="{ENDPOINTS}add/"' in keeper.read(ENDPOINTS)
    assert "No endpoint matches" in text_of(keeper.read(f"{ENDPOINTS}?q=nothing"))
    nav = re.search(r'<nav class="desk-nav".*?</nav>', keeper.read("/admin/"), re.DOTALL)
    assert nav
    assert f'<a href="{ENDPOINTS}">Endpoints</a>' in nav[0]
