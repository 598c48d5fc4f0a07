"""Judges the desk: its tables, and the processes that should run."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from entries.key_rotation import find_plain_secrets
from retry.management.doctor.diagnosis import Diagnosis, fail, ok, warn
from retry.models import Subscription
from retry.status import Status


def judge_migrations() -> Iterator[Diagnosis]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        first = plan[0][0]
        text = (
            f"{len(plan)} migrations are not applied, the first is {first.app_label}.{first.name}."
        )
        yield fail("migrations", text, "Run manage.py migrate.")
    else:
        yield ok("migrations", "All migrations are applied.")


def judge_processes(status: Status) -> Iterator[Diagnosis]:
    if status.dispatcher_alive:
        yield ok("dispatcher", "The dispatcher is at work.")
    else:
        text = "The dispatcher is silent." if status.heartbeat else "No dispatcher has ever run."
        yield fail("dispatcher", text, "Start one: manage.py dispatcher.")
    for name in status.idle_queues:
        yield fail(
            f"workers.{name}", f"The queue {name} has no worker.", f"Start one: {_start(name)}."
        )
    for name in settings.REDRIVE_QUEUES:
        if found := status.find_workers(name):
            yield ok(f"workers.{name}", f"The queue {name} has {len(found)} workers.")
    for worker in status.silent_workers:
        yield warn(
            "workers.silent",
            f"{worker.name} on {worker.host} (process {worker.pid}) has been silent for "
            f"{worker.silence.total_seconds():.0f} s.",
            "Look at the process: continue it, or end it and start another.",
        )
    for name, wait in status.overdue.items():
        yield warn(
            "waits",
            f"Work in the queue {name} has waited for {wait.total_seconds():.0f} s.",
            f"Start more workers: {_start(name)}. If one is free, read its log.",
        )


def judge_notices() -> Iterator[Diagnosis]:
    if Subscription.objects.filter(active=True).exists() and not settings.REDRIVE_SITE_URL:
        yield warn(
            "notices",
            "Notices are sent without links.",
            "Set REDRIVE_SITE_URL to the address under which people open the site.",
        )


def judge_secrets() -> Iterator[Diagnosis]:
    plain = find_plain_secrets()
    if plain:
        names = ", ".join(plain[:5]) + (f" and {len(plain) - 5} more" if len(plain) > 5 else "")
        yield fail(
            "secrets",
            f"Secrets of endpoints are stored as plain text: {names}.",
            "Run manage.py encrypt_secrets, once all processes are of this version.",
        )
    else:
        yield ok("secrets", "All secrets of endpoints are encrypted.")


def _start(queue: str) -> str:
    return f"manage.py worker {queue}"
