"""A narrowed token can do exactly what it is for: every address and method, in its source and not.

Which verb needs which scope is held by ``tests/laws/test_scopes.py``.
"""

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.models import Entry, Source
from retry import service
from retry.access import tokens
from retry.access.tokens import Terms
from retry.dispatcher.pacing import pace
from retry.models import ApiToken, Operation, Run
from tests.api import walking
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.walk.calls import furnish, walk
from tests.walk.words import DONE, EMPTY, NO_METHOD, NOT_FOUND, OK, REFUSED

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
#: What ``retry`` is for, all by POST.
RETRYING = {"retry", "retry-bulk", "retry-now", "retry-stop", "retry-failed"}


def token_of(user: "User", *scopes: str, sources: tuple[Source, ...] = ()) -> Caller:
    terms = Terms(
        scopes=frozenset(scopes) or None,
        source_ids=frozenset(source.pk for source in sources) or None,
    )
    return Caller(token=tokens.create(user, name="narrow", actor=SCRIPT, terms=terms))


def words(caller: Caller) -> dict[tuple[str, str], str]:
    return {(call.name, call.method): visit.word for call, visit in walk(caller)}


class TestRetryOnOneSource:
    """The user of the token may do everything there is."""

    def test_can_retry_there(self, chief: "User") -> None:
        furnish()
        news = Source.objects.get(slug="news")
        Entry.objects.update(source=news)
        Run.objects.update(source=news)
        found = words(token_of(chief, "retry", sources=(news,)))
        assert {name for (name, method), word in found.items() if word == DONE} == RETRYING
        assert self._else(found) == {REFUSED, NO_METHOD, NOT_FOUND}

    def test_can_retry_nowhere_else(self, chief: "User") -> None:
        furnish()
        Entry.objects.update(source=SourceFactory.create(slug="foreign"))
        found = words(token_of(chief, "retry", sources=(Source.objects.get(slug="news"),)))
        done = {found[name, "POST"] for name in RETRYING}
        assert done == {NOT_FOUND, EMPTY}, "not there, or an operation without entries"
        assert self._else(found) == {REFUSED, NO_METHOD, NOT_FOUND}

    def _else(self, found: dict[tuple[str, str], str]) -> set[str]:
        """What came of all other calls; of these only the address that is none was not found."""
        assert {name for name, _ in found} == set(walking.patterns())
        others = {call: word for call, word in found.items() if call[0] not in RETRYING}
        assert others.pop(("openapi", "GET")) == OK, "the document is for all"
        assert {name for (name, _), word in others.items() if word == NOT_FOUND} == {"nothing"}
        return set(others.values())


@pytest.fixture
def news() -> Source:
    return SourceFactory.create(slug="news", kind="constant")


@pytest.fixture
def foreign() -> Source:
    return SourceFactory.create(slug="foreign")


class TestSources:
    """What is of another source does not exist, and is not counted."""

    def test_lists_and_pages(self, chief: "User", news: Source, foreign: Source) -> None:
        mine = EntryFactory.create(failed=True, source=news)
        other = EntryFactory.create(failed=True, source=foreign)
        EntryFactory.create(failed=True)
        caller = token_of(chief, sources=(news,))
        assert [each["id"] for each in ok(caller.get("entries"))["results"]] == [mine.pk]
        ok(caller.get(f"entries/{mine.pk}"))
        problem(caller.get(f"entries/{other.pk}"), 404, "entry_not_found")
        assert ok(caller.get("status"))["entries"]["failed"] == 1

    def test_selections_by_filter_and_by_ids(
        self, chief: "User", news: Source, foreign: Source
    ) -> None:
        mine = EntryFactory.create(failed=True, source=news)
        other = EntryFactory.create(failed=True, source=foreign)
        caller = token_of(chief, sources=(news,))
        answer = ok(caller.post("retry/bulk", {"filter": {"all": True}}), 202)
        assert (answer["total"], answer["eligible"]) == (1, 1)
        by_ids = ok(caller.post("discard", {"entry_ids": [mine.pk, other.pk], "dry_run": True}))
        assert (by_ids["eligible"], by_ids["skipped"]) == (1, {"not_found": 1})

    def test_submitting(self, chief: "User", news: Source, foreign: Source) -> None:
        caller = token_of(chief, sources=(news,))

        def push(source: str | None) -> Any:
            entries = [{"external_id": "1", "payload": {}}]
            body = {"kind": "page", "source": source, "entries": entries}
            return caller.post("entries", body)

        ok(push("news"), 202)
        problem(push("foreign"), 404, "source_not_found")
        problem(push(None), 404, "source_not_found")
        assert Entry.objects.get().source == news

    def test_syncs_and_holds(self, chief: "User", news: Source, foreign: Source) -> None:
        caller = token_of(chief, sources=(news,))
        ok(caller.post("sources/news/sync", {}), 202)
        problem(caller.post("sources/foreign/sync", {}), 404, "source_not_found")
        ok(caller.post("holds", {"source": "news"}), 201)
        problem(caller.post("holds", {"source": "foreign"}), 404, "source_not_found")


class TestOperation:
    def test_keeps_the_rights_it_began_with(
        self, chief: "User", news: Source, foreign: Source
    ) -> None:
        """Also when the token is revoked before the first run starts."""
        mine = EntryFactory.create(failed=True, source=news)
        other = EntryFactory.create(failed=True, source=foreign)
        caller = token_of(chief, "retry", sources=(news,))
        ok(caller.post("retry/bulk", {"filter": {"status": "failed"}}), 202)
        service.revoke_tokens(ApiToken.objects.select_related("user"), actor=SCRIPT)
        pace()
        assert Entry.objects.get(pk=mine.pk).status == "queued"
        assert Entry.objects.get(pk=other.pk).status == "failed"
        assert "of the sources news" in Operation.objects.get().selection_words

    def test_a_key_of_a_wider_token_is_not_for_a_narrower_one(
        self, chief: "User", news: Source
    ) -> None:
        EntryFactory.create(failed=True)
        body = {"filter": {"all": True}}
        wide = Caller(token=tokens.create(chief, name="wide", actor=SCRIPT))
        narrow = token_of(chief, "retry", sources=(news,))
        for caller in (wide, narrow):
            caller.headers = {**caller.headers, "Idempotency-Key": "k-1"}
        first = ok(wide.post("retry/bulk", body), 202)
        assert ok(wide.post("retry/bulk", body), 202)["operation_id"] == first["operation_id"]
        problem(narrow.post("retry/bulk", body), 422, "idempotency_key_reused")


def test_a_token_that_only_reads(chief: "User") -> None:
    furnish()
    found = words(token_of(chief, "read"))
    assert not [call for call, word in found.items() if word in {DONE, EMPTY}]
    readable = {name for (name, method), word in found.items() if method == "GET" and word == "ok"}
    # A subscription for all is seen by those who may make such.
    assert readable == (walking.READ | {"holds"}) - {"subscription"}


def test_a_narrowed_token_costs_no_further_statement(operator: "User", news: Source) -> None:
    entries = EntryFactory.create_batch(2, failed=True, source=news)
    wide = Caller(token=tokens.create(operator, name="wide", actor=SCRIPT))
    narrow = token_of(operator, "retry", sources=(news,))
    counts = []
    for caller, entry in zip((wide, narrow), entries, strict=True):
        caller.get("status")  # its use is noted, once a minute
        with CaptureQueriesContext(connection) as statements:
            ok(caller.post("retry", {"entry_id": entry.pk}), 202)
        counts.append([query["sql"] for query in statements.captured_queries])
    assert len(counts[1]) - len(counts[0]) <= 1, "which of the ids are of its sources"


def test_the_scopes_of_a_token_are_no_fields_of_a_body(chief: "User", news: Source) -> None:
    caller = token_of(chief, "retry", sources=(news,))
    answer = caller.post("retry", {"entry_id": 1, "scopes": ["read"]})
    assert set(fields(answer)) == {"scopes"}


class TestRecords:
    """What is about another source does not exist for the token, whoever has requested it."""

    def test_operations(self, chief: "User", news: Source, foreign: Source) -> None:
        mine, other = (EntryFactory.create(failed=True, source=each) for each in (news, foreign))
        wide = Caller(token=tokens.create(chief, name="wide", actor=SCRIPT))
        ids = [
            ok(wide.post("retry/bulk", {"entry_ids": [entry.pk]}), 202)["operation_id"]
            for entry in (mine, other)
        ]
        caller = token_of(chief, sources=(news,))
        listed = ok(caller.get("operations"))["results"]
        assert [each["operation_id"] for each in listed] == ids[:1]
        problem(caller.get(f"operations/{ids[1]}"), 404, "operation_not_found")
        problem(caller.get(f"operations/{ids[1]}/items"), 404, "operation_not_found")
        problem(caller.post(f"operations/{ids[1]}/cancel", {}), 404, "operation_not_found")
        ok(caller.post(f"operations/{ids[0]}/cancel", {}))

    def test_one_of_its_own_without_entries(self, chief: "User", news: Source) -> None:
        caller = token_of(chief, sources=(news,))
        started = ok(caller.post("retry/bulk", {"filter": {"all": True}}), 202)
        assert ok(caller.get(f"operations/{started['operation_id']}"))["total"] == 0

    def test_syncs_and_holds(self, chief: "User", news: Source, foreign: Source) -> None:
        for source in (news, foreign):
            service.request_sync(source.slug, actor=SCRIPT)
            service.hold_source(source.slug, actor=SCRIPT)
        caller = token_of(chief, sources=(news,))
        assert [each["source"] for each in ok(caller.get("syncs"))["results"]] == ["news"]
        held = ok(caller.get("holds"))["results"]
        assert [each["source"] for each in held] == ["news"]
        problem(caller.post("holds", {"kind": "page"}), 403, "permission_denied")


def test_a_refusal_names_the_scope_that_the_token_lacks(chief: "User", operator: "User") -> None:
    entry = EntryFactory.create(failed=True)
    path, body = (
        f"entries/{entry.pk}/edit",
        {"seen": entry.content_hash, "payload": {"url": "http://a.example/"}},
    )
    refused = problem(token_of(chief, "edit", "retry").post(path, body), 403, "permission_denied")
    assert refused["detail"] == (
        "This needs the permission entries.view_payload, for which the token lacks the scope read."
    )
    ok(token_of(chief, "edit", "retry", "read").post(path, body), 202)
    # Another scope would not help a user who may not either.
    refused = problem(
        token_of(operator, "read").post("holds", {"kind": "page"}), 403, "permission_denied"
    )
    assert refused["detail"] == "This needs the permission retry.manage_hold."
