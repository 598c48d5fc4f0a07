"""Settings of Django's tasks, read from the environment: a part of ``config.settings``."""

from config.env import env

#: Seconds that one task may take.
REDRIVE_TASK_TIME_LIMIT = env.float("REDRIVE_TASK_TIME_LIMIT", 300.0)
#: Tasks under way in a worker at once; more than 1 only where all of them are safe in threads.
REDRIVE_TASK_CONCURRENCY = env.int("REDRIVE_TASK_CONCURRENCY", 1)
#: Automatic retries of a task, whatever it raised, and the longest first wait in seconds.
REDRIVE_TASK_AUTOMATIC_RETRIES = env.int("REDRIVE_TASK_AUTOMATIC_RETRIES", 0)
REDRIVE_TASK_FIRST_DELAY = env.float("REDRIVE_TASK_FIRST_DELAY", 30.0)
