"""A task at the desk: seen with its traceback and retried by a click; its result agrees."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from entries.models import Entry
from retry.outcomes import Actor
from retry.service import wake_entries
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.support import tasks
from tests.support.shops import work

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_failed_task_is_retried_to_success(at_desk: Browser, tmp_path: Path) -> None:
    file = tmp_path / "card"
    result = tasks.charge.enqueue(str(file))
    work()
    entry = Entry.objects.get()
    shown = text_of(at_desk.read(page_of(entry)))
    for words in (
        "CardDeclined",
        "the card was declined",
        "tests.support.tasks.charge",
        "in charge",
    ):
        assert words in shown
    file.write_text("paid")
    assert at_desk.select([entry.pk], url=f"{ENTRIES}?kind=task") == ["1 entry queued."]
    work()
    result.refresh()
    assert (result.status, result.return_value, result.attempts) == ("SUCCESSFUL", "paid", 2)


def read_main(browser: Browser, url: str) -> str:
    """What a page says below the alarms."""
    return text_of(browser.read(url).partition('class="alarms"')[2].partition("</div>")[2])


def test_what_was_never_tried_is_no_retry(at_desk: Browser, reader: "User") -> None:
    for _ in range(2):
        tasks.add.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1)
    entry, other = Entry.objects.order_by("pk")
    shown = read_main(at_desk, page_of(entry))
    assert "automatic retr" not in shown
    assert "First attempt" in shown
    assert "Retry now makes the first attempt at once." in shown
    assert "This entry waits for the time of its first attempt." in shown
    unable = read_main(Browser(reader), page_of(entry))
    assert "automatic retr" not in unable
    wake_entries([entry.pk, other.pk], actor=Actor.system("dispatcher"))
    for page in (page_of(entry), page_of(entry, "history")):
        shown = read_main(at_desk, page)
        assert "first try" in shown
        assert "automatic retry" not in shown
