"""Holds in the admin: what stands, putting and lifting, and the banner wherever it matters."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from retry.admin.desk.engine import MOST_HOLDS
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import Action, AuditEvent, Hold
from retry.operations import control
from retry.outcomes import Actor
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.operating import failed, started, url_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
HOLDS = "/admin/retry/hold/"
BREAKER = Actor.system("breaker")


@pytest.fixture
def keeper(operator: "User") -> Browser:
    """Who may put things on hold."""
    return Browser(grant(operator, "retry.view_hold", "retry.manage_hold", "retry.view_operation"))


def alarms(browser: Browser, url: str = "/admin/password_change/") -> list[str]:
    """Lines about what the breaker put on hold."""
    found = (text_of(str(alarm)) for alarm in browser.get(url).context["alarms"])
    return [alarm for alarm in found if "on hold" in alarm]


def lines(browser: Browser, url: str = "/admin/password_change/") -> list[str]:
    """Lines about what people put on hold, which is no alarm."""
    answer = browser.get(url)
    assert not any("on hold" in str(alarm) for alarm in answer.context["alarms"])
    return [text_of(str(line)) for line in answer.context["held_lines"]]


def test_the_page_lists_kinds_and_sources_and_what_stands(keeper: Browser) -> None:
    SourceFactory.create(slug="news", name="The news")
    words = text_of(keeper.read(HOLDS))
    assert "page Fetches a page and notes its title, size and checksum. not on hold" in words
    assert "news The news not on hold" in words
    assert "Nothing has been on hold yet" in words
    assert 'href="/admin/retry/hold/">Holds' in keeper.read("/admin/"), "the way there"


def test_a_kind_is_put_on_hold_and_lifted_and_every_page_says_so_at_once(keeper: Browser) -> None:
    queued_entries(2)
    assert alarms(keeper) == []
    (message,) = keeper.press(f"{HOLDS}put/", kind="scripted", reason="down until 14:00")
    assert message == ("Kind scripted is on hold. Its work stays queued until the hold is lifted.")
    hold = Hold.objects.get()
    assert (hold.kind, hold.actor_label, hold.reason) == (
        "scripted",
        "operator",
        "down until 14:00",
    )
    assert AuditEvent.objects.get(verb="hold").channel == "admin"
    (alarm,) = lines(keeper)
    assert alarm.startswith("Kind scripted was put on hold now by operator: down until 14:00")
    assert alarm.endswith("1 run waits.")
    assert "View holds" in text_of(keeper.read("/admin/password_change/"))
    words = text_of(keeper.read(HOLDS))
    held = r"scripted For tests\. on hold by operator, 20[0-9-]+ [0-9:]+ UTC \( just now \)"
    assert re.search(f"{held} down until 14:00 1 run waits\\.", words)
    (message,) = keeper.press(f"{HOLDS}{hold.pk}/lift/", reason="back")
    assert message == "Hold on kind scripted lifted. Waiting work starts by itself, oldest first."
    assert lines(keeper) == []
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lifted_reason) == ("operator", "back")
    shown = "Kind scripted just now — operator down until 14:00 just now operator back"
    assert shown in text_of(keeper.read(HOLDS))


def test_an_upstream_is_put_on_hold_and_lifted(keeper: Browser) -> None:
    page = text_of(keeper.read(HOLDS))
    assert "No upstream is on hold." in page
    asked = {"kind": "webhook", "upstream": " crm ", "reason": "down"}
    (message,) = keeper.press(f"{HOLDS}put/", **asked)
    assert message == (
        "Upstream crm of webhook is on hold. Its work stays queued until the hold is lifted."
    )
    hold = Hold.objects.get()
    assert (hold.kind, hold.upstream) == ("webhook", "crm")
    (alarm,) = lines(keeper)
    assert alarm.startswith("Upstream crm of webhook was put on hold now by operator: down")
    page = text_of(keeper.read(HOLDS))
    assert "crm of webhook on hold by operator" in page
    assert "webhook Delivers the payload to an endpoint, signed. not on hold" in page
    for fields, said in (
        ({"kind": "webhook", "upstream": " "}, "Choose an upstream and its kind"),
        ({"kind": "webhook", "upstream": "x" * 201}, "Choose a kind"),
        ({"source": "news", "upstream": "crm"}, "Choose a kind or a source"),
        ({"kind": "scripted", "upstream": "crm"}, "The kind scripted has no upstreams"),
    ):
        (message,) = keeper.press(f"{HOLDS}put/", **fields)
        assert said in message
    (message,) = keeper.press(f"{HOLDS}{hold.pk}/lift/")
    assert message.startswith("Hold on upstream crm of webhook lifted")
    assert lines(keeper) == []


def test_many_upstreams_are_one_line(keeper: Browser) -> None:
    for number in range(12):
        holds.trip("routed", f"h{number}", actor=BREAKER, reason="HTTP 503", probe_after=9)
    holds.hold_kind("routed", "chosen", actor=SCRIPT)
    queued_entries(3, kind="routed", to="h3")
    queued_entries(1, kind="routed", to="h7")
    (alarm,) = alarms(keeper)
    assert alarm.startswith(
        "12 upstreams of routed are on hold: h0, h1, h2 and 9 more. 2 runs wait."
    )
    held = [str(line) for line in keeper.get("/admin/").context["held_lines"]]
    assert held[0].startswith("Upstream chosen of routed was put on hold"), "beside the alarm"
    page = text_of(keeper.read(HOLDS))
    assert "h11 of routed on hold by the breaker" in page


def test_what_makes_no_sense_is_said_and_changes_nothing(keeper: Browser) -> None:
    hold = holds.hold_kind("page", actor=SCRIPT)
    for fields, said in (
        ({}, "Choose a kind or a source. Nothing was changed."),
        ({"kind": "page", "source": "news"}, "Choose a kind or a source"),
        ({"kind": "page\0"}, "Choose a kind or a source"),
        ({"kind": "page"}, "Kind page is already on hold."),
        ({"kind": "nope"}, "no kind is registered as 'nope'"),
        ({"source": "nope"}, "There is no source 'nope'."),
        ({"kind": "scripted", "reason": "x" * 501}, "The reason is not valid"),
    ):
        (message,) = keeper.press(f"{HOLDS}put/", **fields)
        assert said in message
    assert keeper.post(f"{HOLDS}4711/lift/").status_code == 404
    assert list(Hold.objects.all()) == [hold]
    holds.lift(hold.pk, actor=SCRIPT)
    (message,) = keeper.press(f"{HOLDS}{hold.pk}/lift/")
    assert message == "The hold was already lifted by script."


def test_who_may_only_look_sees_no_button(operator: "User", reader: "User") -> None:
    hold = holds.hold_kind("page", actor=SCRIPT, reason="down")
    looker = Browser(grant(operator, "retry.view_hold"))
    page = looker.read(HOLDS)
    assert "Put on hold" not in page
    assert "/lift/" not in page
    assert looker.post(f"{HOLDS}{hold.pk}/lift/").status_code == 403
    assert looker.post(f"{HOLDS}put/", {"kind": "scripted"}).status_code == 403
    nobody = Browser(reader)
    assert nobody.get(HOLDS).status_code == 403
    assert len(lines(nobody)) == 1
    page = text_of(nobody.read("/admin/password_change/"))
    assert "View holds" not in page, "the banner is for all staff, the way is not"
    assert Hold.objects.get().lifted_at is None


def test_the_breakers_hold_says_when_it_probes(keeper: Browser) -> None:
    hold = holds.trip("page", actor=BREAKER, reason="20 of 20 failed <b>", probe_after=90)
    Hold.objects.update(probes=3, next_probe_at=timezone.now() + timedelta(seconds=45))
    page = keeper.read(HOLDS)
    assert "20 of 20 failed &lt;b&gt;" in page
    words = text_of(page)
    assert "by the breaker" in words
    assert "One entry will be tried in 4" in words
    assert "3 failed so far" in words
    Hold.objects.update(probe_run_id="0" * 32)
    assert "One entry is being tried." in text_of(keeper.read(HOLDS))
    assert "20 of 20 failed <b>" in text_of(keeper.read(page_of(hold)))


def test_the_page_of_an_entry_says_that_it_waits(keeper: Browser) -> None:
    source = SourceFactory.create(slug="news")
    waiting = EntryFactory.create(scheduled=True, source=source)
    resting = EntryFactory.create(failed=True)
    other = EntryFactory.create(failed=True, kind="scripted")
    holds.hold_kind("page", actor=SCRIPT)
    holds.hold_source("news", actor=SCRIPT)
    assert "This entry waits: kind page and source news are on hold." in text_of(
        keeper.read(page_of(waiting))
    )
    assert "If retried now, this entry would wait: kind page is on hold." in text_of(
        keeper.read(page_of(resting))
    )
    assert 'class="on-hold"' not in keeper.read(page_of(other))


def test_a_watched_entry_tells_when_its_hold_is_lifted(keeper: Browser) -> None:
    (id_,) = queued_entries()
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    live = f"/admin/entries/entry/{id_}/live/"
    seen = keeper.get(live).context["live"].version
    assert keeper.get(live, {"seen": seen}).status_code == 204
    holds.lift(hold.pk, actor=SCRIPT)
    answer = keeper.get(live, {"seen": seen})
    assert answer.status_code == 200
    assert 'class="on-hold"' not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_page_of_an_operation_says_what_its_runs_wait_for(keeper: Browser) -> None:
    failed(25)
    holds.hold_kind("grouped", actor=SCRIPT)
    operation = started()
    Dispatcher().tick()
    said = "3 runs wait: kind grouped is on hold."
    assert said in text_of(keeper.read(url_of(operation)))
    control.cancel(operation.pk, actor=SCRIPT)
    Dispatcher().tick()
    assert said not in text_of(keeper.read(url_of(operation)))
    discarded = started(action=Action.DISCARD)
    assert "on hold." not in keeper.read(url_of(discarded)).partition('id="live"')[2]


def test_a_source_is_put_on_hold_and_lifted_from_its_own_page(keeper: Browser) -> None:
    source = SourceFactory.create(slug="news")
    page = keeper.read(page_of(source))
    assert 'name="source" value="news"' in page
    keeper.press(f"{HOLDS}put/", source="news", reason="closed")
    words = text_of(keeper.read(page_of(source)))
    assert "Source news was put on hold now by operator: closed." in words
    assert "Lift hold" in words
    assert "Put on hold" not in words


def test_the_status_page_and_a_crowd_of_holds(keeper: Browser) -> None:
    for number in range(MOST_HOLDS + 2):
        holds.hold_source(SourceFactory.create(slug=f"s{number}").slug, actor=SCRIPT)
    page = keeper.read("/admin/retry/status/")
    assert "on hold" not in page.partition('class="alarms"')[2].partition("</div>")[0]
    before, _, held = text_of(page).partition("Holds")
    assert "s11 by script" in held
    assert "2 more holds" in held
    assert "s11" not in before, "once, not again as a line above"


def test_a_hold_is_put_with_an_end(keeper: Browser) -> None:
    answer = keeper.post(f"{HOLDS}put/", {"kind": "page", "ends_at": "2099-01-31T06:00"})
    assert "Kind page is on hold until 2099-01-31 06:00 UTC." in keeper.messages_after(answer)[0]
    assert "until 2099-01-31 06:00 UTC" in text_of(keeper.read(HOLDS))
    assert "until 2099-01-31 06:00 UTC" in lines(keeper)[0]


@pytest.mark.parametrize("end", ["2000-01-31T06:00", "soon"])
def test_an_end_that_makes_no_sense_is_refused(keeper: Browser, end: str) -> None:
    answer = keeper.post(f"{HOLDS}put/", {"kind": "page", "ends_at": end})
    assert keeper.messages_after(answer)[0]
    assert not Hold.objects.exists()
