"""Subscriptions: the same verbs as on the page "Tell me", with the same rights."""

import json
from dataclasses import fields as columns
from typing import TYPE_CHECKING, Any, get_args

import pytest

from entries.models import Source
from retry.access import tokens
from retry.access.tokens import Terms
from retry.api.subscriptions.schemas import ChangeRequest, Event
from retry.models import AuditEvent, NoticeDelivery, Subscription
from retry.notices.control import MOST, TESTS_AN_HOUR, Revision, Wish
from retry.notices.recording import SUBSCRIBABLE
from tests.api.calls import PREFIX, Caller, fields, ok, problem
from tests.conftest import grant
from tests.factories.entries import EndpointFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import hide_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
WISH: dict[str, Any] = {"events": ["group_new", "outage_began"], "address": "anna@desk.example"}


def test_events_and_members_are_those_of_the_verbs() -> None:
    assert get_args(Event) == tuple(map(str, SUBSCRIBABLE))
    wished = {column.name for column in columns(Wish)}
    assert wished == Revision.__annotations__.keys() == set(ChangeRequest.model_fields)


def test_one_is_made_listed_read_changed_tested_and_ended(reader: "User") -> None:
    caller = Caller(reader)
    answer = caller.post("subscriptions", WISH)
    made = ok(answer, 201)
    path = f"subscriptions/{made['id']}"
    assert answer.headers["Location"] == PREFIX + path
    assert made | {"id": 0, "created_at": ""} == {
        "id": 0, "owner": "reader", "events": ["outage_began", "group_new"], "channel": "mail",
        "address": "anna@desk.example", "endpoint": None, "source": None, "language": "",
        "everyones": False, "active": True, "created_at": "",
    }  # fmt: skip
    assert ok(caller.get("subscriptions"))["results"] == [made]
    assert ok(caller.get(path)) == made
    assert ok(caller.post(f"{path}/change", {"everyones": True})) == made | {"everyones": True}
    ok(caller.post(f"{path}/test", {}), 202)
    off = ok(caller.post(f"{path}/change", {"active": False, "events": ["group_new"]}))
    assert (off["active"], off["events"], off["everyones"]) == (False, ["group_new"], True)
    problem(caller.post(f"{path}/test", {}), 422, "subscription_refused")
    assert ok(caller.post(f"{path}/delete", {})) == {"id": made["id"]}
    problem(caller.get(path), 404, "subscription_not_found")
    events = AuditEvent.objects.filter(actor=reader.pk).order_by("pk")
    assert list(events.values_list("verb", flat=True)) == [
        "subscribe", "change_subscription", "test_subscription", "change_subscription",
        "unsubscribe",
    ]  # fmt: skip


def test_what_is_wrong_with_one_is_said(reader: "User") -> None:
    caller = Caller(reader)
    assert fields(caller.post("subscriptions", {"events": ["teapot"], "address": "a@b.example"}))
    assert fields(caller.post("subscriptions", WISH | {"endpoint": "chat"}))
    assert fields(caller.post("subscriptions", {"events": ["group_new"]}))
    for address in ("nobody", "a@b\ud800.example", f"{'a' * 60}@{'b' * 190}.example"):
        wrong = caller.post("subscriptions", WISH | {"address": address})
        assert wrong.status_code in {400, 422}, address
    Subscription.objects.bulk_create(
        Subscription(owner=reader, events=[], channel="mail", address="a@b.example")
        for _ in range(MOST)
    )
    refused = problem(caller.post("subscriptions", WISH), 422, "subscription_refused")
    assert refused["detail"] == "There are 20 subscriptions already. End one first."
    problem(caller.post(f"subscriptions/{2**63}/change", {}), 404, "subscription_not_found")


def test_one_target_takes_the_place_of_the_other(reader: "User") -> None:
    EndpointFactory.create(slug="chat")
    path = f"subscriptions/{ok(Caller(reader).post('subscriptions', WISH), 201)['id']}/change"
    problem(Caller(reader).post(path, {"endpoint": "chat"}), 403, "permission_denied")
    caller = Caller(grant(reader, "entries.submit_entry", "entries.view_endpoint"))
    changed = ok(caller.post(path, {"endpoint": "chat"}))
    assert (changed["channel"], changed["address"], changed["endpoint"]) == (
        "webhook",
        None,
        "chat",
    )
    back = ok(caller.post(path, {"address": "b@desk.example"}))
    assert (back["channel"], back["address"], back["endpoint"]) == ("mail", "b@desk.example", None)
    problem(caller.post(path, {"endpoint": "none"}), 422, "subscription_refused")


def test_a_subscription_is_its_owners_and_one_for_all_is_for_who_sees_all(
    reader: "User", chief: "User"
) -> None:
    own = ok(Caller(reader).post("subscriptions", WISH), 201)["id"]
    problem(
        Caller(reader).post("subscriptions", WISH | {"for_all": True}), 403, "permission_denied"
    )
    for_all = ok(Caller(chief).post("subscriptions", WISH | {"for_all": True}), 201)
    assert for_all["owner"] is None
    problem(Caller(chief).get(f"subscriptions/{own}"), 404, "subscription_not_found")
    allowed = Caller(grant(reader, "retry.subscribe_all"))
    listed = ok(allowed.get("subscriptions", limit=1))
    assert [each["id"] for each in listed["results"]] == [for_all["id"]]
    rest = ok(allowed.get("subscriptions", limit=1, cursor=listed["next_cursor"]))
    assert [each["id"] for each in rest["results"]] == [own]
    hide_source(SourceFactory.create())
    path = f"subscriptions/{for_all['id']}"
    problem(allowed.get(path), 404, "subscription_not_found")
    problem(allowed.post(f"{path}/delete", {}), 404, "subscription_not_found")


def test_a_token_for_some_sources_has_no_subscriptions(chief: "User") -> None:
    """What is sent goes by the rights of its user, who sees more."""
    own = ok(Caller(chief).post("subscriptions", WISH), 201)["id"]
    news: Source = SourceFactory.create()
    terms = Terms(source_ids=frozenset({news.pk}))
    caller = Caller(token=tokens.create(chief, name="narrow", actor=SCRIPT, terms=terms))
    assert ok(caller.get("subscriptions"))["results"] == []
    for path in ("change", "delete", "test"):
        found = caller.post(f"subscriptions/{own}/{path}", {})
        problem(found, 404, "subscription_not_found")
    refused = problem(caller.post("subscriptions", WISH), 403, "permission_denied")
    assert "of a token for all sources" in refused["detail"]


def test_a_loop_of_tests_is_refused(reader: "User") -> None:
    caller = Caller(reader)
    path = f"subscriptions/{ok(caller.post('subscriptions', WISH), 201)['id']}/test"
    for _ in range(TESTS_AN_HOUR):
        ok(caller.post(path, {}), 202)
    problem(caller.post(path, {}), 422, "subscription_refused")
    assert NoticeDelivery.objects.count() == TESTS_AN_HOUR


def test_one_is_about_a_source_that_its_owner_sees(reader: "User") -> None:
    caller = Caller(reader)
    SourceFactory.create(slug="news")
    hide_source(SourceFactory.create(slug="secret"))
    problem(caller.post("subscriptions", WISH | {"source": "secret"}), 422, "subscription_refused")
    wish = WISH | {"events": ["group_new"], "source": "news"}
    made = ok(caller.post("subscriptions", wish), 201)
    assert made["source"] == "news"
    path = f"subscriptions/{made['id']}"
    assert ok(caller.post(f"{path}/change", {"everyones": True}))["source"] == "news"
    hide_source(Source.objects.get(slug="news"))
    assert ok(caller.get(path))["source"] is None
    assert ok(caller.post(f"{path}/change", {"source": ""}))["source"] is None
    assert Subscription.objects.get().source is None


def test_the_language_of_mails_is_given_or_what_the_request_accepts(reader: "User") -> None:
    caller = Caller(reader)
    german = {"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"}

    def subscribe(**given: Any) -> dict[str, Any]:
        headers = given.pop("headers", {})
        body = json.dumps(WISH | given).encode()
        made: dict[str, Any] = ok(caller.send("POST", "subscriptions", body, headers=headers), 201)
        return made

    assert subscribe()["language"] == ""
    assert subscribe(language="de")["language"] == "de"
    assert subscribe(headers=german)["language"] == "de"
    made = subscribe(headers=german, language="")
    assert made["language"] == ""
    path = f"subscriptions/{made['id']}/change"
    assert ok(caller.post(path, {"language": "de"}))["language"] == "de"
    change = AuditEvent.objects.get(verb="change_subscription")
    assert change.after is not None
    assert change.before == change.after | {"language": ""}
    assert ok(caller.post(path, {"everyones": True}))["language"] == "de"
    refused = caller.post(path, {"language": "tlh"})
    assert "en, de" in problem(refused, 422, "subscription_refused")["detail"]


def test_webhooks_have_no_language(reader: "User") -> None:
    grant(reader, "entries.submit_entry", "entries.view_endpoint")
    EndpointFactory.create(slug="chat")
    caller = Caller(reader)
    made = ok(caller.post("subscriptions", WISH | {"language": "de"}), 201)
    changed = ok(caller.post(f"subscriptions/{made['id']}/change", {"endpoint": "chat"}))
    assert (changed["endpoint"], changed["language"]) == ("chat", "")
