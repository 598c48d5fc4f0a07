"""Tasks for tests, as an application writes them. On Django 5.2 they come from django-tasks."""

import asyncio
import os
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group

from retry.tasks import automatic_retries
from retry.tasks.origin import ROOT

#: Not typed: one of two libraries.
task: Any = import_module(ROOT).task


class CardDeclined(Exception):
    pass


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task()
async def double(number: int) -> int:
    """Asks the database on its way, as async code does."""
    await asyncio.sleep(0)
    groups = await Group.objects.acount()
    return 2 * number + groups


@task
async def sleep_for_ever() -> None:
    await asyncio.sleep(3600)


@task(takes_context=True)
def tell(context: Any, *, word: str) -> dict[str, Any]:
    result = context.task_result
    return {
        "word": word,
        "id": result.id,
        "attempt": context.attempt,
        "errors": [error.exception_class_path for error in result.errors],
    }


@task
def charge(file: str) -> str:
    """Declined unless the file is there."""
    if not Path(file).exists():
        raise CardDeclined("the card was declined")
    return Path(file).read_text()


@task
@automatic_retries(1, first_delay=0.0, on=(CardDeclined,))
def charge_again(file: str) -> str:
    return str(charge.func(file))


@automatic_retries(1, first_delay=0.0)
@task(queue_name="mail", priority=10)
def fail() -> None:
    raise ValueError(ValueError("it broke"))


@task
def leave() -> None:
    raise SystemExit(3)


@task
def return_moment() -> Any:
    return datetime.now(UTC)


@task
def return_much() -> str:
    return "x" * 100_000


@task
def write(file: str, word: str) -> None:
    """Append a word and the process."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{word} {os.getpid()}\n".encode())
    os.close(descriptor)


def plain(file: str) -> None:
    """No task: must never be called."""
    Path(file).write_text("called")
