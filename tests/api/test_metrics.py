"""``GET /metrics``: who may scrape, what a scrape has, and what it costs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain
from structlog.contextvars import get_contextvars

from entries.models import Entry
from entries.states import EntryStatus
from retry.access import tokens
from retry.access.tokens import Terms
from retry.dispatcher.loop import Dispatcher
from retry.metrics import gauges
from retry.metrics.gauges import GaugeCache
from retry.models import Operation, OutcomeCount, Run, WorkerHeartbeat
from retry.outcomes import Actor
from retry.runs.lifecycle import claim_run
from retry.runs.rescue import DISPATCHER, take_entries
from retry.service import hold_kind
from retry.worker.claim import Claim
from retry.worker.patience import NONE
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.counts import append, fail, fold, fold_older, succeed
from tests.support.operations import failed, start
from tests.support.processes import redis_at
from tests.support.shops import work

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)
ADMIN = Actor.command("test")
OWN = "a-token-for-metrics-and-nothing-else"


@pytest.fixture(autouse=True)
def _own_token(settings: "Settings", monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.REDRIVE_METRICS_TOKEN = OWN
    monkeypatch.setattr("retry.metrics.collector.GAUGES", GaugeCache())
    return iter(())


def scrape(token: str = OWN, **given: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().get("/metrics", headers=headers | given.pop("headers", {}), **given)


def read(**given: Any) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by the name of the sample, and by the values of its labels in their order."""
    answer = scrape(**given)
    assert answer.status_code == 200, answer.content
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in parse_plain(answer.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def make_token(user: "User", **terms: Any) -> str:
    return tokens.create(user, name="scraper", actor=ADMIN, terms=Terms(**terms))


# --- who ------------------------------------------------------------------------------------------


def test_without_a_token_nobody_scrapes(settings: "Settings") -> None:
    assert scrape("").status_code == 401
    assert scrape("wrong").status_code == 401
    settings.REDRIVE_METRICS_TOKEN = ""
    assert scrape("").status_code == scrape(OWN).status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_a_session_does_not_count(chief: "User") -> None:
    client = Client()
    client.force_login(chief)
    assert client.get("/metrics").status_code == 401


def test_a_token_needs_the_permission_and_the_scope(reader: "User") -> None:
    assert scrape(make_token(reader)).status_code == 403
    allowed = grant(reader, "retry.view_metrics")
    assert scrape(make_token(allowed)).status_code == 200
    assert scrape(make_token(allowed, scopes=frozenset({"read"}))).status_code == 403
    narrow = make_token(allowed, scopes=frozenset({"metrics"}))
    assert scrape(narrow).status_code == 200
    api = Client().get("/admin/api/entries", headers={"Authorization": f"Bearer {narrow}"})
    assert api.status_code == 403, "the scope opens nothing else"
    assert scrape(narrow).status_code == 200
    assert "token_id" not in get_contextvars(), "the thread's next request is somebody else's"


def test_numbers_of_all_sources_are_for_those_who_see_all_of_them(reader: "User") -> None:
    user = grant(reader, "retry.view_metrics")
    source = SourceFactory.create()
    assert scrape(make_token(user, source_ids=frozenset({source.pk}))).status_code == 403
    token = make_token(user)
    group = UserFactory.create().groups.create(name="others")
    source.groups.add(group)
    refused = scrape(token)
    assert refused.status_code == 403
    assert b"all sources" in refused.content
    user.groups.add(group)
    assert scrape(token).status_code == 200


def test_only_its_own_token_may_be_sent_in_the_open(settings: "Settings", chief: "User") -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = []
    token = make_token(chief)
    assert scrape(headers={"Host": "10.0.0.7:8000"}).status_code == 200
    refused = scrape(token)
    assert (refused.status_code, b"https_required" in refused.content) == (403, True)
    assert scrape(token, secure=True).status_code == 200


def test_only_reading() -> None:
    headers = {"Authorization": f"Bearer {OWN}"}
    assert Client().head("/metrics", headers=headers).status_code == 200
    assert Client().post("/metrics", headers=headers).status_code == 405


# --- what -----------------------------------------------------------------------------------------


def test_the_format_is_the_one_asked_for() -> None:
    append(succeed())
    fold()
    plain = scrape()
    assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3"
    opened = scrape(headers={"Accept": accept})
    assert opened.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    parsed: Any = parse_open  # has no types
    names = {family.name for family in parsed(opened.content.decode())}
    assert {"redrive_attempts", "redrive_entries"} <= names
    odd = scrape(headers={"Accept": "application/openmetrics-text; version=one"})
    assert odd.status_code == 200


def test_entries_by_status_and_what_else_stands() -> None:
    EntryFactory.create_batch(2, succeeded=True)
    failed(3)
    start()
    hold_kind("page", actor=SCRIPT, reason="down")
    found = read()
    assert found["redrive_entries"] == {
        (status.value,): float(Entry.objects.filter(status=status).count())
        for status in EntryStatus
    }
    assert found["redrive_operations"][Operation.objects.get().state,] == 1
    assert sum(found["redrive_operations"].values()) == 1
    assert found["redrive_holds"] == {("person",): 1, ("breaker",): 0}
    assert found["redrive_error_groups"]["open",] == 0
    assert found["redrive_redis_up"] == {(): 1}
    assert found["redrive_outage_open"] == {(): 0}


def test_attempts_and_how_long_they_took() -> None:
    queued_entries(3, nap=0.03)
    queued_entries(2, do="permanent")
    work()
    fold()
    found = read()
    assert found["redrive_attempts_total"] == {
        ("scripted", "succeeded"): 3,
        ("scripted", "failed"): 2,
    }
    buckets = found["redrive_attempt_duration_seconds_bucket"]
    assert buckets["scripted", "0.025", "succeeded"] == 0
    assert buckets["scripted", "+Inf", "succeeded"] == 3
    assert buckets["scripted", "+Inf", "failed"] == 2
    assert 0.09 <= found["redrive_attempt_duration_seconds_sum"]["scripted", "succeeded"] < 30
    steps = [count for (_, _, outcome), count in buckets.items() if outcome == "succeeded"]
    assert steps == sorted(steps)


def test_counters_never_fall() -> None:
    """Counts are folded, pruned and read by several processes; the totals only grow."""
    seen: list[float] = []

    def look() -> None:
        total = read()["redrive_attempts_total"]
        seen.append(total["scripted", "succeeded"] + total["scripted", "failed"])

    for _ in range(3):
        append(succeed(), fail("it broke"), fail("it broke"))
        fold()
        look()
    OutcomeCount.objects.update(at=F("at") - timedelta(days=3_000))
    for _ in range(3):
        fold_older()
    assert not OutcomeCount.objects.exists()
    look()
    assert seen == [3, 6, 9, 9]


def test_a_counter_is_as_young_as_the_last_fold_also_in_another_process() -> None:
    """An older number than the one before would look like a restart."""
    read()
    append(succeed())
    fold()
    assert read()["redrive_attempts_total"]["scripted", "succeeded"] == 1


def test_what_workers_lose_is_counted_as_rescues() -> None:
    ids = queued_entries(2)
    run = claim_run(Run.objects.get().pk, worker="w")
    assert run is not None
    Claim(run, worker="w", patience=NONE).take(ids)
    take_entries(run, cause="worker w was killed", began=True, actor=DISPATCHER)
    fold()
    found = read()
    assert found["redrive_rescues_total"] == {("scripted",): 2}
    assert set(found["redrive_attempts_total"].values()) == {0}
    assert not OutcomeCount.objects.exists(), "lost attempts are no outcomes"


def test_what_waits_and_who_works() -> None:
    queued_entries(1)
    Run.objects.update(dispatched_at=None, dispatches=0, created_at="2026-01-01T00:00Z")
    WorkerHeartbeat.objects.create(
        name="w", queue="default", host="h", pid=1, state="idle",
        started_at="2026-01-01T00:00Z", beat_at="2026-01-01T00:00Z",
    )  # fmt: skip
    found = read()
    assert found["redrive_undispatched_runs"] == {(): 1}
    assert found["redrive_handover_lag_seconds"][()] > 60
    assert found["redrive_queue_wait_seconds"]["default",] > 60
    assert found["redrive_queue_wait_seconds"]["bulk",] == 0
    assert found["redrive_workers"]["default", "silent"] == 1
    assert found["redrive_workers"]["default", "idle"] == 0
    assert "redrive_dispatcher_beat_age_seconds" not in found, "none has ever run"


def test_the_dispatcher_says_how_long_a_round_took() -> None:
    Dispatcher().tick()
    found = read()
    assert 0 < found["redrive_dispatcher_tick_seconds"][()] < 60
    assert 0 <= found["redrive_dispatcher_beat_age_seconds"][()] < 60
    assert found["redrive_dispatcher_broken_steps"] == {(): 0}


def test_without_redis_the_rest_is_told() -> None:
    with redis_at("unix:///nowhere/redis.sock"):
        found = read()
    assert found["redrive_redis_up"] == {(): 0}
    assert "redrive_queue_jobs" not in found
    assert found["redrive_entries"]


def test_many_scrapers_cost_one() -> None:
    with CaptureQueriesContext(connection) as first:
        read()
    with CaptureQueriesContext(connection) as second:
        read()
    statements = [sql for query in first if "retry_" in (sql := query["sql"])]
    assert len(statements) == 2, "the totals and the gauges"
    assert len(second) == 1, "the totals"


def test_entries_are_counted_whatever_the_statistics_say() -> None:
    EntryFactory.create_batch(30, failed=True)
    EntryFactory.create_batch(3, queued=True)
    found = read()["redrive_entries"]
    assert (found["failed",], found["queued",], found["succeeded",]) == (30, 3, 0)


def test_a_database_that_is_away_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off() -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(gauges, "read_gauges", break_off)
    answer = scrape()
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
