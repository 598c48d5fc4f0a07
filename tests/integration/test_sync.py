"""Bringing a feed into PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection

from entries.errors import SourceError
from entries.models import Entry, Source
from entries.sources.sync.report import SyncProgress
from entries.states import EntryStatus
from tests.support.feeds import rss, rss_item, rss_of
from tests.support.http import LocalServer
from tests.support.syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)


OTHERS = (
    "SELECT coalesce(state, '') FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def execute(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def in_thread(action: Callable[[], Any]) -> Any:
    """Run ``action`` with a database connection of its own."""
    answer: list[Any] = []

    def run() -> None:
        try:
            answer.append(action())
        except Exception as error:  # noqa: BLE001 - handed to the test
            answer.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answer[0]


def test_what_is_new_changed_and_as_before(server: LocalServer, source: Source) -> None:
    server.answer("/feed", rss(rss_item(1) + rss_item(2)), headers={"ETag": '"v1"'})
    report = sync(source)
    entries = list(Entry.objects.order_by("id"))
    assert (report.created, report.updated, report.unchanged, report.total) == (2, 0, 0, 2)
    assert [entry.external_id for entry in entries] == ["id-1", "id-2"]
    assert {(entry.kind, entry.status) for entry in entries} == {("page", EntryStatus.PENDING)}
    assert entries[0].title == "Page 1"
    assert entries[0].payload["url"] == "http://news.example/1"
    source.refresh_from_db()
    assert source.etag == '"v1"'
    assert source.last_synced_at is not None
    assert source.last_error == ""

    server.answer("/feed", rss(rss_item(1) + rss_item(2, title="New words") + rss_item(3)))
    report = sync(source)
    assert (report.created, report.updated, report.unchanged) == (1, 1, 1)
    assert Entry.objects.get(external_id="id-2").title == "New words"
    source.refresh_from_db()
    assert source.etag == ""


def test_nothing_happens_where_nothing_was_modified(server: LocalServer, source: Source) -> None:
    server.answer("/feed", rss_of([1]), headers={"ETag": '"v1"'})
    sync(source)
    before = source.last_synced_at
    server.answer("/feed", status=304)
    report = sync(source)
    assert report.not_modified
    assert report.total == 0
    assert server.received[-1].headers["if-none-match"] == '"v1"'
    source.refresh_from_db()
    assert source.etag == '"v1"'
    assert source.last_synced_at is not None
    assert before is not None
    assert source.last_synced_at > before


class TestTrouble:
    def test_is_said_on_the_source_and_changes_nothing_else(
        self, server: LocalServer, source: Source
    ) -> None:
        server.answer("/feed", rss_of([1, 2]), headers={"ETag": '"v1"'})
        sync(source)
        before = list(Entry.objects.order_by("id").values())
        synced_at = source.last_synced_at

        server.answer("/feed", rss_of([3, 4])[:-20], headers={"ETag": '"v2"'})
        with pytest.raises(SourceError, match="broken XML in line 1") as caught:
            sync(source)
        assert caught.value.code == "malformed"
        fresh = Source.objects.get()
        assert fresh.last_error == source.last_error == str(caught.value)
        assert (fresh.etag, fresh.last_synced_at) == ('"v1"', synced_at)
        assert list(Entry.objects.order_by("id").values()) == before

        server.answer("/feed", rss_of([1, 2, 3]))
        assert sync(source).created == 1
        assert Source.objects.get().last_error == ""

    def test_passwords_are_not_said(self, server: LocalServer, source: Source) -> None:
        location = f"http://me:hunter2@127.0.0.1:{server.port}/gone?token=hunter2"
        Source.objects.update(location=location)
        with pytest.raises(SourceError):
            sync(source)
        assert "HTTP 404" in source.last_error
        assert "hunter2" not in source.last_error

    def test_a_disabled_source_is_not_asked(self, server: LocalServer, source: Source) -> None:
        Source.objects.update(enabled=False)
        with pytest.raises(SourceError) as caught:
            sync(source)
        assert caught.value.code == "disabled"
        assert server.received == []
        assert Source.objects.get().last_error == ""

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("kind", "nope", "unknown_kind"),
            ("entry_kind", "nope", "unknown_kind"),
            ("options", [1], "invalid_options"),
            ("location", "not a url", "invalid_address"),
        ],
    )
    def test_a_source_that_makes_no_sense(
        self, source: Source, field: str, value: Any, code: str
    ) -> None:
        Source.objects.update(**{field: value})
        with pytest.raises(SourceError) as caught:
            sync(source)
        assert caught.value.code == code
        assert Source.objects.get().last_error == str(caught.value)


class TestBatches:
    def test_each_is_committed_before_the_next(self, server: LocalServer, source: Source) -> None:
        server.answer("/feed", rss_of(range(2_500)))
        seen: list[tuple[SyncProgress, int]] = []

        def on_batch(progress: SyncProgress) -> None:
            seen.append((progress, in_thread(Entry.objects.count)))

        report = sync(source, on_batch=on_batch)
        assert [count for _, count in seen] == [1_000, 2_000, 2_500]
        assert [len(progress.created_ids) for progress, _ in seen] == [1_000, 1_000, 500]
        assert [progress.done for progress, _ in seen] == [1_000, 2_000, 2_500]
        assert {progress.total for progress, _ in seen} == {2_500}
        assert report.created == 2_500

    def test_a_sync_that_breaks_off_is_made_up_for_by_the_next(
        self, server: LocalServer, source: Source
    ) -> None:
        server.answer("/feed", rss_of(range(1_500)), headers={"ETag": '"v1"'})

        def break_off(_: SyncProgress) -> None:
            raise ConnectionError("the lights went out")

        with pytest.raises(ConnectionError):
            sync(source, on_batch=break_off)
        source.refresh_from_db()
        assert source.etag == ""
        assert Entry.objects.count() == 1_000
        report = sync(source)
        assert (report.created, report.unchanged) == (500, 1_000)
        assert Source.objects.get().etag == '"v1"'


class TestOneAtATime:
    def test_a_second_one_is_refused_while_the_first_runs(
        self, server: LocalServer, source: Source
    ) -> None:
        server.answer("/feed", rss_of([1]))
        other = Source.objects.create(slug="other", kind="feed", location=server.url("/feed"))
        outcomes: list[Any] = []

        def meanwhile(_: SyncProgress) -> None:
            outcomes.extend(in_thread(partial(sync, one)) for one in (source, other))

        sync(source, on_batch=meanwhile)
        assert isinstance(outcomes[0], SourceError)
        assert outcomes[0].code == "sync_running"
        assert outcomes[1].created == 1
        assert sync(source).unchanged == 1
        assert Source.objects.get(slug="news").last_error == ""

    def test_it_is_free_again_after_an_error(self, server: LocalServer, source: Source) -> None:
        with pytest.raises(SourceError, match="HTTP 404"):
            sync(source)
        answer = in_thread(partial(sync, source))
        assert isinstance(answer, SourceError)
        assert answer.code == "http_error"

    def test_a_connection_that_breaks_leaves_no_lock_behind(
        self, server: LocalServer, source: Source
    ) -> None:
        server.answer("/feed", rss_of(range(1_500)))

        def break_off(_: SyncProgress) -> None:
            pid = connection.connection.info.backend_pid
            in_thread(partial(execute, f"SELECT pg_terminate_backend({pid}, 5000)"))

        with pytest.raises(OperationalError):
            sync(source, on_batch=break_off)
        report = in_thread(partial(sync, source))
        assert (report.created, report.unchanged) == (500, 1_000)

    def test_no_transaction_is_open_while_the_source_is_read(
        self, server: LocalServer, source: Source
    ) -> None:
        states: list[str] = []

        def body() -> Iterator[bytes]:
            states.extend(state for (state,) in in_thread(partial(execute, OTHERS)))
            yield rss_of([1]).encode()

        server.answer("/feed", chunks=body)
        assert sync(source).created == 1
        assert states
        assert not [state for state in states if "transaction" in state]
