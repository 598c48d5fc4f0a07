"""``manage.py dispatcher``: the control loop."""

import argparse
import logging
import signal
import threading
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, connection

from retry import wakeup
from retry.dispatcher.loop import Dispatcher

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Hand over what was not handed over, rescue what lost its worker, wake what is due. Any "
        "number may run; one acts at a time."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="look once and exit (for cron)")

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
                # While there is more to start or to hand over there is no reason to wait.
                if dispatcher.tick().has_more:
                    continue
            except (DatabaseError, InterfaceError) as error:
                logger.warning("dispatcher.no_database", extra={"error": type(error).__name__})
                connection.close()
            _rest(stop, seconds=settings.REDRIVE_TICK_SECONDS)
        with suppress(DatabaseError, InterfaceError):
            dispatcher.stop()
        logger.info("dispatcher.stopped")


def _rest(stop: threading.Event, *, seconds: float) -> None:
    """Until the next look, or until somebody starts something."""
    try:
        wakeup.wait(seconds)
    except (DatabaseError, InterfaceError):
        connection.close()
        stop.wait(seconds)
