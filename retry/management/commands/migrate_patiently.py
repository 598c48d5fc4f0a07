"""``manage.py migrate_patiently``: migrate, again and again where a table is in use."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from retry.management.command import DeskCommand
from retry.outages import Outage, classify_outage

#: Whose transaction is the oldest, by its process and how long it has lasted.
_OLDEST = """
SELECT pid, application_name, extract(epoch FROM clock_timestamp() - xact_start)::int
FROM pg_stat_activity
WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
ORDER BY xact_start LIMIT 1
"""


class Command(DeskCommand):
    help = (
        "Run migrate, and try again where a table is in use: that ends migrate after two seconds, "
        "so that no page waits for it. What was done stays done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=10.0, help="how long to keep trying")
        parser.add_argument("--pause", type=float, default=5.0, help="seconds before the next try")

    def handle(self, *args: Any, **given: Any) -> None:
        deadline = time.monotonic() + given["minutes"] * 60
        while not _migrate(given["verbosity"]):
            if time.monotonic() + given["pause"] > deadline:
                raise CommandError(
                    f"A table stayed in use{_describe_oldest()}. Run it again later."
                )
            self.stderr.write(
                f"A table is in use{_describe_oldest()}. Trying again in {given['pause']:g} s."
            )
            time.sleep(given["pause"])


def _migrate(verbosity: int) -> bool:
    """Tell whether every lock was granted in time."""
    try:
        call_command("migrate", interactive=False, verbosity=verbosity)
    except OperationalError as error:
        if classify_outage(error) is not Outage.BUSY:
            raise
        return False
    return True


def _describe_oldest() -> str:
    connection.close()  # its transaction may have failed
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        row = cursor.fetchone()
    if row is None:
        return ""
    pid, name, seconds = row
    return (
        f"; the oldest transaction, of process {pid} ({name or 'no name'}), began {seconds} s ago"
    )
