"""Who may not see an entry gets "not found" for it from every verb, and no count of it.

Twice: for somebody without the permission to view entries, and for somebody who sees one source
only. For the second nothing of another source exists: no sync, no operation, not its name.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Attempt, Entry, Source
from retry import exports, service
from retry.dispatcher.pacing import pace
from retry.errors import EntryNotFound
from retry.models import AuditEvent, Run, Sync
from retry.operations.groups import find_groups
from retry.operations.items import list_items
from retry.outcomes import Actor, Channel
from retry.reasons import Reason
from tests.admin.browsing import ENTRIES, Browser
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.hiding import only_source
from tests.support.operations import failed_operation

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
VERBS = (
    "entries.retry_entry",
    "entries.resync_entry",
    "entries.discard_entry",
    "entries.submit_entry",
    "entries.export_entry",
    "retry.view_operation",
    "retry.view_sync",
    "retry.view_status",
    "retry.view_auditevent",
)
#: Path -> a status from which it does something.
FROM = {
    "retry": "failed",
    "retry/bulk": "failed",
    "retry/now": "scheduled",
    "retry/stop": "scheduled",
    "resync": "failed",
    "discard": "failed",
    "restore": "discarded",
}
SINGLE = ("retry", "retry/now", "retry/stop", "resync")
BULK = tuple(path for path in FROM if path != "retry")
ONE = {
    service.retry_entry: "failed",
    service.resync_entry: "failed",
    service.retry_entry_now: "scheduled",
    service.stop_retrying_entry: "scheduled",
}
MANY = {
    service.retry_entries: "failed",
    service.resync_entries: "failed",
    service.retry_entries_now: "scheduled",
    service.stop_retrying: "scheduled",
}


@pytest.fixture(params=["without the permission", "of another source"])
def user(request: pytest.FixtureRequest, db: None) -> "Iterator[User]":
    SourceFactory.create(slug="theirs")
    SourceFactory.create(slug="mine")
    somebody = grant(UserFactory.create(username="somebody", is_staff=True), *VERBS)
    if request.param == "without the permission":
        yield somebody
        return
    with only_source("mine"):
        yield grant(somebody, "entries.view_entry")


@pytest.fixture
def actor(user: "User") -> Actor:
    return Actor.from_user(user, channel=Channel.API)


def hidden(status: str = "failed", **values: Any) -> Entry:
    values = {"source": Source.objects.get(slug="theirs")} | values
    found: Entry = EntryFactory.create(**{status: True}, **values)
    return found


def knows_theirs(user: "User") -> bool:
    """Whether the source is there for them: it is, where only the permission is missing."""
    return not user.has_perm("entries.view_entry")


def untouched(entry: Entry) -> None:
    """Neither the entry nor anything that would speak of it."""
    now = Entry.objects.get(pk=entry.pk)
    assert (now.status, now.attempt, now.title) == (entry.status, entry.attempt, entry.title)
    assert Attempt.objects.filter(entry=entry).count() == (1 if entry.attempt else 0)
    assert not Run.objects.filter(state__in=["queued", "running"]).exists()
    assert not AuditEvent.objects.filter(entry_id=entry.pk).exists()


@pytest.mark.parametrize("verb", ONE, ids=lambda verb: verb.__name__)
def test_each_single_verb(actor: Actor, verb: Any) -> None:
    entry = hidden(ONE[verb])
    with pytest.raises(EntryNotFound):
        verb(entry.pk, actor=actor)
    untouched(entry)


@pytest.mark.parametrize("verb", MANY, ids=lambda verb: verb.__name__)
def test_each_verb_for_many(actor: Actor, verb: Any) -> None:
    entry = hidden(MANY[verb])
    outcome = verb([entry.pk, 10**9], actor=actor)
    found = getattr(outcome, "items", outcome)
    assert [(item.entry_id, item.reason, item.status) for item in found] == [
        (entry.pk, Reason.NOT_FOUND, None),
        (10**9, Reason.NOT_FOUND, None),
    ]
    untouched(entry)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("path", SINGLE)
def test_each_call_for_one(user: "User", path: str) -> None:
    entry = hidden(FROM[path])
    body = {"entry_id": entry.pk}
    said = problem(Caller(user).post(path, body), 404, "entry_not_found")
    unknown = problem(Caller(user).post(path, {"entry_id": 10**9}), 404, "entry_not_found")
    assert said.keys() == unknown.keys(), "nothing tells one from the other"
    untouched(entry)


@pytest.mark.parametrize("path", BULK)
@pytest.mark.parametrize("dry_run", [True, False])
def test_each_call_with_ids(user: "User", path: str, dry_run: bool) -> None:  # noqa: FBT001
    entry = hidden(FROM[path])
    body = {"entry_ids": [entry.pk], "dry_run": dry_run}
    found = ok(Caller(user).post(path, body), 200 if dry_run else 202)
    assert (found["eligible"], found["skipped"]) == (0, {"not_found": 1})
    pace()
    untouched(entry)
    if not dry_run:
        listed = ok(Caller(user).get(f"operations/{found['operation_id']}/items"))["results"]
        assert [(i["outcome"], i["reason"]) for i in listed] == [("skipped", "not_found")]


@pytest.mark.parametrize("path", BULK)
@pytest.mark.parametrize("chosen", [{"all": True}, {"source": "theirs"}, {"q": "e"}])
def test_each_call_with_a_filter(user: "User", path: str, chosen: dict[str, Any]) -> None:
    entry = hidden(FROM[path])
    for dry_run in (True, False):
        body = {"filter": chosen, "dry_run": dry_run}
        if "source" in chosen and not knows_theirs(user):
            said = problem(Caller(user).post(path, body), 422, "unknown_source")
            assert said["known"] == ["mine"]
            continue
        found = ok(Caller(user).post(path, body), 200 if dry_run else 202)
        assert (found["total"], found["eligible"], found["skipped"]) == (0, 0, {})
    pace()
    untouched(entry)


def test_what_failed_in_an_operation(user: "User") -> None:
    entry = hidden(error_message="it said SECRET WORDS")
    operation = failed_operation(entry)
    answer = Caller(user).post(f"operations/{operation.pk}/retry-failed", {})
    if knows_theirs(user):
        assert ok(answer, 202)["total"] == 0
    else:
        problem(answer, 404, "operation_not_found")
    pace()
    untouched(entry)


def test_errors_of_an_operation(user: "User") -> None:
    entry = hidden(error_message="it said SECRET WORDS")
    operation = failed_operation(entry)
    assert "SECRET" in str(list_items(operation).items)
    assert "SECRET" in str(find_groups(operation.pk).found)
    actor = Actor.from_user(user, channel=Channel.ADMIN)
    assert find_groups(operation.pk, actor=actor).found == []
    answer = Caller(user).get(f"operations/{operation.pk}/items")
    assert "SECRET" not in answer.content.decode()
    page = Browser(user).get(f"/admin/retry/operation/{operation.pk}/change/")
    if knows_theirs(user):
        assert ok(answer)["results"][0]["error_class"] == ""
        assert "SECRET" not in page.content.decode()
    else:
        problem(answer, 404, "operation_not_found")
        assert page["Location"] == "/admin/"


def test_a_push_leaves_what_is_hidden_alone(user: "User") -> None:
    entry = hidden(external_id="x")
    pushed = {"external_id": "x", "title": "other", "payload": {"a": 1}}
    new = {"external_id": "y", "payload": {}}
    body = {"kind": "page", "source": "theirs", "entries": [pushed, new]}
    if not knows_theirs(user):
        problem(Caller(user).post("entries", body), 404, "source_not_found")
        assert Entry.objects.count() == 1
        return
    known, created = ok(Caller(user).post("entries", body), 202)["results"]
    assert (known["outcome"], known["reason"]) == ("left_alone", "not_found")
    assert known["entry_id"] is known["status"] is None
    assert created["outcome"] == "created"
    now = Entry.objects.get(pk=entry.pk)
    assert (now.title, now.payload, now.status) == (entry.title, entry.payload, "failed")


def test_an_export_leaves_it_out(actor: Actor) -> None:
    hidden()
    found = Entry.objects.order_by("id")
    ids = exports.begin_export(found, file_format="json", selection="everything", actor=actor)
    assert ids == []
    assert AuditEvent.objects.get(verb="export").count == 0


def test_reading(user: "User") -> None:
    entry = hidden()
    answer = Caller(user).get(f"entries/{entry.pk}")
    assert answer.status_code in {403, 404}
    listed = Caller(user).get("entries")
    assert listed.status_code == 403 or ok(listed)["results"] == []
    counts = ok(Caller(user).get("status"))["entries"]
    assert counts is None or set(counts.values()) == {0}


def test_what_a_sync_tells(user: "User") -> None:
    hidden()
    sample = [{"external_id": "x", "title": "SECRET WORDS", "what": "gone", "changes": []}]
    sync = Sync.objects.create(
        source=Source.objects.get(slug="theirs"),
        state="succeeded",
        dry_run=True,
        sample=sample,
        notes=["SECRET line"],
    )
    answer = Caller(user).get(f"syncs/{sync.pk}")
    page = Browser(user).get(f"/admin/retry/sync/{sync.pk}/change/")
    if knows_theirs(user):
        found = ok(answer)
        assert found["sample"] is found["notes"] is None
        assert "SECRET" not in page.content.decode()
    else:
        problem(answer, 404, "sync_not_found")
        assert page["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("retry_selected", "failed"),
        ("resync_selected", "failed"),
        ("retry_now_selected", "scheduled"),
        ("stop_selected", "scheduled"),
        ("discard_selected", "failed"),
        ("restore_selected", "discarded"),
    ],
)
def test_each_action_of_the_list(user: "User", action: str, status: str) -> None:
    entry = hidden(status)
    form = {"_selected_action": [entry.pk], "action": action, "index": "0"}
    answer = Browser(user).post(ENTRIES, form)
    assert answer.status_code in {302, 403}
    pace()
    untouched(entry)


@pytest.mark.parametrize("name", ["retry", "retry_now", "stop", "resync", "live", "change"])
def test_each_page_of_one(user: "User", name: str) -> None:
    entry = hidden("scheduled" if name in {"retry_now", "stop"} else "failed")
    url = f"{ENTRIES}{entry.pk}/{name}/"
    send = Browser(user).get if name in {"live", "change"} else Browser(user).post
    answer = send(url)
    assert answer.status_code in {302, 403, 404}
    if answer.status_code == 302:
        assert answer["Location"] == "/admin/"
    untouched(entry)


def test_who_may_see_it_may_do_it(user: "User") -> None:
    """So that the tests above are about seeing, and not about something else."""
    entry = hidden()
    seeing = grant(user, "entries.view_entry")
    mine = EntryFactory.create(failed=True, source=SourceFactory.create(slug="third"))
    with only_source("third"):
        ok(Caller(seeing).post("retry", {"entry_id": mine.pk}), 202)
        problem(Caller(seeing).post("retry", {"entry_id": entry.pk}), 404, "entry_not_found")
