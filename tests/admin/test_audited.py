"""Every edit by a person, and every refusal, is in the audit; the history of a thing shows it."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import RequestFactory
from django.urls import reverse

from entries.models import Endpoint, Entry, Source
from retry import audit
from retry.access import tokens
from retry.admin.notices.subscriptions import SubscriptionAdmin
from retry.admin.shared.audited import AuditedAdmin
from retry.models import ApiToken, AuditEvent
from retry.outcomes import Actor, Channel
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.admin.test_masked import form_of
from tests.admin.walking import populate
from tests.api.calls import Caller, problem
from tests.conftest import grant
from tests.factories.entries import EndpointFactory, EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def event(verb: str) -> AuditEvent:
    found = AuditEvent.objects.get(verb=verb)
    assert (found.actor_label, found.channel, found.count) == ("chief", "admin", 1)
    return found


def test_every_page_that_writes_is_covered(chief: "User") -> None:
    request = RequestFactory().get("/")
    request.user = chief
    for model, page in admin.site._registry.items():
        assert isinstance(page, AuditedAdmin), model
        first = type(page).__mro__.index(AuditedAdmin)
        own = [cls for cls in type(page).__mro__[:first] if "save_related" in vars(cls)]
        assert own in ([], [SubscriptionAdmin]), f"{model} saves without its audit"


def test_an_entry_with_what_differs(chief: "User") -> None:
    payload = {"url": "http://page.example/1", "same": 1, "token": "t0k3n-v4lu3"}
    entry = EntryFactory.create(failed=True, title="old", payload=payload)
    browser = Browser(chief)
    page = browser.get(page_of(entry))
    new = '{"url": "http://page.example/2", "same": 1, "token": "another-value"}'
    browser.press(page_of(entry), **form_of(page, title="new", payload=new))
    found = event("change_entry")
    assert found.entry_id == entry.pk
    assert found.before == {
        "title": "old",
        "payload": {"url": "http://page.example/1", "token": "***"},
    }
    assert found.after == {
        "title": "new",
        "payload": {"url": "http://page.example/2", "token": "*** (replaced)"},
    }


def test_what_is_saved_unchanged_is_no_edit(chief: "User") -> None:
    entry, source, endpoint = (
        EntryFactory.create(failed=True),
        SourceFactory.create(location="https://a:b@h.example/"),
        EndpointFactory.create(),
    )
    browser = Browser(chief)
    for obj in (entry, source, endpoint):
        browser.press(page_of(obj), **form_of(browser.get(page_of(obj))))
    assert not AuditEvent.objects.exists()


def test_a_source_without_its_credentials(chief: "User") -> None:
    browser = Browser(chief)
    form = {
        "name": "S",
        "slug": "s",
        "kind": "feed",
        "location": "https://alice:s3cr3t-w0rd@feed.example/a",
        "options": "{}",
        "entry_kind": "page",
        "enabled": "on",
    }
    browser.press("/admin/entries/source/add/", **form)
    source = Source.objects.get()
    added = event("add_source")
    assert added.source_id == source.pk
    assert added.after is not None
    assert added.after["location"] == "https://***@feed.example/a"
    changed = form | {"location": "https://alice:another@feed.example/a", "name": "T"}
    browser.press(page_of(source), **changed)
    found = event("change_source")
    assert found.before == {"location": "https://***@feed.example/a", "name": "S"}
    assert found.after == {"location": "*** (replaced)", "name": "T"}


def test_an_endpoint_and_never_its_secret(chief: "User") -> None:
    browser = Browser(chief)
    form = {"slug": "e", "name": "E", "url": "https://h.example/in", "enabled": "on"}
    browser.press("/admin/entries/endpoint/add/", **form, secret="")
    endpoint = Endpoint.objects.get()
    first = endpoint.secret
    assert (event("add_endpoint").after or {})["secret"] == "***"
    browser.press(page_of(endpoint), **form, secret=SECRET)
    found = event("change_endpoint")
    assert (found.before, found.after) == ({"secret": "***"}, {"secret": "*** (replaced)"})
    assert found.subject == f"entries.endpoint:{endpoint.pk}"
    told = str(list(AuditEvent.objects.values()))
    assert first not in told
    assert SECRET not in told


def test_a_user_with_permissions_groups_and_flags(chief: "User") -> None:
    browser = Browser(chief)
    words = {"password1": "some-words-to-remember", "password2": "some-words-to-remember"}
    form = {"username": "new", "usable_password": "true"}
    browser.press("/admin/auth/user/add/", **form, **words)
    added = event("add_user")
    assert (added.after or {})["password"] == "***"
    user = UserFactory._meta.model.objects.get(username="new")
    group = Group.objects.create(name="desk")
    page = browser.get(page_of(user))
    shown = form_of(page, is_staff="on", groups=[group.pk])
    shown |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    shown.pop("password", None)
    shown.pop("last_login", None)
    browser.press(page_of(user), **{k: v for k, v in shown.items() if k != "date_joined"})
    found = event("change_user")
    assert (found.before or {})["groups"] == []
    assert (found.after or {})["groups"] == ["desk"]
    assert ((found.before or {})["is_staff"], (found.after or {})["is_staff"]) == (False, True)


def test_a_group_with_its_permissions(chief: "User") -> None:
    browser = Browser(chief)
    browser.press("/admin/auth/group/add/", name="desk")
    group = Group.objects.get()
    view = ContentType.objects.get_for_model(Entry).permission_set.get(codename="view_entry")
    browser.press(page_of(group), name="desk", permissions=[view.pk])
    assert event("change_group").after == {"permissions": ["entries.view_entry"]}
    browser.press(page_of(group, "delete"), post="yes")
    assert (event("delete_group").before or {})["permissions"] == ["entries.view_entry"]


def test_tokens_and_lockouts(chief: "User") -> None:
    tokens.create(chief, name="nightly", actor=SCRIPT)
    made = AuditEvent.objects.get(verb="create_token")
    assert made.subject == f"auth.user:{chief.pk}"
    browser = Browser(chief)
    browser.press(page_of(ApiToken.objects.get(), "delete"), post="yes")
    assert event("revoke_token").subject == f"auth.user:{chief.pk}"
    AccessAttempt.objects.create(username="x", failures_since_start=9, ip_address="192.0.2.1")
    form = {"action": "delete_selected", "post": "yes"}
    ids = list(AccessAttempt.objects.values_list("pk", flat=True))
    browser.press("/admin/axes/accessattempt/", **form, _selected_action=ids)
    assert event("delete_accessattempt").before


def test_an_own_password(chief: "User") -> None:
    chief.set_password("the-old-passphrase")
    chief.save()
    form = {
        "old_password": "the-old-passphrase",
        "new_password1": "another-long-passphrase",
        "new_password2": "another-long-passphrase",
    }
    browser = Browser(chief)
    assert browser.post("/admin/password_change/", form | {"old_password": "x"}).status_code == 200
    assert not AuditEvent.objects.exists()
    assert browser.post("/admin/password_change/", form).status_code == 302
    assert event("change_user").after == {"password": "*** (replaced)"}


def break_the_audit(*_: Any, **__: Any) -> None:
    raise RuntimeError("the audit cannot be written")


@pytest.mark.parametrize("factory", [SourceFactory, EndpointFactory, EntryFactory])
def test_without_its_audit_nothing_is_edited(
    chief: "User", factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    obj = factory.create()
    browser = Browser(chief, raise_request_exception=False)
    name = "title" if isinstance(obj, Entry) else "name"
    form = form_of(browser.get(page_of(obj)), **{name: "another"})
    monkeypatch.setattr(audit, "record", break_the_audit)
    assert browser.post(page_of(obj), form).status_code == 500
    before = getattr(obj, name)
    obj.refresh_from_db()
    assert getattr(obj, name) == before


# --- what was refused -------------------------------------------------------------------------


def refused() -> list[tuple[str, str, str]]:
    found = AuditEvent.objects.filter(verb=audit.REFUSED).order_by("id")
    return [(e.actor_label, e.channel, (e.after or {})["what"]) for e in found]


def test_refusals_say_who_wanted_what(reader: "User") -> None:
    entry = EntryFactory.create(failed=True)
    problem(Caller(reader).post("retry", {"entry_id": entry.pk}), 403, "permission_denied")
    assert Browser(reader).post(f"{ENTRIES}{entry.pk}/retry/").status_code == 403
    form = {"_selected_action": [entry.pk], "action": "retry_selected", "index": "0"}
    Browser(reader).post(ENTRIES, form)
    assert refused() == [
        ("reader", "api", "POST /admin/api/retry"),
        ("reader", "admin", f"POST {ENTRIES}{entry.pk}/retry/"),
        ("reader", "admin", "retry_selected in entries"),
    ]
    needed = AuditEvent.objects.filter(channel="api").values_list("after__needs", flat=True)
    assert list(needed) == ["entries.retry_entry"]


def test_looking_is_not_noted_and_neither_is_nobody(reader: "User", chief: "User") -> None:
    EntryFactory.create(failed=True)
    assert Browser(reader).get("/admin/retry/run/").status_code == 403
    Caller(reader).get("status")
    Caller().post("retry", {"entry_id": 1})
    Browser().post(f"{ENTRIES}1/retry/")
    assert refused() == []


def test_a_scanner_does_not_fill_the_audit(reader: "User") -> None:
    caller = Caller(reader)
    for _ in range(3):
        caller.post("retry", {"entry_id": 1})
    assert len(refused()) == 1, "the same once in a while"
    for number in range(audit.MOST_REFUSALS + 10):
        Browser(reader).post(f"{ENTRIES}{number}/retry/")
    assert len(refused()) == audit.MOST_REFUSALS
    other = Actor.from_user(UserFactory.create(), channel=Channel.API)
    assert audit.record_refusal("x", actor=other), "of each user"


# --- the history -------------------------------------------------------------------------------


def test_the_history_of_an_entry_is_its_audit(chief: "User") -> None:
    entry = EntryFactory.create(failed=True, title="old")
    browser = Browser(chief)
    browser.press(f"{ENTRIES}{entry.pk}/retry/", reason="because it is back")
    browser.press(page_of(entry), **form_of(browser.get(page_of(entry)), title="new"))
    LogEntry.objects.create(
        user=UserFactory.create(username="alice"),
        content_type=ContentType.objects.get_for_model(Entry),
        object_id=str(entry.pk),
        action_flag=2,
        change_message="of long ago",
    )
    page = browser.read(page_of(entry, "history"))
    words = text_of(page)
    told = ["of long ago", "change entry", "because it is back"]
    assert sorted(told, key=words.index) == told, "newest first"
    assert "alice" in words
    assert words.lower().count("changed title") == 1, "beside the audit's own line"
    for found in AuditEvent.objects.filter(entry_id=entry.pk):
        assert f'href="/admin/retry/auditevent/{found.pk}/change/"' in page


def test_the_history_of_everything_is_there(chief: "User") -> None:
    source, endpoint = SourceFactory.create(), EndpointFactory.create()
    browser = Browser(chief)
    for obj in (source, endpoint):
        browser.press(page_of(obj), **form_of(browser.get(page_of(obj)), name="another name"))
        assert "another name" in browser.read(page_of(obj, "history"))
    tokens.create(chief, name="nightly", actor=SCRIPT)
    assert "create token" in browser.read(page_of(chief, "history"))


def test_the_audit_of_an_entry_tells_those_who_may_see_it(chief: "User", powerless: "User") -> None:
    entry = EntryFactory.create(failed=True, title="SECRET WORDS")
    browser = Browser(chief)
    browser.press(page_of(entry), **form_of(browser.get(page_of(entry)), title="new"))
    url = page_of(event("change_entry"))
    auditor = grant(powerless, "retry.view_auditevent")
    assert "SECRET WORDS" not in Browser(auditor).read(url)
    assert "SECRET WORDS" in Browser(grant(auditor, "entries.view_entry")).read(url)


@pytest.mark.parametrize("model", ["entries_source", "retry_operation", "retry_hold", "auth_user"])
def test_a_history_does_not_tell_what_there_is(powerless: "User", model: str) -> None:
    made = populate()
    known = made.get(model)
    for object_id in (known.pk if known else 1, uuid4() if model == "retry_operation" else 10**9):
        address = reverse(f"admin:{model}_history", args=[object_id])
        assert Browser(powerless).get(address).status_code == 403, address
