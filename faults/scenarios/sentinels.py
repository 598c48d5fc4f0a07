"""Redis with Sentinel: its master is lost, and a replica takes over."""

import signal
import time
from pathlib import Path

from django.conf import settings
from redis import Redis

from entries.models import Entry
from faults import work
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Process, Stage, find_ports, wait_until
from tools.embedded.redis import find_redis

_HOST = "127.0.0.1"
_SENTINEL = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor desk 127.0.0.1 {master} 2
sentinel down-after-milliseconds desk 1000
sentinel failover-timeout desk 5000
"""


def lose_master(stage: Stage) -> Outcome:
    """SIGKILL to the master in the middle of a bulk, and to the next when the first is back."""
    first, second, *ports = find_ports(5)
    servers = {first: _start_redis(stage, first)}
    servers[second] = _start_redis(stage, second, replica_of=first)
    wait_until(lambda: _ask(second, "master_link_status") == "up", seconds=30)
    for port in ports:
        _start_sentinel(stage, port, master=first)
    url = f"redis+sentinel://{','.join(f'{_HOST}:{port}' for port in ports)}/desk/0"
    wait_until(lambda: all(_knows_all(port) for port in ports), seconds=30, what="Sentinels agree")
    _use_redis(url)
    size = 1_500 if stage.long else 500
    outcome = Outcome(recovered=0.0, allowed=25.0)
    crew = stage.start_crew(default=1, REDIS_URL=url)
    for master, other in ((first, second), (second, first)):
        ids = work.push("one", [{"seconds": 0.02} for _ in range(size)], prefix=f"port-{master}")
        wait_until(lambda: Entry.objects.filter(pk__in=ids, status="succeeded").count() > 20)  # noqa: B023
        servers[master].send(signal.SIGKILL)
        servers[master].wait()
        began = time.monotonic()
        (clicked,) = work.make_failed("one", [{}], prefix=f"click-{master}")
        work.click(clicked)
        wait_until(lambda: work.is_at_rest([clicked]), seconds=90, what="a click in between")  # noqa: B023
        outcome.recovered = max(outcome.recovered or 0.0, time.monotonic() - began)
        wait_until(lambda: work.is_at_rest(ids), seconds=180)  # noqa: B023
        servers[master] = _start_redis(stage, master, replica_of=other)
        wait_until(lambda: _ask(master, "master_link_status") == "up", seconds=60)  # noqa: B023
        wait_until(lambda: _ask(other, "connected_slaves") == 1, seconds=60)  # noqa: B023
        wait_until(lambda: all(_knows_all(port) for port in ports), seconds=60)
    outcome.expect(all(process.running for process in crew), "a process ended")
    outcome.expect(work.count_status("succeeded") == 2 * size + 2, "not all succeeded")
    return outcome


def _start_redis(stage: Stage, port: int, *, replica_of: int | None = None) -> Process:
    words = ["--port", str(port), "--bind", _HOST, "--save", "", "--appendonly", "no"]
    if replica_of is not None:
        words += ["--replicaof", f"{_HOST} {replica_of}"]
    folder = stage.folder / f"redis-{port}"
    folder.mkdir(exist_ok=True)
    server = stage.run(str(find_redis()), *words, "--dir", str(folder))
    wait_until(lambda: _ask(port, "role") is not None, seconds=30, what="Redis answers")
    return server


def _start_sentinel(stage: Stage, port: int, *, master: int) -> None:
    folder = stage.folder / f"sentinel-{port}"
    folder.mkdir()
    config = folder / "sentinel.conf"
    config.write_text(_SENTINEL.format(port=port, master=master, folder=folder))
    stage.run(str(find_redis()), str(config), "--sentinel", tree=Path(folder))


def _ask(port: int, name: str) -> object:
    try:
        with Redis(_HOST, port, socket_timeout=2, socket_connect_timeout=2) as client:
            return client.info("replication").get(name)
    except OSError:
        return None


def _knows_all(port: int) -> bool:
    """Tell whether a Sentinel knows a master that works, a replica of it, and the other two."""
    with Redis(_HOST, port, socket_timeout=2) as client:
        found = client.sentinel_masters()["desk"]
    healthy = not (found["is_sdown"] or found["is_odown"])
    return healthy and found["num-slaves"] >= 1 and found["num-other-sentinels"] >= 2


def _use_redis(url: str) -> None:
    """This process, too, hands over to the master that Sentinels name."""
    from retry import queue

    settings.REDIS_URL = url
    queue.get_client.cache_clear()


SCENARIOS = (
    Scenario("failover", "the Redis master of three Sentinels is killed, twice", lose_master),
)
