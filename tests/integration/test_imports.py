"""Imports by workers: hand-over, being stopped or killed half-way, and what is counted then."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from entries.models import Entry
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.errors import ImportNotFound, NotConfirmable, SourceNotFound, UploadRefused
from retry.imports import control
from retry.imports.work import perform
from retry.models import AuditEvent, Import, Run
from retry.outcomes import Actor, Channel
from retry.service import submit
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import only_source
from tests.support.imports import after, asked, compared, confirmed, fresh, numbered
from tests.support.processes import redis_at
from tests.support.servers import wait_until
from tests.support.syncing import work_off
from tests.support.threads import all_at_once

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_patience", "uploads"),
]


def test_a_worker_compares_and_then_stores_it() -> None:
    row = asked(numbered(2_500), reason="because")
    assert (row.state, row.dispatches, row.dry_run) == ("queued", 1, True)
    assert queue.observe(["sync"]).waiting == {row.job_id}
    work_off()
    row.refresh_from_db()
    assert (row.state, row.total, row.created, row.queued) == ("succeeded", 2_500, 2_500, 2_500)
    assert not Entry.objects.exists()
    done = control.confirm_import(row.pk, actor=SCRIPT)
    assert (done.state, done.total, done.reason) == ("queued", 2_500, "because")
    work_off()
    done.refresh_from_db()
    assert (done.state, done.created, done.queued) == ("succeeded", 2_500, 2_500)
    assert Entry.objects.filter(status="queued").count() == 2_500
    assert sum(run.size for run in Run.objects.all()) == 2_500
    summary = AuditEvent.objects.get(verb="import")
    assert (summary.count, summary.reason) == (2_500, "because")
    assert done.location == fresh(row).location == "", "the file is not kept"


def test_without_redis_it_is_accepted_and_done_when_redis_is_back() -> None:
    with redis_at("unix:///nowhere/redis.sock"):
        row = asked(numbered(1))
    assert row.dispatches == 0
    assert Dispatcher().tick().handed_over == 1
    work_off()
    assert fresh(row).state == "succeeded"


def test_what_redis_lost_is_handed_over_again() -> None:
    row = asked(numbered(1))
    queue.get_client().flushdb()
    dispatcher = Dispatcher()
    wait_until(lambda: dispatcher.tick().handed_over_again == 1)
    work_off()
    assert fresh(row).state == "succeeded"


def test_one_that_is_stopped_goes_on_where_it_was() -> None:
    row = confirmed(numbered(2_500))
    perform(row.pk, stop=after(1))
    assert (fresh(row).state, row.position, row.created) == ("queued", 1_000, 1_000)
    assert Entry.objects.count() == 1_000
    perform(row.pk, stop=after(9))
    assert (fresh(row).state, row.created, row.unchanged) == ("succeeded", 2_500, 0)
    assert row.queued == 2_500
    assert AuditEvent.objects.filter(verb="submit").count() == 3


def test_a_dry_run_that_is_stopped_begins_again() -> None:
    row = asked(numbered(2_500))
    perform(row.pk, stop=after(1))
    assert (fresh(row).state, row.position, row.created, row.sample) == ("queued", 0, 0, [])
    perform(row.pk, stop=after(9))
    assert (fresh(row).state, row.created, len(row.sample)) == ("succeeded", 2_500, 50)


def test_a_file_that_is_not_there_any_more_is_an_error() -> None:
    row = confirmed(numbered(10))
    control.forget_file(fresh(row).location)
    work_off()
    assert (fresh(row).state, row.error_code) == ("failed", "not_found")


def test_two_that_confirm_at_the_same_time_get_the_same() -> None:
    row = compared(numbered(1))
    got = all_at_once(lambda: control.confirm_import(row.pk, actor=SCRIPT).pk, times=4)
    assert len(got) == 4
    assert len(set(got)) == 1
    assert Import.objects.count() == 2


def test_it_does_what_post_entries_does() -> None:
    """While a pipeline pushes the same, nothing is lost and nobody waits in a circle."""
    from entries.sources.base import SourceItem

    EntryFactory.create(kind="scripted", external_id="item-0", payload={"kept": 1}, failed=True)
    row = confirmed(numbered(2_000))
    done = threading.Event()

    def push() -> None:
        while not done.is_set():
            items = [SourceItem(f"item-{n}", "pushed", {"pushed": n}) for n in range(1, 2_000, 2)]
            submit(items, kind="scripted", actor=SCRIPT)
        connection.close()

    thread = threading.Thread(target=push)
    thread.start()
    try:
        perform(row.pk, stop=after(9))
    finally:
        done.set()
        thread.join()
    assert fresh(row).state == "succeeded"
    assert Entry.objects.count() == 2_000
    assert Entry.objects.get(external_id="item-0").payload == {"kept": 1, "n": "0"}
    for entry in Entry.objects.filter(external_id="item-1"):
        assert entry.payload in ({"pushed": 1}, {"pushed": 1, "n": "1"})


def test_what_is_refused_keeps_no_file(tmp_path: Path) -> None:
    for name in ("a.ods", "csv", "a.csv.exe", ""):
        with pytest.raises(UploadRefused):
            asked(numbered(1), name=name)
    assert not (tmp_path / "uploads").exists()
    row = asked(numbered(1), name="..\\..\\A very long name " + "x" * 300 + ".CSV")
    assert len(row.file_name) <= 200
    assert ".." not in row.file_name


def test_there_is_nothing_to_confirm_before_the_dry_run() -> None:
    row = asked(numbered(1))
    with pytest.raises(NotConfirmable):
        control.confirm_import(row.pk, actor=SCRIPT)
    Run.objects.all().delete()
    with pytest.raises(ImportNotFound):
        control.confirm_import(Import().pk, actor=SCRIPT)


def act_as(user: "User") -> Actor:
    """As another request, which reads rights anew."""
    return Actor.from_user(type(user).objects.get(pk=user.pk), channel=Channel.ADMIN)


def test_what_whoever_imports_may_not_see_is_left_alone_and_not_shown() -> None:
    theirs = SourceFactory.create(slug="theirs")
    SourceFactory.create(slug="mine")
    known = EntryFactory.create(
        source=theirs, external_id="x", title="SECRET", failed=True, kind="scripted"
    )
    user = grant(UserFactory.create(is_staff=True), "entries.submit_entry", "entries.view_entry")

    def request() -> Import:
        return control.request_import(
            ContentFile(b"external_id,title\nx,Mine now\n", "a.csv"),
            file_name="a.csv",
            kind="scripted",
            source="theirs",
            actor=act_as(user),
        )

    with only_source("mine"), pytest.raises(SourceNotFound):
        request()
    row = request()
    with only_source("mine"):
        work_off()
        assert (fresh(row).state, fresh(row).error_code) == ("failed", "source_not_found")
        assert fresh(row).sample == []
        with pytest.raises(ImportNotFound):
            control.confirm_import(row.pk, actor=act_as(user))
    known.refresh_from_db()
    assert (known.title, known.status) == ("SECRET", "failed")


def test_what_it_queues_waits_behind_clicks_however_few_rows_it_has() -> None:
    """The last batch of a file of thousands is small as well."""
    row = confirmed(numbered(3))
    work_off()
    assert fresh(row).queued == 3
    assert set(Run.objects.values_list("queue", flat=True)) == {"bulk"}
    assert queue.count_jobs(["default"]) == {"default": 0}
