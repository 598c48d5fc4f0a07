"""Tokens in the admin: made and shown once, narrowed, changed, revoked; for oneself and others."""

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from retry.access import tokens
from retry.access.token_text import PATTERN
from retry.models import ApiToken, AuditEvent
from tests.admin.browsing import Browser, page_of, text_of
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
LIST = "/admin/retry/apitoken/"
ADD = f"{LIST}add/"


@pytest.fixture
def maker(operator: "User") -> "User":
    """An operator who may make tokens of their own."""
    return grant(operator, "retry.add_apitoken")


def form(**changes: Any) -> dict[str, Any]:
    return {"name": "nightly", "reach": "all", "where": "all", "days": "90", **changes}


def make(browser: Browser, **changes: Any) -> str:
    answer = browser.post(ADD, form(**changes))
    assert answer.status_code == 200, answer
    page = answer.content.decode()
    found = PATTERN.search(page)
    assert found, text_of(page)
    assert "no-store" in answer["Cache-Control"]
    return found[0]


def refused(browser: Browser, **changes: Any) -> str:
    answer = browser.post(ADD, form(**changes))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert not PATTERN.search(page)
    assert "errorlist" in page
    return html.unescape(text_of(page))


class TestMade:
    def test_for_oneself_and_it_works(self, maker: "User") -> None:
        token = make(Browser(maker))
        ok(Caller(token=token).get("entries"))
        made = ApiToken.objects.get()
        assert (made.user, made.name, made.scopes, made.source_ids) == (
            maker,
            "nightly",
            None,
            None,
        )
        assert made.expires_at is not None
        assert timedelta(89) < made.expires_at - timezone.now() < timedelta(91)
        event = AuditEvent.objects.get(verb="create_token")
        assert (event.actor, event.channel) == (maker, "admin")

    def test_it_is_shown_once_and_kept_nowhere(
        self, maker: "User", caplog: pytest.LogCaptureFixture
    ) -> None:
        browser = Browser(maker)
        token = make(browser)
        kept = [str(ApiToken.objects.values().get()), str(list(AuditEvent.objects.values()))]
        kept += [str(session.get_decoded()) for session in Session.objects.all()]
        kept += [browser.read(LIST), browser.read(page_of(ApiToken.objects.get())), caplog.text]
        kept += [str(cookie) for cookie in browser.cookies.values()]
        assert not [text for text in kept if token in text or token[8:30] in text]

    def test_a_form_that_is_sent_again_makes_no_second_one(self, maker: "User") -> None:
        browser = Browser(maker)
        token = make(browser)
        assert "already" in refused(browser)
        assert ApiToken.objects.count() == 1
        ok(Caller(token=token).get("entries"))

    def test_the_form_begins_with_what_can_do_least(self, maker: "User") -> None:
        page = Browser(maker).read(ADD)
        assert re.search(r'value="read"[^>]*checked', page)
        assert 'name="user"' not in page, "one's own, without the permission for others"

    def test_narrowed_to_what_is_ticked_and_chosen(self, maker: "User") -> None:
        news, other = SourceFactory.create(slug="news"), SourceFactory.create(slug="other")
        mine = EntryFactory.create(failed=True, source=news)
        foreign = EntryFactory.create(failed=True, source=other)
        chosen = {"reach": "some", "scopes": ["retry"], "where": "some", "sources": [news.pk]}
        caller = Caller(token=make(Browser(maker), **chosen))
        ok(caller.post("retry", {"entry_id": mine.pk}), 202)
        problem(caller.post("retry", {"entry_id": foreign.pk}), 404, "entry_not_found")
        problem(caller.get("entries"), 403, "permission_denied")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"reach": "some"}, "Tick what it may do."),
            ({"where": "some"}, "Choose sources."),
            ({"where": "some", "sources": ["999999"]}, "Select a valid choice"),
            ({"reach": "some", "scopes": ["everything"]}, "Select a valid choice"),
            ({"name": "  "}, "This field is required."),
            ({"name": "x" * 101}, "at most 100 characters"),
            ({"name": "a\0b"}, "Null characters"),
            ({"days": "5000"}, "Select a valid choice"),
            ({"reach": ""}, "This field is required."),
        ],
    )
    def test_refuses_in_words(self, maker: "User", changes: dict[str, Any], words: str) -> None:
        assert words in refused(Browser(maker), **changes)
        assert not ApiToken.objects.exists()

    def test_never_expires_where_that_is_chosen(self, maker: "User") -> None:
        make(Browser(maker), days="")
        assert ApiToken.objects.get().expires_at is None


class TestForOthers:
    def test_with_the_permission(self, maker: "User", reader: "User") -> None:
        issuer = grant(maker, "retry.issue_apitoken")
        token = make(Browser(issuer), user=reader.pk)
        bearer = tokens.find_bearer(token)
        assert bearer is not None
        assert bearer.user == reader

    def test_without_it_it_becomes_ones_own(self, maker: "User", reader: "User") -> None:
        make(Browser(maker), user=reader.pk)
        assert ApiToken.objects.get().user == maker

    def test_nobody_gets_a_token_of_somebody_who_holds_more(
        self, maker: "User", chief: "User"
    ) -> None:
        issuer = grant(maker, "retry.issue_apitoken")
        assert "every permission of chief" in refused(Browser(issuer), user=chief.pk)
        assert not ApiToken.objects.exists()

    def test_nobody_widens_one_of_somebody_who_holds_more(
        self, maker: "User", chief: "User"
    ) -> None:
        narrow = tokens.Terms(scopes=frozenset({"read"}))
        tokens.create(chief, name="x", actor=SCRIPT, terms=narrow)
        issuer = Browser(grant(maker, "retry.issue_apitoken", "retry.view_apitoken"))
        assert issuer.post(page_of(ApiToken.objects.get()), form()).status_code == 403
        assert ApiToken.objects.get().scopes == ["read"]


class TestOwn:
    def test_only_ones_own_are_listed_without_the_permission(
        self, maker: "User", reader: "User"
    ) -> None:
        tokens.create(maker, name="my-own", actor=SCRIPT)
        tokens.create(reader, name="of-reader", actor=SCRIPT)
        foreign = ApiToken.objects.get(user=reader)
        browser = Browser(maker)
        page = browser.read(LIST)
        assert "my-own" in page
        assert "of-reader" not in page
        assert browser.get(page_of(foreign)).status_code == 404
        assert browser.post(page_of(foreign), form()).status_code == 404
        assert browser.post(page_of(foreign, "delete"), {"post": "yes"}).status_code in {302, 403}
        foreign.refresh_from_db()
        assert (foreign.revoked_at, foreign.scopes) == (None, None)

    def test_is_changed_without_a_new_token(self, maker: "User") -> None:
        token = tokens.create(maker, name="nightly", actor=SCRIPT)
        browser = Browser(maker)
        page = page_of(ApiToken.objects.get())
        browser.press(page, **form(reach="read", days="keep"))
        problem(Caller(token=token).post("retry", {"entry_id": 1}), 403, "permission_denied")
        ok(Caller(token=token).get("entries"))
        event = AuditEvent.objects.get(verb="change_token")
        assert event.before == {"user": "operator", "name": "nightly", "scopes": None}
        assert event.after == {"scopes": ["read"]}
        browser.press(page, **form(reach="read", days="keep"))
        assert AuditEvent.objects.filter(verb="change_token").count() == 1

    def test_is_revoked_without_a_further_permission(self, maker: "User") -> None:
        token = tokens.create(maker, name="nightly", actor=SCRIPT)
        browser, found = Browser(maker), ApiToken.objects.get()
        assert "It stops working" in browser.read(page_of(found))
        (message,) = browser.press(page_of(found, "delete"), post="yes")
        assert message.startswith("Revoked: nightly")
        problem(Caller(token=token).get("entries"), 401, "not_authenticated")
        page = browser.read(page_of(found))
        assert "revoked" in text_of(page)
        assert "It stops working" not in page
        assert browser.post(page_of(found), form()).status_code == 403
        make(browser)

    def test_staff_without_permissions_have_no_page_of_tokens(self, powerless: "User") -> None:
        browser = Browser(powerless)
        for url in (LIST, ADD):
            assert browser.get(url).status_code == 403
            assert browser.post(url, form()).status_code == 403
        assert not ApiToken.objects.exists()


def test_a_source_that_is_deleted_does_not_widen_a_token(maker: "User") -> None:
    source = SourceFactory.create(slug="soon-gone")
    entry = EntryFactory.create(failed=True)
    token = make(Browser(maker), where="some", sources=[source.pk])
    source.delete()
    caller = Caller(token=token)
    assert ok(caller.get("entries"))["results"] == []
    problem(caller.post("retry", {"entry_id": entry.pk}), 404, "entry_not_found")
    page = Browser(maker).read(page_of(ApiToken.objects.get()))
    assert "none that you may see" in page


def test_names_are_shown_as_text(maker: "User", chief: "User") -> None:
    make(Browser(maker), name="<script>alert(1)</script>")
    chiefs = Browser(chief)
    for page in (chiefs.read(LIST), chiefs.read(page_of(ApiToken.objects.get()))):
        assert "<script>alert" not in page


def test_a_user_with_tokens_can_be_deleted(chief: "User") -> None:
    user = UserFactory.create(username="leaving", is_staff=True)
    tokens.create(user, name="x", actor=SCRIPT)
    Browser(chief).press(page_of(user, "delete"), post="yes")
    assert not ApiToken.objects.exists()
