"""What calls of the API told of hidden things once, and do no more."""

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from entries.models import Attempt, Entry, Source
from retry import service
from retry.access import tokens
from retry.access.permissions import (
    CHANGE_ENTRY,
    MANAGE_ERROR_GROUP,
    RETRY_ENTRY,
    VIEW_AUDIT,
    VIEW_ENTRY,
    VIEW_ERROR_GROUP,
    VIEW_PAYLOAD,
    VIEW_RUN,
)
from retry.access.tokens import Terms
from retry.models import Action, ErrorGroup, Run
from retry.operations import control
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from tests.admin.browsing import Browser, text_of
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.error_groups import note_failures
from tests.support.hiding import forget_scope, hide_source
from tests.support.operations import failed_operation

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
REPAIR = {"patch": [{"op": "add", "path": "/n", "value": 1}]}


@pytest.fixture
def hidden() -> Source:
    source = SourceFactory.create(slug="theirs")
    hide_source(source)
    return source


def somebody(*permissions: str) -> "User":
    return grant(UserFactory.create(is_staff=True), VIEW_ENTRY, *permissions)


def test_a_dry_run_of_a_repair_shows_no_payload() -> None:
    entry = EntryFactory.create(failed=True, payload={"secret": "x"})
    body = {"entry_ids": [entry.pk], "repair": REPAIR, "dry_run": True}
    user = somebody(CHANGE_ENTRY, RETRY_ENTRY)
    problem(Caller(user).post("repair", body), 403, "permission_denied")
    ok(Caller(grant(user, VIEW_PAYLOAD)).post("repair", body))


def test_the_audit_of_a_token_names_no_hidden_source(hidden: Source) -> None:
    mine = SourceFactory.create(slug="mine")
    owner = UserFactory.create(is_staff=True)
    terms = Terms(source_ids=frozenset({mine.pk, hidden.pk}))
    tokens.create(owner, name="both", actor=SCRIPT, terms=terms)
    (event,) = ok(Caller(somebody(VIEW_AUDIT)).get("audit", verb="create_token"))["results"]
    assert event["after"]["sources"] == ["mine"]
    page = Browser(somebody(VIEW_AUDIT)).read(f"/admin/retry/auditevent/{event['id']}/change/")
    assert "mine" in page
    assert "theirs" not in page


@pytest.mark.parametrize("verb", ["pause", "approve", "retry-failed"])
def test_to_be_refused_does_not_say_that_there_is_an_operation(hidden: Source, verb: str) -> None:
    operation = failed_operation(EntryFactory.create(failed=True, source=hidden))
    answer = Caller(somebody()).post(f"operations/{operation.pk}/{verb}", {})
    problem(answer, 404, "operation_not_found")


def test_a_proof_by_others_is_not_named(hidden: Source, chief: "User") -> None:
    for source in (None, hidden):
        EntryFactory.create(failed=True, source=source)
    group = note_failures(Entry.objects.values_list("fingerprint", flat=True)[0])
    service.prove_group(group.pk, actor=SCRIPT)
    user = somebody(MANAGE_ERROR_GROUP, VIEW_ERROR_GROUP, RETRY_ENTRY)
    problem(Caller(user).post(f"errors/{group.pk}/prove", {}), 403, "permission_denied")
    assert ErrorGroup.objects.get().proof_id is not None


def test_a_group_names_no_hidden_operation(hidden: Source) -> None:
    theirs, mine = EntryFactory.create(failed=True, source=hidden), EntryFactory.create(failed=True)
    group = note_failures(mine.fingerprint)
    operation = failed_operation(theirs)
    ErrorGroup.objects.update(proof=operation, resolved_operation=operation)
    caller = Caller(somebody(VIEW_ERROR_GROUP))
    for row in (*ok(caller.get("errors"))["results"], ok(caller.get(f"errors/{group.pk}"))):
        assert row["proof_operation_id"] is row["resolved_operation_id"] is None
        assert row["failed"] == 1


def test_who_may_not_acknowledge_learns_no_names_of_users() -> None:
    group = note_failures(EntryFactory.create(failed=True).fingerprint)
    UserFactory.create(username="anna", is_staff=True)
    for owner in ("anna", "nobody"):
        answer = Caller(somebody()).post(f"errors/{group.pk}/acknowledge", {"owner": owner})
        problem(answer, 403, "permission_denied")


def test_the_list_of_groups_is_sorted_by_what_is_seen(hidden: Source) -> None:
    older = EntryFactory.create(failed=True, fingerprint="1-older")
    newer = EntryFactory.create(failed=True, fingerprint="1-newer")
    for entry in (older, newer):
        note_failures(entry.fingerprint, sample_entry_id=entry.pk)
    browser = Browser(somebody(VIEW_ERROR_GROUP))
    before = browser.read("/admin/retry/errorgroup/").count("1-older")
    EntryFactory.create(failed=True, fingerprint="1-older", source=hidden)
    note_failures("1-older", source_id=hidden.pk)
    page = browser.read("/admin/retry/errorgroup/")
    assert page.count("1-older") == before > 0
    assert page.index("1-newer") < page.index("1-older")


def test_a_kind_of_hidden_entries_alone_is_unknown(hidden: Source) -> None:
    EntryFactory.create(kind="gone", source=hidden)
    found = problem(Caller(somebody()).get("entries", kind="gone"), 422, "unknown_kind")
    assert found["code"] == "unknown_kind"
    EntryFactory.create(kind="gone")
    assert len(ok(Caller(somebody()).get("entries", kind="gone"))["results"]) == 1


def test_a_repeated_request_counts_only_what_is_still_seen() -> None:
    source = SourceFactory.create(slug="theirs")
    for each in (None, source):
        EntryFactory.create(failed=True, source=each)
    user = somebody(RETRY_ENTRY)
    caller = Caller(user)
    caller.headers = {"Idempotency-Key": "k-1"}
    body = {"filter": {"status": "failed"}}
    first = ok(caller.post("retry/bulk", body), 202)
    assert first["total"] == 2
    hide_source(source)
    again = ok(caller.post("retry/bulk", body), 202)
    assert (again["operation_id"], again["total"]) == (first["operation_id"], 1)


def test_the_reason_of_an_operation_is_not_told_by_a_run_of_it(
    hidden: Source, chief: "User"
) -> None:
    """Its words may be about the entries that are hidden."""
    mine = SourceFactory.create(slug="mine")
    entries = [EntryFactory.create(failed=True, source=source) for source in (mine, hidden)]
    requester = somebody(VIEW_RUN, RETRY_ENTRY)
    requester.groups.add(*hidden.groups.all())
    chosen = Selection(ids=tuple(entry.pk for entry in entries))
    actor = Actor.from_user(forget_scope(requester), channel=Channel.API)
    control.start(chosen, action=Action.RETRY, actor=actor, reason="their bank is back")
    requester.groups.clear()
    run = Run.objects.get(source=mine)
    Attempt.objects.filter(entry=entries[0]).update(run_id=run.pk)
    reader = somebody(VIEW_RUN)

    def read(user: "User") -> list[str]:
        page = f"/admin/entries/entry/{entries[0].pk}/change/"
        return [
            ok(Caller(user).get(f"runs/{run.pk}"))["reason"],
            *(Browser(user).read(url) for url in (page, f"/admin/retry/run/{run.pk}/change/")),
        ]

    assert not any("their bank" in text for text in read(reader))
    assert all("their bank" in text for text in read(requester))
    assert all("their bank" in text for text in read(chief))
    runs = "/admin/retry/run/?q=their+bank"
    assert run.pk.hex[:8] not in Browser(reader).read(runs), "a search would tell it as well"


def test_a_group_has_not_regressed_by_what_is_hidden(hidden: Source, chief: "User") -> None:
    mine = EntryFactory.create(failed=True, source=SourceFactory.create(slug="mine"))
    name = mine.fingerprint
    group = note_failures(name)
    service.resolve_group(group.pk, actor=SCRIPT)
    EntryFactory.create(failed=True, fingerprint=name, source=hidden)
    assert note_failures(name, source_id=hidden.pk).state == "regressed"
    reader = somebody(VIEW_ERROR_GROUP, VIEW_AUDIT)

    def read(user: "User") -> set[tuple[str, bool]]:
        caller, browser = Caller(user), Browser(user)
        rows = [*ok(caller.get("errors"))["results"], ok(caller.get(f"errors/{group.pk}"))]
        assert ok(caller.get("errors", state="resolved"))["results"] == rows[:1] or (
            ok(caller.get("errors", state="regressed"))["results"] == rows[:1]
        )
        page = f"/admin/retry/errorgroup/{group.pk}"
        regressed = rows[0]["state"] == "regressed"
        for url in ("/admin/", "/admin/retry/errorgroup/", f"{page}/change/"):
            assert ("badge-regressed" in browser.read(url)) == regressed, url
        assert ("regress" in text_of(browser.read(f"{page}/history/")).lower()) == regressed
        verbs = {event["verb"] for event in ok(caller.get("audit"))["results"]}
        assert ("regress_group" in verbs) == (user is chief)
        return {(row["state"], row["regressed_at"] is None) for row in rows}

    assert read(reader) == {("resolved", True)}
    assert read(chief) == {("regressed", False)}
    again = EntryFactory.create(
        failed=True, fingerprint=name, source=mine.source, failed_at=timezone.now()
    )
    found = ok(Caller(reader).get(f"errors/{group.pk}"))
    assert (found["state"], parse_datetime(found["regressed_at"])) == ("regressed", again.failed_at)
