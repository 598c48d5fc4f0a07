"""Noticing that the dispatcher is silent, which it cannot tell itself: workers watch it."""

import logging
import time
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from retry.models import Heartbeat, Notice, NoticeEvent
from retry.notices.delivery import tell
from retry.notices.events import record_silence

logger = logging.getLogger(__name__)


class SilenceWatch:
    """One worker's look at the dispatcher's heartbeat.

    It counts how long it has itself seen the same heartbeat: after a pause of the machine, or of
    PostgreSQL, the dispatcher has as long as ever. Of many workers one records it.
    """

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._beat_at: datetime | None = None
        self._since = 0.0
        self._told = False

    def look(self) -> None:
        """Look, if it is time to. Never raises for the database; leaves no connection open."""
        now, limit = time.monotonic(), settings.REDRIVE_DISPATCHER_SILENT_SECONDS
        if limit <= 0 or now - self._looked_at < min(limit / 4, 10.0):
            return
        # A gap between two looks is no silence.
        gap, self._looked_at = now - self._looked_at > limit, now
        try:
            beats = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER)
            beat_at = beats.values_list("beat_at", flat=True).first()
            if beat_at != self._beat_at or gap:
                self._beat_at, self._since, self._told = beat_at, now, False
            elif beat_at is not None and not self._told and now - self._since >= limit:
                _tell_silence(beat_at)
                self._told = True
        except (DatabaseError, InterfaceError) as error:
            self._beat_at = None
            logger.warning("worker.no_watch", extra={"error": type(error).__name__})
        finally:
            connection.close()


def _tell_silence(beat_at: datetime) -> None:
    """Record the silence, and tell it at once: the dispatcher does not."""
    logger.warning("dispatcher.silent", extra={"beat_at": beat_at.isoformat()})
    record_silence(beat_at)
    silent = Notice.objects.filter(event=NoticeEvent.DISPATCHER_SILENT, told_at=None)
    for notice_id in list(silent.values_list("pk", flat=True)):
        tell(notice_id)
