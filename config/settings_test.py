"""Settings of the tests: a Redis database for each test process."""

import os

os.environ["REDRIVE_ENV"] = "test"

from config.env import redis_database
from config.settings import *  # noqa: F403
from config.settings import DATABASES as _DATABASES
from config.settings import REDIS_URL as _URL
from config.settings import RQ_QUEUES
from entries.database.limits import Role, connection_options

_process = os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")
# A process that a test starts gets the URL of its test as it is.
if "REDRIVE_TEST_CHILD" not in os.environ:
    REDIS_URL = redis_database(_URL, int(_process) + 1)
    # Tests are no web process: they hold a transaction open while they wait for others.
    REDRIVE_ROLE = Role.COMMAND
    _given = {
        name: value
        for name, value in _DATABASES["default"]["OPTIONS"].items()
        if name in {"host", "service"}
    }
    _DATABASES["default"]["OPTIONS"] = connection_options(
        REDRIVE_ROLE, given=_given, by_server=True, prepares=True
    )
for _options in RQ_QUEUES.values():
    _options["URL"] = REDIS_URL

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# All tests come from one address.
REDRIVE_API_TOKEN_RATE = REDRIVE_API_ADDRESS_RATE = 0
REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
REDRIVE_KIND_MODULES = [
    "tests.support.kinds",
    "tests.support.sources",
    *REDRIVE_KIND_MODULES,  # noqa: F405
]
TASKS = {
    "default": {
        "BACKEND": "retry.tasks.RedriveBackend",
        "QUEUES": ["default", "mail"],
        "OPTIONS": {"packages": ["tests"]},
    }
}
# Finds static files when they are requested; tests do not collect any.
WHITENOISE_AUTOREFRESH = True
