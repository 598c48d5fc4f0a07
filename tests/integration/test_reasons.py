"""The search for reasons: what was put to work for one, as far as the reason may be known."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import pytest

from entries import lists
from entries.filters import EntryFilter
from entries.lists import BY_ID, windows
from entries.models import Entry
from retry import service
from retry.access import reasons
from retry.access.visibility import visible_entries
from retry.dispatcher.pacing import pace
from retry.models import Action, Run
from retry.operations.selection import Selection, preview
from retry.outcomes import Actor, Channel
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.hiding import forget_scope, hide_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

DESK = Actor.command("ops")


@pytest.fixture
def made() -> dict[str, Entry]:
    """``a`` and ``b`` in an operation, ``c`` by hand, ``d`` for another reason, ``e`` never."""
    ours, theirs = SourceFactory.create(slug="ours"), SourceFactory.create(slug="theirs")
    found: dict[str, Entry] = {
        name: EntryFactory.create(failed=True, source=theirs if name == "b" else ours)
        for name in "abcde"
    }
    operate("INC-42: deploy was broken", found["a"], found["b"])
    service.retry_entry(found["c"].pk, actor=DESK, reason="inc-42 by hand")
    service.retry_entry(found["d"].pk, actor=DESK, reason="INC-43")
    return found


def operate(reason: str, *entries: Entry) -> None:
    ids = tuple(entry.pk for entry in entries)
    service.start_operation(Selection(ids=ids), action=Action.RETRY, actor=DESK, reason=reason)
    pace()


def find(made: dict[str, Entry], text: str, *, actor: Actor = DESK) -> Collection[str]:
    """Return what the list, the API's pages, a preview and an operation find alike."""
    names = {entry.pk: name for name, entry in made.items()}
    visible = visible_entries(actor)
    page = lists.find_page(visible, visible=visible, text=text, order=BY_ID, offset=0, limit=9)
    behind = lists.find_behind(visible, visible=visible, text=text, behind=None, limit=9)
    chosen = Selection(filter=EntryFilter(q=text))
    exact = set(chosen.entries(actor=actor).values_list("pk", flat=True))
    assert set(chosen.find(actor=actor).values_list("pk", flat=True)) == exact
    assert preview(chosen, action=Action.RETRY, actor=actor).total == len(exact)
    assert list(page.ids) == list(behind[0]) == sorted(exact, reverse=True)
    return sorted(names[id_] for id_ in exact)


@pytest.mark.parametrize("window", [3, 100])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("reason:inc-42", "abc"),
        ('reason:"deploy was"', "ab"),
        ("reason:inc-4 reason:hand", "c"),
        ("reason:INC-43 error:503", "d"),
        ("reason:INC-42 error:404", ""),
        ("reason:%", ""),
    ],
)
def test_operations_and_retries_are_found_by_their_reasons(
    text: str, wanted: str, window: int, made: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether all of them are looked at or not."""
    monkeypatch.setattr(windows, "WINDOW", window)
    assert find(made, text) == list(wanted)


def test_what_an_operation_has_not_begun_counts_as_well(made: dict[str, Entry]) -> None:
    """As what needs no worker does: a discarded entry has no attempt with that reason."""
    chosen = Selection(ids=(made["e"].pk,))
    service.start_operation(chosen, action=Action.RETRY, actor=DESK, reason="later")
    assert find(made, "reason:later") == ["e"]
    service.start_operation(chosen, action=Action.DISCARD, actor=DESK, reason="hopeless")
    assert find(made, "reason:hopeless") == ["e"]


def test_of_many_the_list_has_the_newest_and_the_api_all(
    made: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW", 2)
    visible = Entry.objects.all()
    page = lists.find_page(
        visible, visible=visible, text="reason:inc-42", order=BY_ID, offset=0, limit=9
    )
    assert (len(page.ids), page.more) == (2, True)
    ids: list[int] = []
    behind = None
    for _ in range(5):
        found, behind = lists.find_behind(
            visible, visible=visible, text="reason:inc-42", behind=behind, limit=9
        )
        ids += found
        if behind is None:
            break
    assert ids == sorted((made[name].pk for name in "abc"), reverse=True)


def test_only_the_newest_reasons_are_looked_at(
    made: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "RUNS", 1)
    assert find(made, "reason:INC") == ["a", "b", "d"]
    operate("new", made["e"])
    monkeypatch.setattr(reasons, "OPERATIONS", 1)
    assert find(made, "reason:INC") == ["d"]


@pytest.fixture
def member(made: dict[str, Entry]) -> "User":
    """Sees ``ours`` and not ``theirs``."""
    theirs = made["b"].source
    assert theirs is not None
    hide_source(theirs)
    return grant(UserFactory.create(username="member"), "entries.view_entry")


def test_a_reason_that_may_name_hidden_entries_finds_nothing(
    made: dict[str, Entry], member: "User"
) -> None:
    actor = Actor.from_user(forget_scope(member), channel=Channel.API)
    assert find(made, "reason:inc-42", actor=actor) == ["c"]
    assert find(made, "reason:INC-43", actor=actor) == ["d"]
    operate("INC-42 again", made["e"])
    assert find(made, "reason:inc-42", actor=actor) == ["c", "e"]


def test_what_is_hidden_does_not_push_out_what_is_seen(
    made: dict[str, Entry], member: "User", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasons, "RUNS", 2)
    others = EntryFactory.create_batch(3, failed=True, source=made["b"].source)
    for entry in others:
        service.retry_entry(entry.pk, actor=DESK, reason="INC-42")
    actor = Actor.from_user(forget_scope(member), channel=Channel.API)
    assert find(made, "reason:inc-42", actor=actor) == ["c"]


def test_an_operation_freezes_what_was_found(made: dict[str, Entry]) -> None:
    chosen = Selection(filter=EntryFilter(q="reason:INC-42"))
    operation = service.start_operation(
        chosen, action=Action.RETRY, actor=DESK, reason="INC-42 once more"
    )
    operate("INC-42, too late", made["e"])
    frozen = Run.objects.filter(operation=operation).values_list("entry_ids", flat=True)
    ids = sorted(id_ for part in frozen for id_ in part)
    assert ids == sorted(made[name].pk for name in "abc")
    assert operation.selection_words == "“INC-42” in a reason"


def test_who_sees_nothing_finds_nothing(made: dict[str, Entry]) -> None:
    nobody = Actor.from_user(UserFactory.create(), channel=Channel.API)
    assert find(made, "reason:inc-42", actor=nobody) == []
    assert not Entry.objects.filter(EntryFilter(q="reason:inc-42").condition()).exists()
