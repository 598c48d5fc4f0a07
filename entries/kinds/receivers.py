"""What deliveries need of their endpoints, kept for a second: hundreds go out in that time."""

import threading
import time
from dataclasses import dataclass, field

from django.db import connection

from entries.database.release import release_connection
from entries.encryption import decrypt
from entries.sql import load

_SQL = load(__file__)

#: Seconds after which an endpoint's change counts in every process.
KEPT_SECONDS = 1.0
#: Where there are more, each is read by itself.
_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Receiver:
    """An endpoint as a delivery needs it."""

    slug: str
    url: str
    secret: str = field(repr=False)
    #: Signs as well; empty where there is none.
    previous_secret: str = field(default="", repr=False)
    enabled: bool = True


class Receivers:
    """The endpoints by slug, read with one statement a second.

    While one thread reads, the others use what was read before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Receiver] | None = None
        self._read_at = 0.0

    def find(self, slug: str) -> Receiver | None:
        """Return an endpoint; None where there is none. Raises the database's errors."""
        kept = self._kept
        if kept is None:
            with self._lock:
                kept = self._kept if self._kept is not None else self._read()
        elif time.monotonic() - self._read_at > KEPT_SECONDS:
            kept = self._read()
        # One that was added meanwhile counts at once.
        return kept.get(slug) or next(iter(_read(slug=slug)), None)

    def forget(self) -> None:
        """Read them again for the next delivery."""
        self._kept = None

    def _read(self) -> dict[str, Receiver]:
        before, self._read_at = self._read_at, time.monotonic()
        try:
            self._kept = kept = {found.slug: found for found in _read(slug=None)}
        except BaseException:
            self._read_at = before
            raise
        return kept


def _read(*, slug: str | None) -> list[Receiver]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["find_receivers"], {"slug": slug, "most": _MOST_KEPT})
        found = [
            Receiver(at, url, decrypt(secret), decrypt(previous), enabled)
            for at, url, secret, previous, enabled in cursor.fetchall()
        ]
    release_connection()  # deliveries take seconds
    return found


RECEIVERS = Receivers()
