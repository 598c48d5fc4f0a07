"""``manage.py dispatcher``: the control loop."""

import argparse
import logging
import signal
import threading
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from retry import wakeup
from retry.dispatcher.loop import Dispatcher
from retry.management.command import DeskCommand

logger = logging.getLogger(__name__)


class Command(DeskCommand):
    has_id = False
    help = (
        "Run the control loop: start operations, hand over runs, wake due retries, rescue entries "
        "whose worker was lost. Any number can run; one of them acts at a time."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="run one tick and exit (for cron)")

    def handle(self, *args: Any, **options: Any) -> None:
        dispatcher = Dispatcher()
        if options["once"]:
            self.stdout.write(str(dispatcher.tick()))
            dispatcher.stop()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logger.info("dispatcher.started")
        while not stop.is_set():
            try:
                # Do not wait while there is more to start or to hand over.
                if dispatcher.tick().has_more:
                    continue
            except (DatabaseError, InterfaceError) as error:
                logger.warning("dispatcher.no_database", extra={"error": type(error).__name__})
                connection.close()
            _wait(stop, seconds=settings.REDRIVE_TICK_SECONDS)
        with suppress(DatabaseError, InterfaceError):
            dispatcher.stop()
        logger.info("dispatcher.stopped")


def _wait(stop: threading.Event, *, seconds: float) -> None:
    """Wait for the next tick, or until a request wakes the dispatcher."""
    try:
        wakeup.wait(seconds)
    except (DatabaseError, InterfaceError):
        connection.close()
        stop.wait(seconds)
