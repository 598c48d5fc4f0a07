"""Credentials in addresses are shown to nobody, on no page and by no call, and are kept all the
same when a page is saved as it was shown."""

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from entries.models import Endpoint, Source
from retry.api import urls as api_urls
from retry.models import Sync
from tests.admin.browsing import Browser, page_of
from tests.admin.walking import addresses, populate
from tests.api.calls import PREFIX, Caller
from tests.conftest import grant
from tests.factories.entries import EndpointFactory, SourceFactory
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
HIDDEN = ("alice", "s3cr3t-w0rd", "t0k3n-v4lu3", "0pt10n-k3y")
LOCATION = "https://alice:s3cr3t-w0rd@feed.example/atom?token=t0k3n-v4lu3&page=1"
SHOWN = "https://***@feed.example/atom?token=***&amp;page=1"
OPTIONS = {"item_url": "https://api.example/items/{id}?api_key=0pt10n-k3y", "items": "data"}


@pytest.fixture
def source() -> Source:
    return SourceFactory.create(slug="s", kind="http_json", location=LOCATION, options=OPTIONS)


@pytest.fixture
def endpoint() -> Endpoint:
    return EndpointFactory.create(slug="e", url="https://hook.example/in?token=t0k3n-v4lu3&a=1")


def told(page: str) -> list[str]:
    return [secret for secret in HIDDEN if secret in page]


def form_of(page: Any, **changes: Any) -> dict[str, Any]:
    """What the page's form would send, with some of it changed."""
    shown = page.context["adminform"].form
    values = {name: shown[name].value() for name in shown.fields}
    return {k: v for k, v in (values | changes).items() if v not in (None, False)}


def test_on_no_page_and_for_nobody(chief: "User", source: Source, endpoint: Endpoint) -> None:
    made = populate() | {"entries_source": source, "entries_endpoint": endpoint}
    Sync.objects.create(source=source, state="failed", error_code="x", error=f"GET {SHOWN}")
    looker = grant(
        UserFactory.create(is_staff=True), "entries.view_source", "entries.view_endpoint"
    )
    for browser in (Browser(chief), Browser(looker)):
        seen = 0
        for address in addresses(made):
            if address.name != "logout":
                answer = browser.get(address.url)
                page = b"" if answer.streaming else answer.content
                assert told(page.decode()) == [], address
                seen += b"***" in page
        assert seen >= 2, "the pages of both are among them"


def test_by_no_call(chief: "User", source: Source, endpoint: Endpoint) -> None:
    sync = Sync.objects.create(source=source, state="succeeded", dry_run=True)
    caller = Caller(chief)
    for pattern in api_urls.urlpatterns:
        if pattern.name not in {None, "nothing"} and not pattern.pattern.converters:
            path = reverse(f"api:{pattern.name}").removeprefix(PREFIX)
            assert told(caller.get(path).content.decode()) == [], path
    assert told(caller.get(f"syncs/{sync.pk}").content.decode()) == []


@pytest.mark.parametrize("search", [*HIDDEN, "s3cr", "alice:"])
def test_no_search_finds_them_out(chief: "User", source: Source, search: str) -> None:
    page = Browser(chief).read(f"/admin/entries/source/?q={search}")
    assert "0 sources" in page
    assert "1 source" in Browser(chief).read("/admin/entries/source/?q=feed.example")


def test_what_is_saved_as_it_was_shown_is_kept(chief: "User", source: Source) -> None:
    browser = Browser(chief)
    page = browser.get(page_of(source))
    assert SHOWN in page.content.decode()
    browser.press(page_of(source), **form_of(page, name="another name"))
    source.refresh_from_db()
    assert (source.name, source.location, source.options) == ("another name", LOCATION, OPTIONS)


def test_the_rest_of_the_options_may_be_edited(chief: "User", source: Source) -> None:
    browser = Browser(chief)
    page = browser.get(page_of(source))
    text = str(page.context["adminform"].form["options"].value()).replace('"data"', '"rows"')
    browser.press(page_of(source), **form_of(page, options=text))
    source.refresh_from_db()
    assert (source.location, source.options) == (LOCATION, OPTIONS | {"items": "rows"})


def test_credentials_follow_nobody_to_another_place(chief: "User", source: Source) -> None:
    """Else whoever may edit a source could have them sent to a server of their own."""
    browser = Browser(chief)
    page = browser.get(page_of(source))
    elsewhere = "https://***@evil.example/atom?token=***&page=1"
    answer = browser.post(page_of(source), form_of(page, location=elsewhere))
    assert "Enter the credentials again" in answer.content.decode()
    moved = form_of(page, location="https://evil.example/atom")
    answer = browser.post(page_of(source), moved)
    assert "Enter the credentials again" in answer.content.decode()
    assert told(answer.content.decode()) == []
    source.refresh_from_db()
    assert (source.location, source.options) == (LOCATION, OPTIONS)
    browser.press(page_of(source), **(moved | {"options": "{}"}))
    source.refresh_from_db()
    assert source.location == "https://evil.example/atom"


def test_an_endpoint_keeps_its_address(chief: "User", endpoint: Endpoint) -> None:
    browser, url = Browser(chief), endpoint.url
    page = browser.get(page_of(endpoint))
    browser.press(page_of(endpoint), **form_of(page, name="n"))
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.url) == ("n", url)
    answer = browser.post(page_of(endpoint), form_of(page, url="https://evil.example/?token=***"))
    assert "Enter the credentials again" in answer.content.decode()
    browser.press(page_of(endpoint), **form_of(page, url="https://new.example/hooks"))
    endpoint.refresh_from_db()
    assert endpoint.url == "https://new.example/hooks"


@pytest.mark.parametrize(
    "location", ["https://alice:s3cr3t-w0rd/x@h.example/", "https://alice:s3cr3t-w0rd@h:port/"]
)
def test_an_error_about_an_address_repeats_no_password(location: str, chief: "User") -> None:
    from entries.net import InvalidAddress
    from entries.net.urls import parse

    with pytest.raises(InvalidAddress) as caught:
        parse(location)
    assert told(str(caught.value)) == []
