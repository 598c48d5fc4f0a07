"""The pages "Tell me" and "Notices"."""

import html
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from entries.filters import EntryFilter
from entries.models import Entry
from retry.models import AuditEvent, Notice, NoticeDelivery, Subscription
from retry.notices import paths
from tests.admin.browsing import Browser
from tests.conftest import grant
from tests.factories.entries import EndpointFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support import notices
from tests.support.error_groups import note_failures
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/retry/subscription/"
FORM: dict[str, Any] = {"events": ["group_new"], "address": "me@example.com"}


def test_everyone_who_sees_entries_subscribes_for_themselves(reader: "User") -> None:
    browser = Browser(reader)
    assert "You get no notices" in browser.get(LIST).content.decode()
    page = browser.get(f"{LIST}add/").content.decode()
    assert 'name="endpoint"' not in page, "webhooks need the right to push"
    assert 'name="for_all"' not in page
    browser.post(f"{LIST}add/", FORM | {"for_all": "on"})
    subscription = Subscription.objects.get()
    assert (subscription.owner, subscription.events) == (reader, ["group_new"])
    assert subscription.active
    assert "me@example.com" in browser.get(LIST).content.decode()
    assert AuditEvent.objects.get(verb="subscribe").actor_label == "reader"
    assert AuditEvent.objects.count() == 1, "Django's page writes none of its own"


def test_a_test_is_sent_and_listed(reader: "User") -> None:
    browser = Browser(reader)
    browser.post(f"{LIST}add/", FORM)
    pk = Subscription.objects.get().pk
    browser.post(f"{LIST}{pk}/test/")
    notices.deliver()
    assert [sent.to for sent in mail.outbox] == [["me@example.com"]]
    listed = browser.get("/admin/retry/notice/").content.decode()
    assert "This is a test" in listed
    assert "1 sent" in listed
    page = browser.get(f"/admin/retry/notice/{Notice.objects.get().pk}/change/").content.decode()
    assert f"/admin/entries/entry/{Entry.objects.get().pk}/change/" in page


def test_it_is_changed_switched_off_and_ended(reader: "User") -> None:
    browser = Browser(reader)
    browser.post(f"{LIST}add/", FORM)
    pk = Subscription.objects.get().pk
    browser.post(f"{LIST}{pk}/change/", FORM | {"events": ["outage_began", "group_new"]})
    subscription = Subscription.objects.get()
    assert set(subscription.events) == {"outage_began", "group_new"}
    assert not subscription.active
    assert "nothing was sent" in browser.post(f"{LIST}{pk}/test/", follow=True).content.decode()
    browser.post(f"{LIST}{pk}/delete/", {"post": "yes"})
    assert not Subscription.objects.exists()
    assert [e.verb for e in AuditEvent.objects.order_by("pk")] == [
        "subscribe",
        "change_subscription",
        "unsubscribe",
    ]


def test_others_subscriptions_are_not_there(reader: "User", chief: "User") -> None:
    hers = notices.subscribe_to(user=chief)
    shared = notices.subscribe_to()
    browser = Browser(reader)
    for pk in (hers.pk, shared.pk):
        assert browser.get(f"{LIST}{pk}/change/").status_code in {302, 404}
        assert browser.post(f"{LIST}{pk}/test/").status_code == 404
        assert browser.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code in {302, 404}
    assert "anna@example.com" not in browser.get(LIST).content.decode()
    assert Subscription.objects.count() == 2
    assert not Notice.objects.exists()


def test_with_the_rights_it_is_for_all_or_to_a_chat(reader: "User") -> None:
    EndpointFactory.create(slug="chat")
    rights = ("entries.submit_entry", "entries.view_endpoint", "retry.subscribe_all")
    browser = Browser(grant(reader, *rights))
    wish = {"events": ["group_new"], "channel": "webhook", "address": "left@example.com"}
    browser.post(f"{LIST}add/", wish | {"endpoint": "987654", "for_all": "on"})
    endpoint = EndpointFactory._meta.model.objects.get()
    browser.post(f"{LIST}add/", wish | {"endpoint": str(endpoint.pk), "for_all": "on"})
    subscription = Subscription.objects.get()
    assert (subscription.owner, subscription.endpoint, subscription.address) == (None, endpoint, "")


def test_for_all_needs_eyes_from_which_nothing_is_hidden(reader: "User") -> None:
    browser = Browser(grant(reader, "retry.subscribe_all"))
    with only_source("theirs"):
        assert 'name="for_all"' not in browser.get(f"{LIST}add/").content.decode()
        browser.post(f"{LIST}add/", FORM | {"for_all": "on"})
    assert Subscription.objects.get().owner == reader


def test_it_is_about_one_source_that_its_owner_sees(reader: "User") -> None:
    news, _blog = SourceFactory.create(slug="news"), SourceFactory.create(slug="blog")
    browser = Browser(reader)
    page = browser.get(f"{LIST}add/").content.decode()
    assert ">News</option>" in page
    browser.post(f"{LIST}add/", FORM | {"source": str(news.pk)})
    subscription = Subscription.objects.get()
    assert subscription.source == news
    assert "only about News" in browser.get(LIST).content.decode()
    change = f"{LIST}{subscription.pk}/change/"
    with only_source("blog"):
        page = browser.get(change).content.decode()
        assert "News" not in page
        assert 'name="source"' not in page
        browser.post(change, FORM | {"active": "on", "source": ""})
        answer = browser.post(f"{LIST}add/", FORM | {"source": str(news.pk)})
        assert "errorlist" in answer.content.decode()
        listed = browser.get(LIST).content.decode()
        assert "News" not in listed
        assert "only about a source that you may not see" in listed
        history = browser.get(f"{LIST}{subscription.pk}/history/").content.decode()
        assert "news" not in history.lower().replace("redrive-news", "")
    assert '"source": "news"' in html.unescape(
        browser.get(f"{LIST}{subscription.pk}/history/").content.decode()
    )
    assert Subscription.objects.get().source == news
    browser.post(change, FORM | {"active": "on", "source": ""})
    assert Subscription.objects.get().source is None


@pytest.mark.parametrize("missing", ["events", "address"])
def test_what_is_missing_is_said_at_its_field(reader: "User", missing: str) -> None:
    answer = Browser(reader).post(f"{LIST}add/", {k: v for k, v in FORM.items() if k != missing})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Subscription.objects.exists()


def test_a_notice_of_others_is_not_there(reader: "User", chief: "User") -> None:
    grant(reader, "retry.view_errorgroup")
    notices.subscribe_to(user=chief)
    note_failures(message="secret of others")
    notices.let_settle()
    notices.tick()
    notice = Notice.objects.get()
    browser = Browser(reader)
    assert "secret of others" not in browser.get("/admin/retry/notice/").content.decode()
    assert browser.get(f"/admin/retry/notice/{notice.pk}/change/").status_code in {302, 404}
    assert "secret of others" in Browser(chief).get("/admin/retry/notice/").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_rows(chief: "User") -> None:
    browser = Browser(chief)
    notices.subscribe_to()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/admin/retry/notice/").status_code == 200
        about = [q for q in queries if "noticedelivery" in q["sql"] or "entries_entry" in q["sql"]]
        return len(about)  # alarms on top of the page depend on the time

    note_failures("1-0")
    notices.let_settle()
    notices.tick()
    few = count()
    for number in range(1, 8):
        note_failures(f"1-{number}")
    notices.let_settle()
    notices.tick()
    assert NoticeDelivery.objects.count() == 8
    assert count() == few


def test_addresses_in_notices_lead_somewhere() -> None:
    some = (
        *(paths.SUBSCRIPTIONS, paths.NOTICES, paths.STATUS, paths.HOLDS),
        *(paths.find_operation_path(uuid4()), paths.find_group_path(7), paths.find_source_path(7)),
        paths.find_list_path(EntryFilter()).partition("?")[0],
    )
    assert [path for path in some if not resolve(path).view_name.startswith("admin:")] == []


def test_the_sites_address_is_the_settings_or_a_guess(settings: Any) -> None:
    settings.REDRIVE_SITE_URL = "https://desk.example.com/"
    assert paths.make_absolute("/admin/") == "https://desk.example.com/admin/"
    settings.REDRIVE_SITE_URL, settings.ALLOWED_HOSTS = "", ["*", ".example.com"]
    assert paths.make_absolute("/admin/") == "http://example.com/admin/"


def test_somebody_without_entries_is_refused() -> None:
    nobody: User = UserFactory.create(username="nothing", is_staff=True)
    for url in (LIST, f"{LIST}add/", "/admin/retry/notice/"):
        assert Browser(nobody).get(url).status_code == 403


def test_the_language_of_the_page_is_offered_for_mails(reader: "User") -> None:
    browser = Browser(reader)
    german = {"Accept-Language": "de"}
    page = browser.get(f"{LIST}add/", headers=german).content.decode()
    assert '<option value="de" selected>Deutsch</option>' in page
    assert "die des Projekts (English)" in page
    browser.post(f"{LIST}add/", FORM | {"language": "de"})
    pk = Subscription.objects.get().pk
    assert Subscription.objects.get().language == "de"
    browser.post(f"{LIST}{pk}/change/", FORM | {"language": "", "active": "on"})
    assert Subscription.objects.get().language == ""
    change = AuditEvent.objects.get(verb="change_subscription")
    languages = [data and data["language"] for data in (change.before, change.after)]
    assert languages == ["de", ""]
    browser.post(f"{LIST}{pk}/test/")
    listed = browser.get("/admin/retry/notice/", headers=german).content.decode()
    assert "Dies ist ein Test" in listed
