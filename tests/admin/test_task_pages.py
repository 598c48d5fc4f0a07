"""A task at the desk: seen with its traceback and retried by a click; its result agrees."""

from pathlib import Path

import pytest

from entries.models import Entry
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.support import tasks
from tests.support.shops import work

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
