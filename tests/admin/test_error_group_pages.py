"""The list of error groups, the page of one, and what can be done there."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from entries.models import Attempt, Entry, Source
from retry import service
from retry.models import AuditEvent, ErrorGroup, Operation, OutcomeCount, Span
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.error_groups import PERSON, make_group, note_failures
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

GROUPS = "/admin/retry/errorgroup/"
TRACEBACK = """Traceback (most recent call last):
  File "/srv/desk/entries/kinds/page.py", line 61, in process
    fetch(url)
  File "/usr/lib/python3.11/site-packages/httptools/parser.py", line 12, in feed
    raise ParserError
  File "/usr/lib/python3.11/contextlib.py", line 81, in inner
    return func()
ValueError: <b>no</b>
"""


@pytest.fixture
def keeper(operator: "User") -> Browser:
    """The operator, who may also look at groups and operations and decide about groups."""
    names = ("retry.view_errorgroup", "retry.manage_errorgroup", "retry.view_operation")
    return Browser(grant(operator, *names))


def url_of(group: ErrorGroup, verb: str = "change") -> str:
    return f"{GROUPS}{group.pk}/{verb}/"


def test_the_list_counts_what_is_failed_now(keeper: Browser) -> None:
    group = make_group(3)
    other = EntryFactory.create(failed=True, fingerprint="1-404", error_class="RequestRefused")
    note_failures("1-404", error_class="RequestRefused", message="http 404 <text>")
    service.retry_entries([other.pk], actor=PERSON)
    page = keeper.read(GROUPS)
    text = text_of(page)
    assert "TransientError HTTP 503 page.example page" in text
    assert "RequestRefused HTTP 404 <text>" in text
    numbers = re.findall(r'fingerprint=(1-[0-9]+)">([0-9,+]+)</a>', page)
    assert sorted(numbers) == [("1-404", "0"), ("1-503", "3")]
    assert f'href="{url_of(group)}"' in page


def test_the_number_of_queries_does_not_grow_with_the_groups(keeper: Browser) -> None:
    def count() -> int:
        keeper.read(GROUPS)
        with CaptureQueriesContext(
            connection,
        ) as found:
            keeper.read(GROUPS)
        return len(found)

    make_group(1)
    few = count()
    for n in range(12):
        make_group(1, fingerprint=f"1-{n}")
    assert count() == few


def test_filters_by_state_kind_and_upstream(keeper: Browser) -> None:
    muted = make_group(1, fingerprint="1-a", kind="page", upstream="a.example")
    make_group(1, fingerprint="1-b", kind="webhook", upstream="b.example")
    service.mute_group(muted.pk, actor=PERSON, above=1)
    for query in ("state=muted", "kind=page", "upstream=a.example"):
        page = keeper.read(f"{GROUPS}?{query}")
        assert "fingerprint=1-a" in page
        assert "fingerprint=1-b" not in page
    assert "No error group matches" in keeper.read(f"{GROUPS}?upstream=c.example%00")
    assert "There is no kind" in text_of(keeper.read(f"{GROUPS}?kind=pag"))


def test_an_empty_list_says_what_will_be_there(keeper: Browser) -> None:
    assert "Nothing has failed" in keeper.read(GROUPS)


def test_the_page_shows_a_traceback_with_libraries_folded(keeper: Browser) -> None:
    group = make_group(1)
    Attempt.objects.update(traceback=TRACEBACK)
    page = keeper.read(url_of(group))
    assert "<summary>2 frames of libraries</summary>" in page
    traceback = page.split('class="traceback"')[1]
    own, library, error = re.findall(r"<pre[^>]*>(.*?)</pre>", traceback, re.DOTALL)[:3]
    assert "page.py" in own
    assert "parser.py" in library
    assert "&lt;b&gt;no" in error


def test_the_page_says_what_its_entries_share(keeper: Browser) -> None:
    shop = SourceFactory.create(slug="shop", name="Shop")
    secret = {"plan": "legacy", "api_key": "k-123456", "customer": {"country": "de"}}
    group = make_group(6, source=shop, payload=secret)
    for n in range(6):
        EntryFactory.create(succeeded=True, payload={"plan": "new", "customer": {"country": n}})
    page = text_of(keeper.read(url_of(group)))
    assert "payload.plan = legacy 6 0" in page
    assert "payload.customer.country = de 6 0" in page
    assert "source = shop 6 0" in page
    assert "k-123456" not in page
    assert "payload.plan is there" not in page


def test_where_nothing_stands_out_it_says_so(keeper: Browser) -> None:
    group = make_group(6)
    assert "Too few to compare: 6 failed and 0 succeeded." in text_of(keeper.read(url_of(group)))
    EntryFactory.create_batch(6, succeeded=True)
    assert "Nothing stands out" in keeper.read(url_of(group))


@pytest.mark.parametrize(
    ("transient", "suggested"), [(True, "Retry…"), (False, "Resync…")], ids=["503", "404"]
)
def test_the_verb_that_fits_is_suggested(
    keeper: Browser, *, transient: bool, suggested: str
) -> None:
    group = make_group(1, source=SourceFactory.create())
    Attempt.objects.update(transient=transient)
    page = keeper.read(url_of(group))
    assert re.findall(r'class="button default" href="[^"]*">([^<]*)<', page) == [suggested]
    links = re.findall(r'href="(/admin/retry/operation/preview/[^"]*)"', page)
    assert len(links) == 2, "the operator may not discard"
    assert "1 will be" in text_of(keeper.read(links[0].replace("&amp;", "&")))


def test_a_group_is_acknowledged_noted_muted_resolved_and_reopened(
    keeper: Browser, operator: "User"
) -> None:
    group = make_group(1)
    anna = UserFactory.create(username="anna", is_staff=True)
    assert keeper.press(url_of(group, "acknowledge"), owner=anna.pk) == ["Acknowledged."]
    assert keeper.press(url_of(group, "note"), text="INC-42 ") == ["Note saved."]
    group.refresh_from_db()
    assert (group.state, group.owner, group.note) == ("acknowledged", anna, "INC-42")
    assert keeper.press(url_of(group, "mute"), hours="1", above="10") == ["Muted."]
    group.refresh_from_db()
    assert (group.state, group.mute_above) == ("muted", 10)
    assert group.muted_until is not None
    assert group.muted_until - timezone.now() < timedelta(hours=1)
    assert "until more than 10 further attempts fail" in text_of(keeper.read(url_of(group)))
    assert keeper.press(url_of(group, "unmute")) == ["No longer muted: the group is open."]
    assert keeper.press(url_of(group, "resolve"), reason="deployed")[0].startswith("Resolved.")
    assert keeper.press(url_of(group, "reopen")) == ["Reopened."]
    group.refresh_from_db()
    assert (group.state, group.owner) == ("open", None)
    verbs = AuditEvent.objects.filter(actor_label=operator.username).order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        *("acknowledge_group", "note_group", "mute_group"),
        *("unmute_group", "resolve_group", "reopen_group"),
    ]


def test_what_cannot_be_done_is_refused_in_words(keeper: Browser) -> None:
    group = make_group(1)
    assert keeper.press(url_of(group, "mute")) == [
        "Say until when, or above how many failures, the group is muted."
    ]
    assert keeper.press(url_of(group, "unmute")) == [
        "This error group is open, so this cannot be done with it."
    ]
    assert keeper.press(url_of(group, "prove"), action="discard", canary_size="5")[0].startswith(
        "By: Select a valid choice."
    )
    assert keeper.post(f"{GROUPS}4711/resolve/").status_code == 404


def test_a_proof_leads_to_its_operation_and_stands_on_the_page(keeper: Browser) -> None:
    group = make_group(3)
    form = {"action": "retry", "canary_size": "2", "rate_per_second": "", "reason": "deployed"}
    answer = keeper.post(url_of(group, "prove"), form)
    operation = Operation.objects.get()
    assert answer["Location"] == page_of(operation)
    assert (operation.canary_size, operation.max_failure_rate) == (2, 0.0)
    page = text_of(keeper.read(url_of(group)))
    assert "Proof under way : 0 of 3 succeeded." in page
    assert "Fixed, prove it" not in page
    assert keeper.press(url_of(group, "prove"), **form) == [
        "There is an operation already that is to prove this error group."
    ]


def test_readers_see_no_verbs_and_may_use_none(reader: "User") -> None:
    group = make_group(1)
    browser = Browser(grant(reader, "retry.view_errorgroup"))
    page = browser.read(url_of(group))
    assert "Fixed, prove it" not in page
    assert "Retry…" not in page
    for verb in ("acknowledge", "note", "mute", "unmute", "resolve", "reopen"):
        form = {"hours": "1", "text": "x"}
        assert browser.post(url_of(group, verb), form).status_code == 403
    assert browser.post(url_of(group, "prove"), {}).status_code in {302, 403}
    assert not Operation.objects.exists()


@pytest.fixture
def mine() -> Source:
    source: Source = SourceFactory.create(slug="mine")
    return source


def test_who_does_not_see_a_source_learns_nothing_of_its_failures(
    keeper: Browser, mine: Source
) -> None:
    other = SourceFactory.create(slug="other", name="Other")
    EntryFactory.create_batch(5, failed=True, source=other, upstream="secret.example")
    shown = EntryFactory.create(failed=True, source=mine, upstream="open.example")
    group = note_failures(kind="webhook", upstreams=("secret.example", "open.example"))
    hidden = make_group(2, source=other, fingerprint="1-hidden", error_class="HiddenError")
    with only_source("mine"):
        page = keeper.read(GROUPS)
        assert re.findall(r'fingerprint=1-503">([0-9,+]+)</a>', page) == ["1"]
        assert "1-hidden" not in page
        assert "secret.example" not in page
        assert "No error group matches" in keeper.read(f"{GROUPS}?upstream=secret.example")
        assert "No error group matches" in keeper.read(f"{GROUPS}?kind=webhook")
        text = text_of(keeper.read(url_of(group)))
        assert f"#{shown.pk}" in text
        assert "secret.example" not in text
        assert "webhook" not in text.partition("Sample")[0].partition("Kinds")[2]
        assert keeper.get(url_of(hidden)).status_code == 302
        assert keeper.post(url_of(hidden, "resolve")).status_code == 404
        answer = keeper.get(f"{GROUPS}find/?fingerprint=1-hidden")
        assert answer["Location"] == f"{ENTRIES}?status=failed&fingerprint=1-hidden"


def test_same_error_leads_to_the_group_or_to_the_list(keeper: Browser, reader: "User") -> None:
    group = make_group(1)
    link = f"{GROUPS}find/?fingerprint=1-503"
    for url in (ENTRIES, page_of(Entry.objects.get())):
        assert f'href="{link}"' in keeper.read(url)
    assert keeper.get(link)["Location"] == url_of(group)
    found = f"{ENTRIES}?status=failed&fingerprint=1-503"
    assert Browser(reader).get(link)["Location"] == found
    ErrorGroup.objects.all().delete()
    assert keeper.get(link)["Location"] == found


def test_the_live_part_follows_the_group(keeper: Browser) -> None:
    group = make_group(1)
    page = keeper.read(url_of(group))
    address = re.search(r'hx-get="([^"]*)"', page)
    assert address is not None
    live = address[1].replace("&amp;", "&")
    assert keeper.get(live).status_code == 204
    service.resolve_group(group.pk, actor=PERSON)
    answer = keeper.read(live)
    assert "The group is resolved." in answer
    assert 'id="verbs"' in answer


def count_failures(fingerprint: str, hours_ago: int, count: int, **values: Any) -> None:
    begin = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours_ago)
    OutcomeCount.objects.create(
        span=Span.HOUR, at=begin, kind="page", fingerprint=fingerprint, count=count, **values
    )


def test_the_list_and_the_page_draw_how_often_it_failed(keeper: Browser) -> None:
    group = make_group(1)
    count_failures(group.fingerprint, 2, 40)
    count_failures(group.fingerprint, 30, 2)
    count_failures("1-other", 2, 500)
    assert "40 failed attempts in the last 24 hours" in keeper.read(GROUPS)
    page = keeper.read(url_of(group))
    assert "42 failed attempts in the last 7 days" in page
    assert page.count('class="plot-failed"') == 2
    assert "40 failed attempts in" in keeper.read(f"{url_of(group)}?span=24h")
    assert 'aria-current="page">24h<' in keeper.read(f"{url_of(group)}?span=nonsense")


def test_a_plot_counts_the_sources_that_the_user_may_see(keeper: Browser, mine: Source) -> None:
    group = make_group(1, source=mine)
    other = SourceFactory.create(slug="other")
    EntryFactory.create(failed=True, source=other)
    count_failures(group.fingerprint, 2, 3, source_id=mine.pk)
    count_failures(group.fingerprint, 2, 500, source_id=other.pk)
    with only_source("mine"):
        assert "3 failed attempts in the last 24 hours" in keeper.read(GROUPS)
        assert "3 failed attempts in the last 7 days" in keeper.read(url_of(group))
