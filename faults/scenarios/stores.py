"""PostgreSQL and Redis are down, read-only, silent, empty, or full of garbage."""

import time

import psycopg

from entries.models import Entry
from faults import work
from faults.proxy import ClaimLossProxy
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Stage, wait_until


def read_only(stage: Stage) -> Outcome:
    """As in a failover, every write is refused for longer than a lease."""
    ids = work.push("one", [{"seconds": 0.05} for _ in range(600 if stage.long else 200)])
    stage.start_crew(default=0)
    wait_until(lambda: Entry.objects.filter(status="succeeded").count() > 20, seconds=60)
    _alter(stage, "ALTER SYSTEM SET default_transaction_read_only = on")
    time.sleep(25 if stage.long else 14)
    _alter(stage, "ALTER SYSTEM RESET default_transaction_read_only")
    outcome = Outcome(recovered=wait_until(lambda: work.is_at_rest(ids), seconds=180))
    outcome.expect(work.count_lost_attempts(ids) == 0, "an attempt was lost")
    return outcome


def restart_postgresql(stage: Stage) -> Outcome:
    ids = work.push("one", [{"seconds": 0.02} for _ in range(2_000 if stage.long else 400)])
    stage.start_crew(default=0)
    for _ in range(3):
        wait_until(lambda: Entry.objects.filter(status="running").exists(), seconds=60)
        stage.postgres.restart()
        work.reconnect()
    return Outcome(recovered=wait_until(lambda: work.is_at_rest(ids), seconds=180))


def lose_answers(stage: Stage) -> Outcome:
    """The answers to ten claims in a row are lost; no entry fails for that."""
    with ClaimLossProxy(stage.postgres.url, count=10) as proxy:
        ids = work.push("one", [{} for _ in range(100)])
        stage.start("dispatcher")
        stage.start("worker", "bulk", DATABASE_URL=proxy.url)
        outcome = Outcome(recovered=wait_until(lambda: work.is_at_rest(ids), seconds=240))
        outcome.expect(proxy.lost > 0, "the proxy lost nothing")
    outcome.expect(
        work.count_status("succeeded") == 100, f"{work.count_status('succeeded')} of 100 succeeded"
    )
    return outcome


def empty_redis(stage: Stage) -> Outcome:
    """FLUSHALL in the middle; the status must still name the workers."""
    from retry import queue, status

    ids = work.push("one", [{"seconds": 0.02} for _ in range(1_500 if stage.long else 400)])
    stage.start_crew(default=1)
    wait_until(lambda: Entry.objects.filter(status="succeeded").count() > 20, seconds=60)
    queue.get_client().flushall()
    outcome = Outcome()
    time.sleep(1)
    idle = status.read(counting=False).idle_queues
    outcome.expect(not {"default", "bulk"} & set(idle), f"the status finds no worker for {idle}")
    outcome.recovered = wait_until(lambda: work.is_at_rest(ids), seconds=120)
    return outcome


def fill_redis_with_garbage(stage: Stage) -> Outcome:
    """Redis holds bytes that are not UTF-8 in lists, registries and hashes, and wrong types."""
    from retry import queue, status

    client = queue.get_client()
    for name in ("default", "bulk", "sync"):
        client.rpush(f"rq:queue:redrive-{name}", b"\xff\xfe\x00", b"no-such-job")
        client.zadd(f"rq:wip:{name}", {b"\xff:\xfe": time.time() + 1e6})
    client.sadd("rq:workers", b"rq:worker:\xff", "rq:worker:odd")
    client.hset("rq:worker:odd", mapping={"birth": "never", "pid": "x", "last_heartbeat": b"\xff"})
    client.set("rq:worker:text", "x")
    client.sadd("rq:workers", "rq:worker:text")
    ids = work.push("one", [{} for _ in range(200)])
    crew = stage.start_crew(default=1)
    outcome = Outcome(recovered=wait_until(lambda: work.is_at_rest(ids), seconds=60))
    status.read()
    outcome.expect(all(process.running for process in crew), "a process ended")
    return outcome


def _alter(stage: Stage, statement: str) -> None:
    with psycopg.connect(stage.postgres.url, autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(statement)
        admin.execute("SELECT pg_reload_conf()")


SCENARIOS = (
    Scenario("read_only", "PostgreSQL is read-only for longer than a lease", read_only),
    Scenario("restarts", "PostgreSQL is restarted three times", restart_postgresql),
    Scenario("lost_answers", "answers to claims are lost", lose_answers),
    Scenario("flushall", "Redis loses everything (FLUSHALL)", empty_redis),
    Scenario("garbage", "Redis is full of garbage", fill_redis_with_garbage),
)
