"""``GET entries``: pages, filters, search."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connection

from entries.lists import pages
from entries.states import EntryStatus
from retry import service
from retry.outcomes import Actor
from tests.api.calls import Caller, fields, ok, problem
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.processes import child_environment

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def ids(api: Caller, **query: Any) -> list[int]:
    return [entry["id"] for entry in ok(api.get("entries", **query))["results"]]


def test_nothing_there(api: Caller) -> None:
    assert ok(api.get("entries")) == {"results": [], "next_cursor": None}


def test_what_an_entry_looks_like(api: Caller) -> None:
    source = SourceFactory.create(slug="feed")
    entry = EntryFactory.create(
        failed=True, source=source, title="A page", external_id="a", failed_at=NOON
    )
    [found] = ok(api.get("entries"))["results"]
    assert found.pop("created_at") <= found.pop("updated_at")
    assert found == {
        "id": entry.id,
        "kind": "page",
        "source": "feed",
        "upstream": "page.example",
        "external_id": "a",
        "title": "A page",
        "gone_at": None,
        "status": "failed",
        "attempt": 1,
        "error": {
            "class": "TransientError",
            "message": "HTTP 503 from http://page.example/1",
            "fingerprint": "1-503",
        },
        "failed_at": "2026-01-31T12:00:00Z",
        "next_attempt_at": None,
    }


def test_pages_give_every_entry_once_newest_first(api: Caller) -> None:
    expected = sorted((entry.id for entry in EntryFactory.create_batch(7)), reverse=True)
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = ok(api.get("entries", limit=3, **cursor))
        seen += [entry["id"] for entry in page["results"]]
        EntryFactory.create()  # what comes in meanwhile moves nothing
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == expected


def test_a_full_last_page_has_no_next(api: Caller) -> None:
    EntryFactory.create_batch(3)
    assert ok(api.get("entries", limit=3))["next_cursor"] is None
    assert ok(api.get("entries", limit=2))["next_cursor"] is not None


@pytest.mark.parametrize("status", list(EntryStatus))
def test_by_status(api: Caller, status: EntryStatus) -> None:
    made = {s: EntryFactory.create(**{s: True} if s != "pending" else {}).id for s in EntryStatus}
    assert ids(api, status=status.value) == [made[status]]


def test_by_everything_else(api: Caller) -> None:
    feed = SourceFactory.create(slug="feed")
    mine = EntryFactory.create(
        failed=True,
        source=feed,
        kind="webhook",
        payload={"endpoint": "crm"},
        fingerprint="1-a",
        error_class="X",
        failed_at=NOON,
    ).id
    EntryFactory.create(failed=True, source=SourceFactory.create(), failed_at=NOON - timedelta(1))
    EntryFactory.create()
    for query in (
        {"kind": "webhook"},
        {"source": "feed"},
        {"upstream": "crm"},
        {"kind": "webhook", "upstream": "crm"},
        {"fingerprint": "1-a"},
        {"error_class": "X"},
        {"failed_after": "2026-01-31T12:00:00Z"},
        {"failed_after": "2026-01-31T14:00:00+02:00", "failed_before": "2026-01-31T12:00:00.001Z"},
        {"received_within": "1h", "kind": "webhook"},
        {
            "received_after": "2026-01-31T12:00:00Z",
            "kind": "webhook",
            "received_before": "2100-01-01T00:00:00Z",
        },
        {"q": "webhook", "kind": "webhook", "source": "feed"} | {"q": "HTTP 503"},
    ):
        assert ids(api, **query) == [mine], query
    assert ids(api, received_before="2026-01-31T12:00:00Z") == []
    assert ids(api, failed_after="2026-01-31T12:00:00.001Z") == []
    assert mine not in ids(api, failed_before="2026-01-31T12:00:00Z")
    service.retry_entry(mine, actor=Actor.command("ops"), reason="INC-42")
    assert ids(api, q="reason:inc-42") == [mine]
    assert ids(api, q="reason:INC-43") == []


def test_by_what_is_in_the_payload(api: Caller) -> None:
    number = EntryFactory.create(payload={"customer": 17, "lines": [{"sku": "a-1"}]}).id
    text = EntryFactory.create(payload={"customer": "17", "lines": [], "paid": None}).id
    truth = EntryFactory.create(payload={"customer": True, "order.no": "17"}).id
    for query, found in (
        ({"payload.customer": "17"}, [text, number]),
        ({"payload.customer": "17.0"}, [number]),
        ({"payload.customer": '"17"'}, [text]),
        ({"payload.customer": "[17]"}, [number]),
        ({"payload.customer": '[17, "17", true]'}, [truth, text, number]),
        ({"payload.customer": "true"}, [truth]),
        ({"payload.paid": "null"}, [text]),
        ({"payload.order.no": "17"}, [truth]),
        ({"payload.lines.0.sku": "a-1"}, [number]),
        ({"payload.lines.1.sku": "a-1"}, []),
        ({"payload.lines": "[]x"}, []),
        ({"payload.customer": "17", "payload.lines.0.sku": "a-1"}, [number]),
        ({"payload.customer": "17", "q": f"#{text}"}, [text]),
    ):
        assert ids(api, **query) == found, query


@pytest.mark.parametrize(
    ("query", "code", "known"),
    [
        ({"source": "unknown"}, "unknown_source", "feed"),
        ({"kind": "pag"}, "unknown_kind", "page"),
    ],
)
def test_a_misspelt_name_is_no_empty_answer(
    query: dict[str, str], code: str, known: str, api: Caller
) -> None:
    SourceFactory.create(slug="feed")
    said = problem(api.get("entries", **query), 422, code)
    assert known in said["known"]
    assert known in said["detail"]


def test_a_kind_that_is_not_installed_any_more_is_one_that_has_entries(api: Caller) -> None:
    old = EntryFactory.create(kind="retired")
    assert ids(api, kind="retired") == [old.pk]


def test_times_as_far_as_they_go(api: Caller) -> None:
    EntryFactory.create(failed=True)
    assert len(ids(api, failed_after="0001-01-01T00:00:00+14:00")) == 1
    assert ids(api, failed_after="9999-12-31T23:59:59-14:00") == []


class TestSearch:
    def test_looks_at_title_external_id_and_message_whatever_the_case(self, api: Caller) -> None:
        title = EntryFactory.create(title="Der Große Brand").id
        outside = EntryFactory.create(external_id="urn:BRAND:7").id
        message = EntryFactory.create(failed=True, error_message="brand new error").id
        EntryFactory.create()
        assert ids(api, q="brand") == [message, outside, title]
        assert ids(api, q="GROSSE") == []
        assert ids(api, q="große") == [title]

    @pytest.mark.parametrize("letters", ["%", "_", "\\", "'", '"', "%%", "\\%", "--", ";", "🜚"])
    def test_every_letter_means_itself(self, api: Caller, letters: str) -> None:
        found = EntryFactory.create(title=f"before{letters}after").id
        EntryFactory.create(title="beforexafter", external_id="x")
        assert ids(api, q=letters) == [found]
        assert ids(api, q=f"before{letters}after") == [found]

    @pytest.mark.django_db(transaction=True)
    def test_one_that_takes_too_long_is_stopped(
        self, api: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "WINDOW_SECONDS", 0.1)
        with psycopg.connect(child_environment()["DATABASE_URL"]) as other:
            other.execute("LOCK TABLE entries_entry IN ACCESS EXCLUSIVE MODE")
            for query in ({"q": "x"}, {"payload.customer": "17"}):
                answer = problem(api.get("entries", **query), 503, "query_timed_out")
                assert "Narrow the filter by a status, a source" in answer["detail"]
        assert ids(api, q="x") == []
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", {"limit"}),
        ("limit=501", {"limit"}),
        ("limit=1000000000", {"limit"}),
        ("limit=-1", {"limit"}),
        ("limit=1_0", {"limit"}),
        ("limit=", {"limit"}),
        ("limit=%D9%A3", {"limit"}),
        ("status=broken", {"status"}),
        ("status=FAILED", {"status"}),
        ("status=", {"status"}),
        ("kind=&source=&fingerprint=&q=", {"kind", "source", "fingerprint", "q"}),
        ("error_class=", {"error_class"}),
        ("q=a%00b", {"q"}),
        ("kind=%00", {"kind"}),
        ("q=" + "x" * 201, {"q"}),
        ("failed_after=yesterday", {"failed_after"}),
        ("failed_after=2026-01-31", {"failed_after"}),
        ("failed_after=2026-01-31T12:00:00", {"failed_after"}),
        ("failed_after=1769860800", {"failed_after"}),
        ("failed_after=2026-02-30T12:00:00Z", {"failed_after"}),
        ("failed_after=0000-01-01T00:00:00Z", {"failed_after"}),
        ("failed_after=2026-01-31T12:00:00+02:00", {"failed_after"}),  # a plus is a space here
        ("failed_before=2026-01-31T12:00:00.1.1Z", {"failed_before"}),
        ("page=2", {"page"}),
        ("Status=failed", {"Status"}),
        ("status=failed&status=queued", {"status"}),
        ("limit=1&limit=1", {"limit"}),
        ("payload=customer%3D17", {"payload"}),
        ("payload.=17", {"payload."}),
        ("payload.a..b=17", {"payload.a..b"}),
        ("payload.a=", {"payload.a"}),
        ("payload.a=%00", {"payload.a"}),
        ("payload.a%00=1", {"payload.a\x00"}),
        ("payload.a=%7B%7D", {"payload.a"}),
        ("payload.a=" + "x" * 501, {"payload.a"}),
        ("payload.a=1&payload.a=1", {"payload.a"}),
        ("payload." + "x" * 201 + "=1", {("payload." + "x" * 201)[:200]}),
        ("payload.a=&payload.b..=1&status=odd", {"payload.a", "payload.b..", "status"}),
        ("&".join(f"payload.p{n}=1" for n in range(6)), {"payload"}),
        ("%00=1", {"\x00"}),
        ("limit=0&cursor=x&color=red", {"limit", "color"}),
        ("cursor=", {"cursor"}),
        ("cursor=" + "9" * 3000, {"cursor"}),
        ("ids=1,x", {"ids"}),
        ("ids=", {"ids"}),
        ("ids=" + ",".join(map(str, range(1, 502))), {"ids"}),
        ("external_id=", {"external_id"}),
        ("updated_after=yesterday", {"updated_after"}),
    ],
)
def test_a_query_that_makes_no_sense(api: Caller, query: str, named: set[str]) -> None:
    assert fields(api.get(f"entries?{query}")).keys() == named


def test_a_time_without_its_zone_is_told_what_is_missing(api: Caller) -> None:
    said = fields(api.get("entries?failed_after=2026-01-31T12:00:00"))["failed_after"]
    assert "time zone" in said
    assert "2026-01-31T12:00:00Z" in said


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "latin-1"])
def test_the_query_is_utf_8_whatever_the_request_says(api: Caller, charset: str) -> None:
    found = EntryFactory.create(title="größer").id
    content_type = f"application/json; charset={charset}"
    answer = api.send("GET", "entries?q=gr%C3%B6%C3%9Fer", content_type=content_type)
    assert [entry["id"] for entry in ok(answer)["results"]] == [found]


def test_bytes_that_are_no_text(api: Caller) -> None:
    EntryFactory.create()
    assert ids(api) != []
    assert ok(api.get("entries?q=%FF%FE"))["results"] == []


def test_thousands_of_parameters(api: Caller) -> None:
    problem(api.get("entries?" + "&".join(f"a{n}=1" for n in range(2000))), 400, "bad_request")


def test_who_may_see_no_entries(powerless: "User") -> None:
    EntryFactory.create()
    problem(Caller(powerless).get("entries"), 403, "permission_denied")
