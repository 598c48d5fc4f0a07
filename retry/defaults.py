"""The settings of ``retry`` with their defaults, for what a project does not set."""

from collections.abc import Sequence
from typing import Any

from retry.redis_address import parse_sentinels

REDIS_URL: str = "redis://127.0.0.1:6379/0"
#: Redrive's queues, which Redis and RQ_QUEUES know as ``redrive-<name>``. It touches no others.
REDRIVE_QUEUES: Sequence[str] = ("default", "bulk", "sync")
#: Where the project's addresses have the JSON API: that of ``retry.urls`` and "api".
REDRIVE_API_PATH: str = "/admin/api"

#: Seconds between two rounds of the dispatcher.
REDRIVE_TICK_SECONDS: float = 1.0
#: Seconds without renewal after which a run's worker is considered dead.
REDRIVE_LEASE_SECONDS: float = 12.0
#: Seconds a request waits for Redis.
REDRIVE_REDIS_TIMEOUT: float = 2.0
#: Seconds a worker may hold a job without claiming its run; then it is handed over again.
REDRIVE_CLAIM_SECONDS: float = 15.0
#: Seconds between two heartbeats of a worker; without one for 15 s it is shown as silent.
REDRIVE_BEAT_SECONDS: float = 5.0
#: Entries in one selection, and how many of them still count as a click.
REDRIVE_SELECTION_LIMIT: int = 1000
REDRIVE_CLICK_SIZE: int = 25
#: Seconds after which a sync or import is stopped. A million new entries take minutes.
REDRIVE_SYNC_TIMEOUT: int = 3600
#: Whether the breaker puts an upstream on hold when nearly all of its outcomes fail.
REDRIVE_BREAKER: bool = True
#: How long outcomes are counted by the minute, by the hour, and by the day.
REDRIVE_MINUTE_COUNTS_HOURS: int = 2
REDRIVE_HOUR_COUNTS_DAYS: int = 8
REDRIVE_DAY_COUNTS_DAYS: int = 400
# Operations on more entries await a second person's approval; 0: none does.
REDRIVE_APPROVAL_ABOVE: int = 0
#: Connections to PostgreSQL that the entries under way in a worker share.
REDRIVE_KIND_CONNECTIONS: int = 8
#: Bytes of a request to the JSON API, and of ``POST entries``, which carries payloads.
REDRIVE_API_MAX_BYTES: int = 1_000_000
REDRIVE_SUBMIT_MAX_BYTES: int = 10_000_000
#: Requests to the JSON API that wait at a time in one process (``?wait=``); 0: none does.
REDRIVE_API_WAITERS: int = 16
#: Requests a minute to the JSON API with one token, and from one address; 0: no limit.
REDRIVE_API_TOKEN_RATE: int = 6_000
REDRIVE_API_ADDRESS_RATE: int = 12_000
REDRIVE_OPEN_OPERATIONS: int = 200  # of one user
#: Connections to PostgreSQL that one web server opens at most, for ``manage.py doctor``.
REDRIVE_WEB_CONNECTIONS: int = 16
#: Rows in one export.
REDRIVE_EXPORT_LIMIT: int = 100_000
#: The address under which people open the site, for links in notices: https://redrive.example.com.
REDRIVE_SITE_URL: str = ""
#: Seconds that a new error or a tripped breaker waits before it is sent: it may begin an outage.
REDRIVE_NOTICE_SETTLE_SECONDS: float = 60.0
#: Notices sent for one subscription within an hour; after them one that says there is more.
REDRIVE_NOTICES_AN_HOUR: int = 20
#: An outage is over once hardly anything has failed for so long; whole minutes.
REDRIVE_OUTAGE_QUIET_SECONDS: int = 600
#: Without a sign of life of the dispatcher for so long, workers tell; 0: never.
REDRIVE_DISPATCHER_SILENT_SECONDS: float = 60.0
REDRIVE_MAIL_TIME_LIMIT: float = 20.0
#: Seconds that one of Django's tasks may take.
REDRIVE_TASK_TIME_LIMIT: float = 300.0
#: Tasks under way in a worker at once; more than 1 only where all of them are safe in threads.
REDRIVE_TASK_CONCURRENCY: int = 1
#: Automatic retries of a task, whatever it raised, and the longest first wait in seconds.
REDRIVE_TASK_AUTOMATIC_RETRIES: int = 0
REDRIVE_TASK_FIRST_DELAY: float = 30.0
#: A token for ``GET /metrics`` alone, besides API tokens of the scope "metrics"; empty: none.
REDRIVE_METRICS_TOKEN: str = ""
#: Gauges are read at most once in so many seconds.
REDRIVE_METRICS_SECONDS: float = 5.0
#: Where failures are reported. Needs the extra "sentry".
REDRIVE_SENTRY_DSN: str = ""
#: Whether the dispatcher deletes what is old; without it ``manage.py prune`` alone does.
REDRIVE_PRUNE: bool = True
#: Days that something is kept after it has ended; 0: forever.
REDRIVE_KEEP_SUCCEEDED_DAYS: int = 90
REDRIVE_KEEP_DISCARDED_DAYS: int = 90
REDRIVE_KEEP_FAILED_DAYS: int = 0
REDRIVE_KEEP_TRACEBACKS_DAYS: int = 30
REDRIVE_KEEP_ATTEMPTS_DAYS: int = 90
REDRIVE_KEEP_RUNS_DAYS: int = 90
REDRIVE_KEEP_OPERATIONS_DAYS: int = 90
REDRIVE_KEEP_SYNCS_DAYS: int = 90
REDRIVE_KEEP_NOTICES_DAYS: int = 90
#: Of uploads that nothing refers to.
REDRIVE_KEEP_UPLOADS_DAYS: int = 1
REDRIVE_KEEP_GROUPS_DAYS: int = 400
REDRIVE_KEEP_LOGINS_DAYS: int = 90
#: The database refuses to delete events of the last 30 days, whatever this says.
REDRIVE_KEEP_AUDIT_DAYS: int = 730


def build_queues(url: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Build queues for RQ_QUEUES. Their jobs are JSON: pickles run what their sender wants."""
    options: dict[str, Any] = {
        **_locate(url),
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "QUEUE_CLASS": "django_rq.queues.DjangoRQ",
        "DEFAULT_TIMEOUT": 360,
    }
    return {name_queue(name): dict(options) for name in names}


def _locate(url: str) -> dict[str, Any]:
    """Return where Redis is, in the words of django-rq."""
    address = parse_sentinels(url)
    if address is None:
        return {"URL": url}
    patience = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
    return {
        "SENTINELS": list(address.sentinels),
        "MASTER_NAME": address.master,
        "CONNECTION_KWARGS": {**address.login, "socket_connect_timeout": 2.0},
        "SENTINEL_KWARGS": {**address.sentinel_login, **patience},
    }


def name_queue(name: str) -> str:
    """Return what RQ calls a queue of Redrive: other applications have a "default", too."""
    return f"redrive-{name}"
