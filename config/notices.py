"""Settings of notices and mails, read from the environment: a part of ``config.settings``."""

from typing import Any

from config.env import env

#: The address under which people open the site, for links in notices: https://redrive.example.com.
REDRIVE_SITE_URL = env.str("REDRIVE_SITE_URL", "")
#: Seconds that a new error or a tripped breaker waits before it is sent: it may begin an outage.
REDRIVE_NOTICE_SETTLE_SECONDS = env.float("REDRIVE_NOTICE_SETTLE_SECONDS", 60.0)
#: Notices sent for one subscription within an hour; after them one that says there is more.
REDRIVE_NOTICES_AN_HOUR = env.int("REDRIVE_NOTICES_AN_HOUR", 20)
#: An outage is over once hardly anything has failed for so long; whole minutes.
REDRIVE_OUTAGE_QUIET_SECONDS = env.int("REDRIVE_OUTAGE_QUIET_SECONDS", 600)
#: Without a sign of life of the dispatcher for so long, workers tell; 0: never.
REDRIVE_DISPATCHER_SILENT_SECONDS = env.float("REDRIVE_DISPATCHER_SILENT_SECONDS", 60.0)
REDRIVE_MAIL_TIME_LIMIT = env.float("REDRIVE_MAIL_TIME_LIMIT", 20.0)

_email: dict[str, Any] = dict(env.dj_email_url("EMAIL_URL", "smtp://localhost:25"))
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", 10.0)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", "redrive@localhost")
