"""The hash of an entry's content follows every edit, and what is pushed is compared by content."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User as AuthUser
from django.db import connection

from entries.content import content_hash, is_same
from entries.models import Entry
from entries.sources.base import SourceItem
from entries.sources.patches import Patch
from retry.service import submit
from retry.submission import Effect, SubmitOutcome, submit_patches
from tests.admin.browsing import Browser, page_of
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.syncing import counts, numbered, synced

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

PUSHED = SourceItem("e-1", "first", {"do": "succeed", "a": 1})


def pushed(item: SourceItem = PUSHED) -> Effect:
    (found,) = submit([item], kind="scripted", actor=SCRIPT).items
    return found.effect


def truthful(entry: Entry) -> bool:
    entry.refresh_from_db()
    return entry.content_hash == content_hash(entry.title, entry.payload)


class TestEdits:
    @pytest.fixture
    def chief(self) -> "User":
        user: AuthUser = UserFactory.create(is_staff=True, is_superuser=True)
        return user

    @pytest.mark.parametrize("name", ["title", "payload"])
    def test_what_was_edited_in_the_admin_is_updated_by_the_same_push(
        self, name: str, chief: "User"
    ) -> None:
        assert pushed() is Effect.CREATED
        entry = Entry.objects.get()
        form = {
            "title": entry.title,
            "payload": json.dumps(entry.payload),
            "seen": content_hash(entry.title, entry.payload),
        }
        form[name] = "edited" if name == "title" else '{"do": "edited"}'
        assert Browser(chief).post(page_of(entry), form).status_code == 302
        assert truthful(entry)
        assert getattr(entry, name) != getattr(PUSHED, name)
        assert pushed() is Effect.UPDATED
        assert pushed() is Effect.UNCHANGED
        entry.refresh_from_db()
        assert (entry.title, entry.payload) == (PUSHED.title, PUSHED.payload)

    def test_an_edit_hashes_what_is_stored_not_what_was_loaded(self) -> None:
        entry = EntryFactory.create(title="a", payload={"n": 1})
        stale = Entry.objects.get(pk=entry.pk)
        Entry.objects.filter(pk=entry.pk).update(payload={"n": 2})
        stale.title = "b"
        stale.save(update_fields=["title"])
        assert truthful(entry)
        assert (entry.title, entry.payload) == ("b", {"n": 2})

    def test_other_ways_to_write_leave_no_hash_that_lies(self) -> None:
        entry = EntryFactory.create(title="a")
        assert truthful(entry)
        Entry.objects.filter(pk=entry.pk).update(title="b")
        entry.refresh_from_db()
        assert entry.content_hash == ""
        entry.save()
        assert truthful(entry)
        entry.title = "c"
        Entry.objects.bulk_update([entry], ["title"])
        entry.refresh_from_db()
        assert entry.content_hash == ""
        (made,) = Entry.objects.bulk_create([Entry(kind="page", external_id="x", title="y")])
        assert truthful(made)

    def test_a_sync_puts_back_what_its_source_has(self) -> None:
        source = numbered(3)
        synced(source)
        entry = Entry.objects.get(external_id="item-2")
        before = entry.title
        entry.title = "edited"
        entry.save()
        assert counts(synced(source).report) == (0, 1, 2, 0, 0)
        assert truthful(entry)
        assert entry.title == before


class TestComparing:
    def test_a_hash_of_another_time_does_not_hide_a_change(self) -> None:
        pushed()
        kept = Entry.objects.get().content_hash
        Entry.objects.update(title="edited", content_hash=kept)
        assert pushed() is Effect.UPDATED

    def test_nor_does_it_make_one(self) -> None:
        pushed()
        Entry.objects.update(content_hash="of another time")
        assert pushed() is Effect.UNCHANGED
        assert truthful(Entry.objects.get())

    @pytest.mark.parametrize(
        "odd", [1e22, -2.5e300, 1e16, -0.0, 1e23, 12345678901234567890.0, 1e-7]
    )
    def test_numbers_that_come_back_otherwise(self, odd: float) -> None:
        item = SourceItem("e-1", "e+1", {"n": odd, "m": [{"n": odd}], "f": 1.0})
        assert pushed(item) is Effect.CREATED
        entry = Entry.objects.get()
        assert truthful(entry)
        assert pushed(SourceItem("e-1", "e+1", entry.payload)) is Effect.UNCHANGED
        assert pushed(item) is Effect.UNCHANGED


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": [0, None]}, {"a": [False, None]}, False),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, True),
        ({"a": None}, {}, False),
        ([1], [1, 2], False),
        ("1", 1, False),
    ],
)
def test_what_is_the_same_is_the_same_for_postgresql(
    one: object,
    other: object,
    same: bool,  # noqa: FBT001
) -> None:
    assert is_same(one, other) is same
    with connection.cursor() as cursor:
        values = [json.dumps(one), json.dumps(other)]
        cursor.execute("SELECT %s::jsonb = %s::jsonb", values)
        assert cursor.fetchone()[0] is same


def merged(*patches: Patch, **options: Any) -> tuple[SubmitOutcome, dict[str, dict[str, str]]]:
    return submit_patches(patches, kind="scripted", actor=SCRIPT, **options)


class TestPatches:
    def test_what_is_not_said_stays(self) -> None:
        known = EntryFactory.create(
            kind="scripted", external_id="a", title="A", payload={"a": 1, "b": 2}, failed=True
        )
        outcome, problems = merged(
            Patch("a", members={"b": 3, "c": None}, blanks={"a": ""}),
            Patch("new", title="New", members={"b": 3}, blanks={"a": ""}),
            Patch("empty"),
        )
        assert problems == {}
        assert [i.effect for i in outcome.items] == [
            Effect.UPDATED,
            Effect.CREATED,
            Effect.CREATED,
        ]
        assert outcome.queued == 3
        assert truthful(known)
        assert (known.title, known.payload) == ("A", {"a": 1, "b": 3, "c": None})
        assert Entry.objects.get(external_id="new").payload == {"a": "", "b": 3}
        assert Entry.objects.get(external_id="empty").payload == {}

    def test_a_payload_is_all_of_it(self) -> None:
        known = EntryFactory.create(kind="scripted", external_id="a", title="A", failed=True)
        (item,) = merged(Patch("a", payload={"n": 5}))[0].items
        assert item.effect is Effect.UPDATED
        known.refresh_from_db()
        assert (known.title, known.payload) == ("A", {"n": 5})

    def test_what_makes_something_that_cannot_be_stored_is_left_out(self) -> None:
        half = "x" * 200_000
        known = EntryFactory.create(kind="scripted", external_id="a", payload={"a": half})
        outcome, problems = merged(
            Patch("a", members={"b": half}), Patch("b"), Patch("c\x00"), Patch("\ud800")
        )
        assert [i.external_id for i in outcome.items] == ["b"]
        assert problems.keys() == {"a", "c\x00", "\ud800"}
        assert "larger" in problems["a"]["payload"]
        known.refresh_from_db()
        assert known.payload == {"a": half}

    def test_of_a_source(self) -> None:
        source = SourceFactory.create(slug="orders", entry_kind="scripted")
        EntryFactory.create(kind="scripted", external_id="a", title="Other", failed=True)
        known = EntryFactory.create(
            kind="scripted", external_id="a", title="A", source=source, failed=True
        )
        submit_patches([Patch("a", title="B")], kind=None, source="orders", actor=SCRIPT)
        known.refresh_from_db()
        assert known.title == "B"
        assert Entry.objects.get(source=None).title == "Other"
