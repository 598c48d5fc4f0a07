"""Settings of retention, read from the environment: a part of ``config.settings``."""

from config.env import env

#: How long outcomes are counted by the minute, by the hour, and by the day.
REDRIVE_MINUTE_COUNTS_HOURS = env.int("REDRIVE_MINUTE_COUNTS_HOURS", 2)
REDRIVE_HOUR_COUNTS_DAYS = env.int("REDRIVE_HOUR_COUNTS_DAYS", 8)
REDRIVE_DAY_COUNTS_DAYS = env.int("REDRIVE_DAY_COUNTS_DAYS", 400)
#: Whether the dispatcher deletes what is old; without it ``manage.py prune`` alone does.
REDRIVE_PRUNE = env.bool("REDRIVE_PRUNE", True)
#: Days that something is kept after it has ended; 0: forever.
REDRIVE_KEEP_SUCCEEDED_DAYS = env.int("REDRIVE_KEEP_SUCCEEDED_DAYS", 90)
REDRIVE_KEEP_DISCARDED_DAYS = env.int("REDRIVE_KEEP_DISCARDED_DAYS", 90)
REDRIVE_KEEP_FAILED_DAYS = env.int("REDRIVE_KEEP_FAILED_DAYS", 0)
REDRIVE_KEEP_TRACEBACKS_DAYS = env.int("REDRIVE_KEEP_TRACEBACKS_DAYS", 30)
REDRIVE_KEEP_ATTEMPTS_DAYS = env.int("REDRIVE_KEEP_ATTEMPTS_DAYS", 90)
REDRIVE_KEEP_RUNS_DAYS = env.int("REDRIVE_KEEP_RUNS_DAYS", 90)
REDRIVE_KEEP_OPERATIONS_DAYS = env.int("REDRIVE_KEEP_OPERATIONS_DAYS", 90)
REDRIVE_KEEP_SYNCS_DAYS = env.int("REDRIVE_KEEP_SYNCS_DAYS", 90)
REDRIVE_KEEP_NOTICES_DAYS = env.int("REDRIVE_KEEP_NOTICES_DAYS", 90)
#: Of uploads that nothing refers to.
REDRIVE_KEEP_UPLOADS_DAYS = env.int("REDRIVE_KEEP_UPLOADS_DAYS", 1)
REDRIVE_KEEP_GROUPS_DAYS = env.int("REDRIVE_KEEP_GROUPS_DAYS", 400)
REDRIVE_KEEP_LOGINS_DAYS = env.int("REDRIVE_KEEP_LOGINS_DAYS", 90)
#: The database refuses to delete events of the last 30 days, whatever this says.
REDRIVE_KEEP_AUDIT_DAYS = env.int("REDRIVE_KEEP_AUDIT_DAYS", 730)
