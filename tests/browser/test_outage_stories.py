"""An outage and a repair in bulk, worked off by real workers, in front of a browser.

``STORY_SIZE=23000`` repairs as many as the largest repair there was; it takes minutes.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from entries.content import content_hash
from entries.models import Entry
from entries.sources.base import SourceItem
from retry.models import Operation
from retry.service import submit
from tests.support.asking import SCRIPT
from tests.support.browser import Visitor
from tests.support.outages import add_history
from tests.support.processes import dispatching, listening_worker
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
DOWN = {"do": "transient", "message": "HTTP 503 from shop.example"}
GONE = {"do": "permanent", "message": "HTTP 404 from shop.example"}
SLOW = {"do": "transient", "message": "no answer within 5 s"}
PATCH = '[{"op": "replace", "path": "/do", "value": "succeed"}]'
#: Entries that are repaired.
SIZE = int(os.environ.get("STORY_SIZE", "3000"))
LONG = 120_000  # milliseconds


@contextmanager
def at_work() -> Iterator[None]:
    with dispatching(), listening_worker("bulk"), listening_worker("bulk"):
        yield


def push(payloads: Sequence[dict[str, Any]]) -> None:
    """Push them as a pipeline does, and wait until each has come to an end."""
    for begin in range(0, len(payloads), 1_000):
        items = [
            SourceItem(f"item-{begin + n}", f"Item {begin + n}", payload)
            for n, payload in enumerate(payloads[begin : begin + 1_000])
        ]
        submit(items, kind="swift", actor=SCRIPT)
    wait_until(lambda: set(count_statuses()) <= {"failed", "succeeded"}, timeout=120)


def count_statuses() -> dict[str, int]:
    return dict(Counter(Entry.objects.values_list("status", flat=True)))


def read_contents() -> set[tuple[int, str]]:
    """Read each entry's id and hash, which is that of its content."""
    found = Entry.objects.values_list("pk", "title", "payload", "content_hash")
    assert all(hash_ == content_hash(title, payload) for _, title, payload, hash_ in found)
    return {(pk, hash_) for pk, _, _, hash_ in found}


def test_an_outage_of_7400_is_named_and_retried_in_three_clicks(
    visit: Visit, chief: "User"
) -> None:
    add_history()
    with at_work():
        push([DOWN] * 6_000 + [GONE] * 1_000 + [SLOW] * 400)
        assert count_statuses() == {"failed": 7_400}
        page = visit(chief).page
        sentence = page.locator(".headline")
        expect(sentence).to_contain_text("7,400 failed attempts", timeout=LONG)
        expect(sentence).to_contain_text("HTTP 503")
        first = page.locator(".groups li").filter(has_text="HTTP 503")
        expect(first).to_contain_text("6,000")
        Entry.objects.update(payload={"do": "succeed"})
        first.get_by_role("link", name="Retry…").click()
        page.get_by_role("button", name="Retry").first.click()
        page.wait_for_url("**/retry/operation/**/change/")
        operation = Operation.objects.get()
        assert (operation.action, operation.total) == ("retry", 6_000)
        expect(page.get_by_text("The operation is completed.")).to_be_visible(timeout=LONG)
    assert count_statuses() == {"succeeded": 6_000, "failed": 1_400}


def test_many_are_repaired_in_bulk_and_undone_with_their_hashes(
    visit: Visit, chief: "User"
) -> None:
    with at_work():
        push([{"do": "permanent", "message": "no such page", "page": n} for n in range(SIZE)])
        assert count_statuses() == {"failed": SIZE}
        before = read_contents()
        page = visit(chief).page
        page.goto(f"{page.url}retry/operation/repair/?status=failed")
        page.get_by_label("JSON Patch").fill(PATCH)
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("will be repaired and retried")).to_be_visible(timeout=LONG)
        page.get_by_role("button", name=re.compile("^Repair and retry")).click()
        expect(
            page.get_by_role("heading", name=f"Repair and retry {SIZE:,} entries")
        ).to_be_visible()
        expect(page.get_by_text("The operation is completed.")).to_be_visible(timeout=LONG)
        assert count_statuses() == {"succeeded": SIZE}
        assert not before & read_contents()
        page.get_by_text("Undo the repair…").click()
        page.get_by_role("button", name="Undo the repair").click()
        undo = Operation.objects.exclude(action="repair")
        wait_until(lambda: undo.filter(state="completed").exists(), timeout=120)
    assert read_contents() == before
    assert count_statuses() == {"succeeded": SIZE}, "no status moves"
