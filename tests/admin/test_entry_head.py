"""The head of an entry's page: what fits, what is alike, what is next; and why it was tried."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from entries import lists
from entries.models import Attempt, Entry
from retry.models import Action, AuditEvent
from retry.operations.selection import Selection
from retry.outcomes import Actor, Channel
from retry.service import retry_entries, retry_entry, start_operation
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def failed(minutes: int, **values: Any) -> Entry:
    at = timezone.now() - timedelta(minutes=minutes)
    return EntryFactory.create(failed=True, failed_at=at, **values)


class TestVerbs:
    @pytest.fixture
    def desk(self, operator: "User") -> Browser:
        return Browser(grant(operator, "entries.discard_entry"))

    def test_an_entry_is_set_aside_and_brought_back(self, desk: Browser) -> None:
        entry = EntryFactory.create(failed=True)
        said = desk.press(page_of(entry, "discard"), reason="a test order")
        assert said == [f"Entry {entry.pk} is discarded. It can be restored."]
        assert Entry.objects.get().status == "discarded"
        said = desk.press(page_of(entry, "restore"))
        assert said == [f"Entry {entry.pk} is restored: it is failed."]
        assert Entry.objects.get().status == "failed"
        found = AuditEvent.objects.order_by("id").values_list("verb", "entry_id", "before", "after")
        assert list(found) == [
            ("discard", entry.pk, {"status": ["failed"]}, {"status": "discarded"}),
            ("restore", entry.pk, {"status": ["discarded"]}, {"status": "failed"}),
        ]
        assert AuditEvent.objects.get(verb="discard").reason == "a test order"

    @pytest.mark.parametrize("verb", ["discard", "restore"])
    def test_what_does_not_fit_is_refused_with_words(self, verb: str, desk: Browser) -> None:
        entry = EntryFactory.create(succeeded=True)
        (said,) = desk.press(page_of(entry, verb))
        assert said.startswith(f"Entry {entry.pk} is succeeded; only ")
        assert Entry.objects.get().status == "succeeded"

    @pytest.mark.parametrize("verb", ["discard", "restore"])
    def test_nobody_does_it_without_the_permission(self, verb: str, at_desk: Browser) -> None:
        entry = EntryFactory.create(discarded=True)
        assert at_desk.post(page_of(entry, verb)).status_code == 403
        assert Entry.objects.get().status == "discarded"

    def test_each_that_does_not_fit_says_why(self, desk: Browser) -> None:
        page = desk.read(page_of(EntryFactory.create(failed=True)))
        reasons = {
            label: re.findall(rf'id="{described}">([^<]+)<', page)
            for described, label in re.findall(
                r'<button type="button" disabled aria-describedby="([^"]+)">([^<]+)<', page
            )
        }
        assert reasons == {
            "Retry now": ["No automatic retry is scheduled."],
            "Stop retrying": ["No automatic retry is scheduled."],
            "Resync": ["This entry has no source."],
            "Restore": ["This entry is not discarded."],
        }

    def test_a_missing_permission_is_a_reason(self, at_desk: Browser) -> None:
        words = text_of(at_desk.read(page_of(EntryFactory.create(failed=True))))
        needs = "You need the permission “Can discard an entry and restore it”."
        assert f"Discard {needs}" in words


class TestAlike:
    def test_the_others_are_counted_and_one_click_away(self, at_desk: Browser) -> None:
        entry = failed(1)
        assert "No other failed alike." in text_of(at_desk.read(page_of(entry)))
        failed(2)
        assert "1 other alike" in text_of(at_desk.read(page_of(entry)))
        failed(3)
        failed(4, fingerprint="1-other")
        EntryFactory.create(scheduled=True)
        page = at_desk.read(page_of(entry))
        (url,) = re.findall(r'href="([^"]+)">2 others alike<', page)
        assert url == f"{ENTRIES}?status=failed&amp;fingerprint=1-503"

    def test_counting_stops_in_time(
        self, at_desk: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists.counts, "MOST", 2)
        entry, *_ = [failed(n) for n in range(4)]
        assert "More than 1 others alike" in text_of(at_desk.read(page_of(entry)))

    def test_what_succeeded_later_is_alike_with_nothing(self, at_desk: Browser) -> None:
        failed(1)
        entry = EntryFactory.create(scheduled=True)
        assert "alike" not in text_of(at_desk.read(page_of(entry)))


class TestNext:
    def follow(self, browser: Browser, entry: Entry, filters: str = "") -> str:
        query = {"_changelist_filters": filters} if filters else {}
        location = str(browser.get(page_of(entry, "next"), query)["Location"])
        return location.partition("?")[0]

    def test_the_next_is_the_one_that_failed_before(self, at_desk: Browser) -> None:
        oldest, newest, middle = failed(30), failed(10), failed(20)
        EntryFactory.create(succeeded=True)
        assert self.follow(at_desk, newest) == page_of(middle)
        assert self.follow(at_desk, middle) == page_of(oldest)

    def test_of_the_same_moment_each_comes_once(self, at_desk: Browser) -> None:
        at = timezone.now()
        first, second, third = (EntryFactory.create(failed=True, failed_at=at) for _ in range(3))
        assert self.follow(at_desk, third) == page_of(second)
        assert self.follow(at_desk, second) == page_of(first)

    def test_it_stays_within_the_filter_one_came_from(self, at_desk: Browser) -> None:
        here = SourceFactory.create(slug="here")
        start, _other, mine = failed(1, source=here), failed(2), failed(3, source=here)
        filters = "source=here&p=2"
        answer = at_desk.get(page_of(start, "next"), {"_changelist_filters": filters})
        assert answer["Location"].startswith(page_of(mine))
        assert "_changelist_filters=source%3Dhere" in answer["Location"]
        assert self.follow(at_desk, start, "status=succeeded&source=here") == page_of(mine)
        assert self.follow(at_desk, start, "q=no+such+text") == page_of(start)
        assert self.follow(at_desk, start, "unknown=x") != page_of(mine), "else over all"

    def test_at_the_end_it_says_so_and_stays(self, at_desk: Browser) -> None:
        entry = failed(1)
        answer = at_desk.get(page_of(entry, "next"))
        assert answer["Location"] == page_of(entry)
        said = at_desk.messages_after(answer)
        assert said == ["No other failed entry follows in this list."]

    def test_an_entry_that_works_again_stands_where_it_failed(self, at_desk: Browser) -> None:
        failed(1)
        behind = failed(30)
        mended = EntryFactory.create(succeeded=True)
        Attempt.objects.filter(entry=mended).update(
            status="failed", ended_at=timezone.now() - timedelta(minutes=20)
        )
        assert self.follow(at_desk, mended) == page_of(behind)

    def test_it_is_for_those_who_see_entries(self, powerless: "User") -> None:
        entry = failed(1)
        assert Browser(powerless).get(page_of(entry, "next")).status_code == 403

    def test_no_entry_has_no_next(self, at_desk: Browser) -> None:
        assert at_desk.get(f"{ENTRIES}404/next/").status_code == 404


class TestTimeline:
    def test_who_asked_over_which_channel(self, at_desk: Browser, operator: "User") -> None:
        entry = EntryFactory.create(failed=True)
        actor = Actor.from_user(operator, channel=Channel.API)
        retry_entry(entry.pk, actor=actor, reason="it is back")
        page = text_of(at_desk.read(page_of(entry)))
        assert "retry by operator over the API it is back" in page

    def test_an_operation_is_one_click_away(self, operator: "User") -> None:
        entry = EntryFactory.create(failed=True)
        operation = start_operation(
            Selection(ids=(entry.pk,)), action=Action.RETRY, actor=Actor.command("nightly")
        )
        entry.attempts.update(run_id=operation.runs.get().pk)
        desk = Browser(grant(operator, "retry.view_operation", "retry.view_run"))
        page = desk.read(page_of(entry))
        assert "bulk retry by nightly by a command" in text_of(page)
        assert f'href="{page_of(operation)}">operation</a>' in page
        assert f'href="{page_of(operation.runs.get())}">run</a>' in page

    def test_how_long_it_waited_and_ran(self, at_desk: Browser) -> None:
        entry = EntryFactory.create(succeeded=True)
        now = timezone.now()
        entry.attempts.update(
            queued_at=now - timedelta(seconds=100),
            started_at=now - timedelta(seconds=40),
            ended_at=now,
            worker="desk-1.7",
        )
        page = text_of(at_desk.read(page_of(entry)))
        assert "waited 1 min 00 s took 40 s worker desk-1.7" in page

    def test_frames_of_libraries_are_folded(self, at_desk: Browser) -> None:
        entry = EntryFactory.create(failed=True)
        frame = '  File "{}", line 1, in f\n    f()\n'
        library = frame.format("/usr/lib/python3.12/json/decoder.py")
        own = frame.format("/srv/shop/orders.py")
        entry.attempts.update(traceback=f"Traceback:\n{own}{library}{library}KeyError: 'x'")
        page = at_desk.read(page_of(entry))
        folded = page.index("2 frames of libraries")
        assert page.index("orders.py") < folded < page.index("decoder.py")
        assert '<button type="button" class="copy" data-copy' in page


class TestHistory:
    def test_what_many_were_asked_for_is_in_the_history_of_each(
        self, at_desk: Browser, operator: "User"
    ) -> None:
        entry, other = EntryFactory.create_batch(2, failed=True)
        actor = Actor.from_user(operator, channel=Channel.ADMIN)
        retry_entries([entry.pk, other.pk], actor=actor, reason="both of them")
        words = text_of(at_desk.read(page_of(entry, "history")))
        assert words.count("both of them") == 1
        alone = EntryFactory.create(failed=True)
        retry_entry(alone.pk, actor=actor, reason="only this")
        assert text_of(at_desk.read(page_of(alone, "history"))).count("only this") == 1

    def test_an_operation_is_in_it(self, at_desk: Browser) -> None:
        entry = EntryFactory.create(failed=True)
        operation = start_operation(
            Selection(ids=(entry.pk,)),
            action=Action.RETRY,
            actor=Actor.command("nightly"),
            reason="every night",
        )
        entry.attempts.update(run_id=operation.runs.get().pk)
        words = text_of(at_desk.read(page_of(entry, "history")))
        assert words.count("start retry: every night") == 1
