"""Two weeks of counts from before the demo began, so that its plots have something to show."""

from django.db import connection

from entries.fingerprints import fingerprint, normalise
from entries.sql import load

_SQL = load(__file__)
_ERROR = "ServerUnavailable"


def add_history(*, source: str, upstream: str) -> None:
    """Add the counts of a source, whose pages ``upstream`` has, and the group of what failed;
    nothing where there are counts from before today.
    """
    message = f"HTTP 503 from {upstream}/pages/1"
    params = {
        "source": source,
        "error": _ERROR,
        "message": normalise(message),
        "fingerprint": fingerprint(_ERROR, message),
        "upstream": upstream.partition("://")[2],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["add_history"], params)
