"""Settings of metrics and reports, read from the environment: a part of ``config.settings``."""

from config.env import env

#: A token for ``GET /metrics`` alone, besides API tokens of the scope "metrics"; empty: none.
REDRIVE_METRICS_TOKEN = env.str("REDRIVE_METRICS_TOKEN", "")
#: Gauges are read at most once in so many seconds.
REDRIVE_METRICS_SECONDS = env.float("REDRIVE_METRICS_SECONDS", 5.0)
#: Where failures are reported. Needs the extra "sentry".
REDRIVE_SENTRY_DSN = env.str("REDRIVE_SENTRY_DSN", "")
