"""The list that somebody came from is there again after every verb, preview and way back."""

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from entries.states import EntryStatus
from retry.models import Operation
from tests.admin.browsing import ENTRIES, Browser
from tests.admin.operating import OPERATIONS, PREVIEW, failed, started, url_of
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = "source=planet&status=failed&q=entry&p=2"


@pytest.fixture(autouse=True)
def planet() -> None:
    failed(150, source=SourceFactory.create(slug="planet"))


def links(browser: Browser, url: str, text: str) -> list[str]:
    page = browser.read(url)
    found = re.findall(rf'<a [^>]*?href="([^"]*)"[^>]*>\s*{re.escape(text)}\s*</a>', page)
    return [html.unescape(href) for href in found]


def shows_the_list(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path == ENTRIES and parse_qs(parts.query) == parse_qs(SHOWN)


def across(browser: Browser, action: str = "retry") -> str:
    form = {
        "_selected_action": ["1"],
        "action": f"{action}_selected",
        "index": "0",
        "select_across": "1",
    }
    return str(browser.post(f"{ENTRIES}?{SHOWN}", form)["Location"])


@pytest.mark.parametrize(
    "action", ["retry_selected", "resync_selected", "retry_now_selected", "stop_selected"]
)
def test_a_verb_over_what_is_ticked(action: str, foreman: Browser) -> None:
    form = {"_selected_action": ["1"], "action": action, "index": "0"}
    assert shows_the_list(foreman.post(f"{ENTRIES}?{SHOWN}", form)["Location"])


def test_a_preview_leads_back(foreman: Browser) -> None:
    back = links(foreman, across(foreman), "Back to the entries")
    assert back
    assert all(map(shows_the_list, back))
    assert all(map(shows_the_list, links(foreman, across(foreman), "Entries")[-1:]))


def test_an_operation_leads_back_whatever_is_done_with_it(foreman: Browser) -> None:
    answer = foreman.post(across(foreman), {"key": "a" * 32})
    operation = Operation.objects.get()
    page = str(answer["Location"])
    assert page.startswith(url_of(operation))
    for verb in ("pause", "resume", "cancel"):
        assert all(map(shows_the_list, links(foreman, page, "Back to the entries"))), page
        assert links(foreman, page, "Back to the entries")
        action = re.search(rf'action="([^"]*/{verb}/[^"]*)"', foreman.read(page))
        assert action is not None
        page = str(foreman.post(html.unescape(action[1]))["Location"])
    for outcome in ("all", "failed again"):
        (link,) = links(foreman, page, outcome)
        there = f"{url_of(operation)}{urlsplit(link)._replace(fragment='').geturl()}"
        assert all(map(shows_the_list, links(foreman, there, "Back to the entries")))
        assert links(foreman, there, "Back to the entries")


def test_an_operation_over_what_is_ticked_leads_back(foreman: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    form = {"_selected_action": [entry.pk], "action": "discard_selected", "index": "0"}
    page = str(foreman.post(f"{ENTRIES}?{SHOWN}", form)["Location"])
    assert all(map(shows_the_list, links(foreman, page, "Back to the entries")))
    assert links(foreman, page, "Back to the entries")


def test_who_may_not_see_operations_is_back_at_the_list(at_desk: Browser) -> None:
    answer = at_desk.post(across(at_desk), {"key": "a" * 32})
    assert shows_the_list(answer["Location"])


@pytest.mark.parametrize("verb", ["retry", "stop", "retry_now", "resync"])
def test_the_page_of_an_entry(verb: str, foreman: Browser) -> None:
    status = {"retry": "failed", "resync": "succeeded"}.get(verb, EntryStatus.SCHEDULED.value)
    entry = EntryFactory.create(source=SourceFactory.create(), **{status: True})
    page = f"{ENTRIES}{entry.pk}/change/?{urlencode({'_changelist_filters': SHOWN})}"
    action = re.search(rf'formaction="([^"]*/{verb}/[^"]*)"', foreman.read(page))
    assert action is not None
    page = str(foreman.post(html.unescape(action[1]))["Location"])
    assert shows_the_list(links(foreman, page, "Entries")[-1]), "the breadcrumb"
    assert shows_the_list(links(foreman, page, "Close")[0])


def test_what_renews_itself_keeps_them(foreman: Browser) -> None:
    entry = EntryFactory.create(queued=True)
    page = f"{ENTRIES}{entry.pk}/change/?{urlencode({'_changelist_filters': SHOWN})}"
    live = re.search(r'hx-get="([^"]*)"', foreman.read(page))
    assert live is not None
    query = parse_qs(urlsplit(html.unescape(live[1])).query)
    assert (query["_changelist_filters"], len(query["seen"])) == ([SHOWN], 1)


def test_a_group_leads_back(foreman: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    page = f"{ENTRIES}{entry.pk}/change/?{urlencode({'_changelist_filters': SHOWN})}"
    (preview,) = links(foreman, page, "Retry this group")
    assert all(map(shows_the_list, links(foreman, preview, "Back to the entries")))


def test_the_list_of_operations_is_kept_as_well(foreman: Browser) -> None:
    operation = started()
    mine = urlencode({"_changelist_filters": "state=planned&p=1"})
    page = str(foreman.post(f"{url_of(operation, 'pause')}?{mine}")["Location"])
    found = [urlsplit(link) for link in links(foreman, page, "Operations")]
    queries = [parse_qs(link.query) for link in found if link.path == OPERATIONS]
    assert {"state": ["planned"], "p": ["1"]} in queries


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "x" * 2_000, "\0"])
def test_the_way_back_stays_in_the_list(back: str, foreman: Browser) -> None:
    url = f"{PREVIEW}?{urlencode({'action': 'retry', 'status': 'failed', 'back': back})}"
    answer = foreman.get(url)
    if answer.status_code == 200:
        assert answer.context["back_url"].startswith(ENTRIES)


def test_search_and_pages_keep_the_filters(foreman: Browser) -> None:
    page = foreman.read(f"{ENTRIES}?source=planet&status=failed")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)">', page))
    assert (hidden["source"], hidden["status"]) == ("planet", "failed")
    turned = links(foreman, f"{ENTRIES}?source=planet&status=failed&q=entry", "2")
    assert turned
    assert parse_qs(urlsplit(turned[0]).query) == parse_qs(SHOWN)
