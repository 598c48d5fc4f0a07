"""One retry through the JSON API, against the floor, in alternating requests."""

import json
import statistics
import time
from collections.abc import Callable

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from bench import stage
from bench.report import Report
from retry import queue

#: The most the service may cost, as a multiple of the floor's median.
AIM = 1.3
#: The floor's median, in milliseconds, on the machine whose goals are in milliseconds.
FLOOR_THERE = 5.4
_FLOOR = "/bench/floor"
_WARM_UP = 50


def main(*, rounds: int) -> Report:
    """Measure ``rounds`` of each, with the order swapped every time."""
    ids = _make_failed_entries(2 * (rounds + _WARM_UP))
    samples: dict[str, list[float]] = {"/admin/api/retry": [], _FLOOR: []}
    with _serve():
        client = log_in()
        for number in range(rounds + _WARM_UP):
            order = list(samples) if number % 2 else list(reversed(samples))
            for address in order:
                taken = _measure(lambda: post(client, address, ids.pop()))  # noqa: B023
                if number >= _WARM_UP:
                    samples[address].append(taken)
    return _report(samples)


def measure_floor(*, rounds: int = 300) -> float:
    """Measure the floor alone, the speed of the machine: the median in milliseconds."""
    ids = _make_failed_entries(rounds + _WARM_UP)
    with _serve():
        client = log_in()
        taken = [_measure(lambda: post(client, _FLOOR, entry_id)) for entry_id in ids]  # noqa: B023
    return statistics.median(taken[_WARM_UP:])


def _serve() -> override_settings:
    # Counted, as in production, and never exceeded.
    return override_settings(
        ROOT_URLCONF="bench.floor", ALLOWED_HOSTS=["testserver"], REDRIVE_API_ADDRESS_RATE=1_000_000
    )


def post(client: Client, address: str, entry_id: int) -> None:
    """Ask for one retry; 202 or ``AssertionError``."""
    response = client.post(
        address,
        json.dumps({"entry_id": entry_id}),
        content_type="application/json",
        headers={"X-CSRFToken": client.cookies["csrftoken"].value},
    )
    assert response.status_code == 202, response.content


def _measure(act: Callable[[], None]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def log_in() -> Client:
    """Log in an operator, who is no superuser, with CSRF checks."""
    user, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="entries"))
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _make_failed_entries(count: int) -> list[int]:
    queue.get_client().flushdb()
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE entries_entry, entries_indexedentry, entries_attempt, retry_run CASCADE"
        )
        cursor.execute(stage.SQL["insert_pages"], {"count": count})
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute("VACUUM ANALYZE entries_entry")
    return ids


def _report(samples: dict[str, list[float]]) -> Report:
    rows = []
    quantiles = {}
    for address, values in samples.items():
        cuts = statistics.quantiles(values, n=20)
        quantiles[address] = (cuts[9], cuts[18])
        rows.append([address, f"{cuts[9]:.2f}", f"{cuts[18]:.2f}", f"{len(values):,}"])
    ours, floor = quantiles["/admin/api/retry"], quantiles[_FLOOR]
    rows.append(["ratio", f"{ours[0] / floor[0]:.2f}", f"{ours[1] / floor[1]:.2f}", ""])
    return Report(
        "One retry through the JSON API",
        ["", "p50 ms", "p95 ms", "requests"],
        rows,
        [
            (
                "The floor: the same authenticated view with one UPDATE and one unique enqueue, no "
                f"attempt, no run, no audit. The goal: at most {AIM} times its median."
            ),
        ],
    )
