"""Settings, read from the environment; the defaults are those of production.

Each has its default here, or in ``defaults`` of the app that reads it, and nowhere else.
A test keeps ``.env.example`` and the table in ``docs/operations.md`` the same.
"""

from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import gunicorn, languages
from config.env import BASE_DIR, Environment, env, read_environment, read_settings, require
from config.files import build_storages
from config.keys import *  # noqa: F403 - settings in a file of their own
from config.logging import configure_logging
from config.notices import *  # noqa: F403 - settings in a file of their own
from entries import defaults as _entries
from entries.database.limits import (
    LIMITS,
    SESSION_ROLES,
    Role,
    connection_options,
    detect_role,
)
from entries.database.silence import AttentiveConnection
from entries.defaults import *  # noqa: F403 - the apps' settings, each with its default
from retry import defaults as _retry
from retry.defaults import *  # noqa: F403
from retry.defaults import REDRIVE_QUEUES, REDRIVE_TICK_SECONDS, build_queues

globals().update(read_settings(_entries), **read_settings(_retry))

ENVIRONMENT = read_environment()
TESTING = ENVIRONMENT is Environment.TEST
_LOCAL = ENVIRONMENT in {Environment.DEVELOPMENT, Environment.DEMO, Environment.TEST}
_EMBEDDED = "Set it, or put `python -m tools.embedded` before the command."

DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"] if _LOCAL else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "entries",
    "retry",
    "retry.admin.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_rq",
    "django_structlog",
    "pgtrigger",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "config.web.request_id.RequestIdMiddleware",
    "config.web.health.HealthMiddleware",
    "retry.api.http.middleware.ApiMiddleware",
    "config.web.request_log.RequestLog",
    "config.web.outage.OutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.web.language.LanguageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.web.zone.ZoneMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- stores ------------------------------------------------------------------------------------

if not TESTING:
    require("DATABASE_URL", hint=_EMBEDDED)
    require("REDIS_URL", hint=_EMBEDDED)

#: The role of this process, which decides how long it waits for PostgreSQL.
REDRIVE_ROLE = detect_role(default=env.str("REDRIVE_ROLE", ""))
#: PostgreSQL itself, where DATABASE_URL is a pooler's that shares sessions.
_direct: str = env.str("DATABASE_DIRECT_URL", "")
_is_direct = bool(_direct) and REDRIVE_ROLE in SESSION_ROLES
_database: dict[str, Any] = (
    dict(env.dj_db_url("DATABASE_DIRECT_URL", ""))
    if _is_direct
    else dict(env.dj_db_url("DATABASE_URL", "postgresql:///redrive"))
)
if _database["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be a postgresql:// address.")
_database["ENGINE"] = "entries.database"
#: Whether each session gives PostgreSQL its time limits. A pooler may not pass them on.
DATABASE_LIMITS = env.bool("DATABASE_LIMITS", True) or _is_direct
#: Whether the statement behind every click is prepared on the session, which takes one that is not
#: handed around between two statements. Not in workers: kinds may have SQL of their own.
DATABASE_PREPARED = (
    env.bool("DATABASE_PREPARED", True)
    and DATABASE_LIMITS
    and REDRIVE_ROLE not in {Role.WORKER, Role.SYNC}
)
#: Seconds a statement of this process may take unless ``retry.limits`` allows more; 0: no limit.
DATABASE_STATEMENT_SECONDS = LIMITS[REDRIVE_ROLE].statement
_database["OPTIONS"] = connection_options(
    REDRIVE_ROLE,
    given=_database.get("OPTIONS", {}),
    by_server=DATABASE_LIMITS,
    prepares=DATABASE_PREPARED,
    tick_seconds=REDRIVE_TICK_SECONDS,
)
_database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 60)
_database["CONN_HEALTH_CHECKS"] = True
if _pool := env.int("DATABASE_POOL_SIZE", 0):
    # It excludes persistent connections. For web processes only: forks must not inherit a pool.
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": _pool,
        "timeout": 5,
        "connection_class": AttentiveConnection,
    }
DATABASES = {"default": _database}
REDRIVE_WEB_CONNECTIONS = gunicorn.workers * (_pool or gunicorn.threads)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
RQ_QUEUES = build_queues(REDIS_URL, REDRIVE_QUEUES)
RQ = {
    "COMMIT_MODE": "auto",
    "JOB_CLASS": "retry.worker.RunJob",
    "WORKER_CLASS": "retry.worker.RunWorker",
}
# django-rq's dashboard bypasses the service, changes data on GET, and unpickles.
RQ_SHOW_ADMIN_LINK = False

#: Folder of uploads for sources and imports, shared by web, workers and dispatcher.
REDRIVE_UPLOAD_DIR = env.path("REDRIVE_UPLOAD_DIR", BASE_DIR / ".data" / "uploads")

# --- people ------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
AXES_ENABLED = not TESTING
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]
AXES_HANDLER = "config.lockout.LockoutHandler"
AXES_CLIENT_IP_CALLABLE = "config.web.proxies.client_address"
AXES_RESET_ON_SUCCESS = True
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- the browser -------------------------------------------------------------------------------

_NOWHERE = ("default-src", "frame-ancestors", "base-uri", "object-src")
_HERE = ("script-src", "style-src", "font-src", "connect-src", "form-action")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {name: [NONE] for name in _NOWHERE}
    | {name: [SELF] for name in _HERE}
    | {"img-src": [SELF, "data:"]}
}
_HTTPS = env.bool("HTTPS", not _LOCAL)
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
# Browsers insist on https for so long, whatever the server says later: an hour is soon over.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 3600) if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", False)
# Both concern hosts that are not ours (W005: every subdomain, W021: the browsers' own list), and
# take months to undo. The operator of the domain decides.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
#: Proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted: addresses, networks, unix.
REDRIVE_TRUSTED_PROXIES: list[str] = env.list("REDRIVE_TRUSTED_PROXIES", [])
if env.bool("BEHIND_PROXY", False) and not REDRIVE_TRUSTED_PROXIES:
    raise ImproperlyConfigured(
        "BEHIND_PROXY trusted every client. Name the proxies: REDRIVE_TRUSTED_PROXIES=10.0.0.5"
    )
if REDRIVE_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "retry.api.http.problems.csrf_failure"

#: A page of 1,000 checkboxes has a few fields beside them; Django's default stops at 1,000.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1500

# --- files, language, logs ---------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / ".static")
STORAGES = build_storages(uploads=REDRIVE_UPLOAD_DIR, hashed=not (TESTING or DEBUG))
#: Of the code, and so of what is stored, logged and answered by the API.
LANGUAGE_CODE = languages.SOURCE
LANGUAGES = languages.LANGUAGES
#: Of a page whose reader has chosen none, and whose browser asks for none that there is.
REDRIVE_LANGUAGE = env.str("REDRIVE_LANGUAGE", "en")
if REDRIVE_LANGUAGE not in dict(LANGUAGES):
    raise ImproperlyConfigured(f"REDRIVE_LANGUAGE must be one of {', '.join(dict(LANGUAGES))}.")
LOCALE_PATHS = languages.LOCALE_PATHS
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "UTC")

DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # sane: RequestIdMiddleware
LOGGING_CONFIG = None
configure_logging(json=not _LOCAL, level=env.str("LOG_LEVEL", "INFO"))
