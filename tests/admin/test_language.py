"""Pages are in the language of their reader; all else is English."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.utils import translation

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH", "de"),
        ("fr, de;q=0.5, en;q=0.1", "de"),
        ("en-GB, de;q=0.5", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("\x00;q=x,,", "en"),
        (f"{'x' * 3000},de", "en"),
    ],
)
def test_a_page_has_the_language_of_the_browser(client: Client, asked: str, language: str) -> None:
    response = client.get(LOGIN, headers={"Accept-Language": asked})
    assert response.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in response.text


def test_the_default_is_for_other_browsers(client: Client, settings: Any) -> None:
    settings.REDRIVE_LANGUAGE = "de"
    for asked, language in {"": "de", "fr": "de", "en-US": "en"}.items():
        response = client.get(LOGIN, headers={"Accept-Language": asked})
        assert response.headers["Content-Language"] == language


def test_a_chosen_language_is_kept(client: Client) -> None:
    """On the page that it was chosen on, before and after the login."""
    answer = client.post("/language/", {"language": "de", "next": LOGIN})
    assert (answer.status_code, answer.headers["Location"]) == (302, LOGIN)
    cookie = answer.cookies[configured.LANGUAGE_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    response = client.get(LOGIN, headers={"Accept-Language": "en"})
    assert '<html lang="de"' in response.text
    client.post("/language/", {"language": "en", "next": LOGIN})
    assert '<html lang="en"' in client.get(LOGIN, headers={"Accept-Language": "de"}).text


@pytest.mark.parametrize("chosen", ["", "xx", "de'\"", "../de", "\x00"])
def test_a_language_that_there_is_not_is_no_choice(client: Client, chosen: str) -> None:
    client.post("/language/", {"language": chosen, "next": LOGIN})
    client.cookies[configured.LANGUAGE_COOKIE_NAME] = chosen.replace("\x00", "")
    response = client.get(LOGIN, headers={"Accept-Language": "de"})
    assert '<html lang="de"' in response.text


def test_the_choice_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/language/", {"language": "de", "next": "https://example.com/"})
    assert answer.headers["Location"] == "/"


def test_a_page_says_that_it_depends_on_the_language(client: Client) -> None:
    varies = client.get(LOGIN).headers["Vary"]
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in varies.split(",")}


def test_the_api_is_english(client: Client) -> None:
    response = client.get("/admin/api/entries", headers={"Accept-Language": "de"})
    assert response.status_code == 401
    assert response.json()["title"] == client.get("/admin/api/entries").json()["title"]
    assert "Content-Language" not in response.headers


def test_the_language_ends_with_the_request(client: Client) -> None:
    """The thread may serve the API next, or write a log."""
    client.get(LOGIN, headers={"Accept-Language": "de"})
    assert translation.get_language() == "en"


def test_both_languages_are_offered(admin_client: Client) -> None:
    for asked, offered in {"en": "Deutsch", "de": "English"}.items():
        for url in ("/admin/", "/admin/entries/entry/"):
            page = admin_client.get(url, headers={"Accept-Language": asked}).text
            assert f">{offered}</button>" in page
    assert ">Deutsch</button>" in Client().get(LOGIN).text
