"""The settings of ``entries`` with their defaults, for what a project does not set.

``retry.defaults`` has those of ``retry``.
"""

from pathlib import Path

from entries.database.limits import detect_role

#: Modules with kinds and source kinds of your own.
REDRIVE_KIND_MODULES: list[str] = []
REDRIVE_PAGE_TIME_LIMIT: float = 20.0
#: Pages under way in a worker at once, and those of them from one host.
REDRIVE_PAGE_CONCURRENCY: int = 32
REDRIVE_PAGE_UPSTREAM_CONCURRENCY: int = 16
REDRIVE_PAGE_MAX_BYTES: int = 5_000_000
#: Automatic retries of a page with a transient error such as HTTP 503; 0: a person decides.
REDRIVE_PAGE_AUTOMATIC_RETRIES: int = 0
REDRIVE_FEED_TIME_LIMIT: float = 60.0
REDRIVE_FEED_MAX_BYTES: int = 20_000_000
#: Deliveries under way in a worker at once, and those of them to one endpoint.
REDRIVE_WEBHOOK_CONCURRENCY: int = 32
REDRIVE_WEBHOOK_UPSTREAM_CONCURRENCY: int = 16
REDRIVE_WEBHOOK_TIME_LIMIT: float = 15.0
#: Automatic retries of a delivery, and the longest first wait in seconds. Each further wait may be
#: 4 times as long, up to an hour.
REDRIVE_WEBHOOK_AUTOMATIC_RETRIES: int = 8
REDRIVE_WEBHOOK_FIRST_DELAY: float = 5.0
#: The Redis of other RQ installations, each as host, host:port or the path of a socket.
REDRIVE_RQ_HOSTS: list[str] = []
#: For one of their jobs, from when it is put back to its end.
REDRIVE_RQ_TIME_LIMIT: float = 3600.0
REDRIVE_RQ_CONCURRENCY: int = 128
#: The PostgreSQL and the broker of Celery installations, each as host, host:port or the path of a
#: socket.
REDRIVE_CELERY_HOSTS: list[str] = []
#: For one of their tasks, from when it is sent to its end.
REDRIVE_CELERY_TIME_LIMIT: float = 3600.0
REDRIVE_CELERY_CONCURRENCY: int = 128
#: How long a sign is waited for of a task that may have been sent, or not.
REDRIVE_CELERY_DOUBT_SECONDS: float = 60.0
#: For one page of a JSON API, which may have thousands.
REDRIVE_JSON_TIME_LIMIT: float = 30.0
REDRIVE_JSON_MAX_BYTES: int = 10_000_000
#: Folders whose files sources may read; other files have to be uploaded.
REDRIVE_SOURCE_DIRS: list[str] = []
#: Folder of uploads for sources and imports, shared by web, workers and dispatcher; empty:
#: ``.data/uploads`` in the project's BASE_DIR. A storage called "uploads" is used instead of it.
REDRIVE_UPLOAD_DIR: Path | str = ""
REDRIVE_UPLOAD_MAX_BYTES: int = 500_000_000
REDRIVE_USER_AGENT: str = "Redrive/0.1"
#: Private networks that may be reached, such as 10.1.0.0/16.
REDRIVE_ALLOWED_NETWORKS: list[str] = []
REDRIVE_ALLOW_PRIVATE_ADDRESSES: bool = False
#: Encrypt secrets in the database: the first of them encrypts, all of them decrypt. Empty:
#: SECRET_KEY and its fallbacks.
REDRIVE_ENCRYPTION_KEYS: list[str] = []

# --- for ENGINE = "entries.database" ------------------------------------------------------------

#: The role of this process, which decides how long it waits for PostgreSQL.
REDRIVE_ROLE = detect_role()
#: Whether each session gives PostgreSQL its time limits.
DATABASE_LIMITS: bool = False
#: Whether the statement behind every click is prepared on the session.
DATABASE_PREPARED: bool = False
#: Seconds a statement of this process may take unless ``retry.limits`` allows more; 0: no limit.
DATABASE_STATEMENT_SECONDS: int = 0
