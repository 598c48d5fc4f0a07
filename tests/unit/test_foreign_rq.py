"""What raw data of RQ says of a job: its function, its error, and where it may be read from."""

import base64
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from entries.foreign_rq import find_address_problem
from entries.foreign_rq.calls import find_function
from entries.foreign_rq.failures import describe_failure, read_text

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/lib/python3.12/site-packages/rq/worker.py", line 1430, in perform_job
    rv = job.perform()
  File "/srv/shop/orders/jobs.py", line 12, in charge
    raise CardDeclined(f"order {number} was declined")
  File "/srv/shop/lib/python3.12/site-packages/cards/api.py", line 3, in pay
    raise errors
shop.errors.CardDeclined: order 17 was declined
password=hunter2 in the second line
"""


class Bomb:
    """Executes a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_function_is_read_from_every_pickle(protocol: int) -> None:
    call = ("shop.jobs.charge", None, (17,), {"card": "4242"})
    data = zlib.compress(pickle.dumps(call, protocol))
    assert find_function(data, "something(else)") == "shop.jobs.charge"


def test_the_function_is_read_from_json() -> None:
    data = zlib.compress(json.dumps(["shop.jobs.charge", None, [1] * 100_000, {}]).encode())
    assert find_function(data, "") == "shop.jobs.charge"


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_malicious_pickle_executes_nothing(tmp_path: Path, *, wrapped: bool) -> None:
    touched, bomb = tmp_path / "executed", Bomb(tmp_path / "executed")
    value: object = (bomb, None, (), {}) if wrapped else bomb
    data = pickle.dumps(value)
    for packed in (data, zlib.compress(data)):
        assert find_function(packed, "shop.jobs.charge(17)") == "shop.jobs.charge"
    assert not touched.exists()
    pickle.loads(data)  # noqa: S301 - it is one
    assert touched.exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"\x80", b"[", b"[1]", zlib.compress(b"\0" * 50_000_000), b"(X\xff\xff\xff\x7fabc"],
)
def test_anything_else_is_no_function(data: bytes) -> None:
    assert find_function(data, "rm -rf (x)") == ""


def test_the_error_is_read_from_the_traceback() -> None:
    found = describe_failure(TRACEBACK)
    assert found.error_class == "CardDeclined"
    assert found.message == "order 17 was declined\npassword=*** in the second line"
    assert "hunter2" not in found.traceback
    assert "orders/jobs.py" in found.traceback
    alike = TRACEBACK.replace("order 17", "order 18").replace("line 12", "line 13")
    assert describe_failure(alike).fingerprint == found.fingerprint
    other = TRACEBACK.replace("in charge", "in refund")
    assert describe_failure(other).fingerprint != found.fingerprint


@pytest.mark.parametrize(
    ("text", "error_class", "message"),
    [
        (f"{TRACEBACK}\nDuring …\n\n{TRACEBACK.replace('CardDeclined:', 'Other:')}", "Other", None),
        ("Traceback (most recent call last):\n  File 'x'\nKeyError\n", "KeyError", ""),
        ("Traceback (most recent call last):\n", "UnknownError", ""),
        ("Work-horse terminated unexpectedly; waitpid returned 9", "WorkHorseTerminated", None),
        ("Moved to FailedJobRegistry, due to AbandonedJobError, at now", "AbandonedJobError", None),
        ("", "UnknownError", ""),
    ],
)
def test_other_words_of_rq(text: str, error_class: str, message: str | None) -> None:
    found = describe_failure(text)
    assert found.error_class == error_class
    assert message is None or found.message == message
    assert found.fingerprint


def test_texts_are_unpacked_from_what_rq_made_of_them() -> None:
    packed = zlib.compress(TRACEBACK.encode())
    for kept in (packed, base64.b64encode(packed), TRACEBACK.encode()):
        assert read_text(kept) == TRACEBACK
    assert len(read_text(zlib.compress(b"x" * 50_000_000))) <= 1_000_000
    assert read_text(b"\xff\xfe") == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://:hunter2@rq.example:6380/3", ""),
        ("rediss://user:hunter2@rq.example:6380", ""),
        ("unix:///run/redis.sock?db=2", ""),
        ("redis://:hunter2@other.example:6380/0", "other.example:6380 may not be connected to"),
        ("redis://rq.example/0", "rq.example:6379 may not be connected to"),
        ("unix:///etc/other.sock", "/etc/other.sock may not be connected to"),
        ("http://rq.example:6380/0", "must be an address such as redis://"),
        ("redis:///0", "must be an address such as redis://"),
        ("redis://rq.example:6380/0?protocol=3", "only the number of the database"),
        ("redis://rq.example:x/0", "is not an address"),
    ],
)
def test_only_named_places_are_read(settings: "Settings", url: str, problem: str) -> None:
    settings.REDRIVE_RQ_HOSTS = ["rq.example:6380", "/run/redis.sock"]
    found = find_address_problem(url)
    assert problem in found
    assert bool(found) == bool(problem)
    assert "hunter2" not in found
