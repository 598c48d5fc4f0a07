"""The demo's parts that need no servers."""

import configparser
import socket
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import feedparser
import pytest
from rich.console import Console

from tools.demo import documents, welcome
from tools.demo.behaviour import Behaviour, behaviour, tally
from tools.demo.options import DemoError, Options, check_ports, django_environment, load_secret
from tools.demo.output import Follower, LogFile
from tools.demo.supervision import configuration, programs


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(port=8000, entries=500, data=tmp_path / "some data 100%")


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=80)


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_promised_numbers_of_pages_fail() -> None:
    assert tally(500, broken=True) == {
        Behaviour.FAILS: 150,
        Behaviour.HANGS: 10,
        Behaviour.GONE: 25,
        Behaviour.WORKS: 315,
    }
    repaired = tally(500, broken=False)
    assert (repaired[Behaviour.GONE], repaired[Behaviour.WORKS]) == (25, 475)


def test_failures_are_spread_evenly() -> None:
    for first in range(1, 480):
        bad = [n for n in range(first, first + 20) if behaviour(n, broken=True) != "works"]
        assert 5 <= len(bad) <= 9


def test_the_feed_is_one() -> None:
    found = feedparser.parse(documents.feed(30, base="http://127.0.0.1:8001"))
    assert not found.bozo
    assert len({entry.id for entry in found.entries}) == 30
    newest = found.entries[0]
    assert (newest.title, newest.link) == ("Page 030", "http://127.0.0.1:8001/pages/30")
    assert newest.updated == found.feed.updated


def test_options_have_defaults() -> None:
    found = Options.from_environment({"PORT": "", "DATA_DIR": ""})
    assert found == Options(port=8000, entries=500, data=Path(".data").resolve())
    assert found.upstream == "http://127.0.0.1:8001"


@pytest.mark.parametrize("port", ["0", "65535", "-1", "80a", "²"])
def test_a_senseless_port_is_named(port: str) -> None:
    with pytest.raises(DemoError, match=f"PORT={port}"):
        Options.from_environment({"PORT": port})


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("offset", [0, -1])
def test_a_taken_port_is_named(taken: int, offset: int, tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=f"Port {taken} is taken"):
        check_ports(Options(port=taken + offset, entries=1, data=tmp_path))


def test_the_secret_is_kept_and_closed(options: Options) -> None:
    first = load_secret(options.data / "secret_key")
    assert len(first) >= 50
    assert load_secret(options.data / "secret_key") == first
    assert stat.S_IMODE((options.data / "secret_key").stat().st_mode) == 0o600


def test_what_is_set_already_wins_but_for_what_makes_it_a_demo(options: Options) -> None:
    given = {"REDRIVE_PAGE_TIME_LIMIT": "9", "REDRIVE_ENV": "production", "NO_PROXY": "example.com"}
    env = django_environment(options, given)
    assert env["REDRIVE_PAGE_TIME_LIMIT"] == "9"
    assert env["REDRIVE_ENV"] == "demo"
    assert env["REDRIVE_APPROVAL_ABOVE"] == "400", "of 500 pages: nothing less awaits approval"
    assert env["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_supervisord_gets_every_process_and_stops_them_at_once(options: Options) -> None:
    found = configparser.RawConfigParser()
    found.read_string(configuration(options))
    assert found["group:redrive"]["programs"].split(",") == list(programs(options))
    for name in programs(options):
        assert found[f"program:{name}"]["killasgroup"] == "true"
    upstream = found["program:upstream"]
    assert f"'{options.data}/upstream.json'".replace("%", "%%") in upstream["command"]
    assert upstream["stdout_logfile"].endswith("some data 100%%/logs/upstream.log")


def test_queues_have_workers_for_the_cores_within_bounds(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cores, bulk, default in ((1, 2, 1), (4, 4, 2), (64, 8, 2)):
        monkeypatch.setattr(
            "os.sched_getaffinity", lambda _pid, cores=cores: set(range(cores)), raising=False
        )
        assert options.workers == {"default": default, "bulk": bulk, "sync": 1}
        assert programs(options)["worker-bulk"][-2:] == ["--processes", str(bulk)]


def test_a_log_file_gives_what_is_added_in_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("old\n")
    log = LogFile(path)
    with path.open("a") as writer:
        writer.write("one\ntw")
        writer.flush()
        assert list(log.new_lines()) == ["one"]
        writer.write("o\n")
    assert list(log.new_lines()) == ["two"]
    path.rename(tmp_path / "web.log.1")
    assert list(log.new_lines()) == []
    path.write_text("three\n")
    assert list(log.new_lines()) == ["three"]
    log.close()


def test_lines_carry_the_name_of_their_process(tmp_path: Path, console: Console) -> None:
    with Follower(tmp_path, ["web", "dispatcher"], console) as follower:
        follower.start()
        (tmp_path / "web.log").write_text("[ready] " + "x" * 100 + "\n")
    assert printed(console) == "       web │ [ready] " + "x" * 100 + "\n"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "2026-11-23T21:54:56Z [info     ] entry.finished  [retry.worker.execution] entry_id=1",
            False,
        ),
        ("2026-11-23T21:54:56Z [info     ] bulk: Job OK (run-1) [rq.worker]", False),
        ("2026-11-23T21:54:56Z [warning  ] work-horse died [rq.worker]", True),
        ("2026-11-23T21:54:56Z [info     ] run.ended  [retry.worker.execution] run_id=1", True),
        ("2026-11-23 21:54:56,1 WARN exited: web (terminated by SIGKILL; not expected)", True),
    ],
)
def test_what_comes_once_for_each_entry_is_left_to_the_files(
    tmp_path: Path, console: Console, *, line: str, shown: bool
) -> None:
    with Follower(tmp_path, ["web"], console) as follower:
        follower.start()
        (tmp_path / "web.log").write_text(f"{line}\n")
    assert bool(printed(console)) is shown


def test_the_welcome_can_be_copied_from(options: Options, console: Console) -> None:
    welcome.show(options, console, entry_id=42)
    lines = [line.strip() for line in printed(console).splitlines()]
    assert "curl -X POST http://127.0.0.1:8001/repair" in lines
    (retry,) = (line for line in lines if "/admin/api/retry" in line)
    assert '"entry_id": 42' in retry
    assert f"$(cat '{options.token_file}')" in retry
    assert any("http://127.0.0.1:8000/admin/" in line for line in lines)
    assert any("admin / admin" in line and "anna / anna" in line for line in lines)
