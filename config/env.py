"""The environment, parsed and checked once; ``config.settings`` reads nothing else."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(StrEnum):
    PRODUCTION = "production"
    DEVELOPMENT = "development"
    DEMO = "demo"
    TEST = "test"


env = Env(prefix="")
#: Settings of the apps that are not read like the others: they follow from the code, or need more.
FIXED = frozenset(
    {
        "REDRIVE_API_PATH",
        "REDRIVE_QUEUES",
        "REDRIVE_ROLE",
        "REDRIVE_UPLOAD_DIR",
        "REDRIVE_WEB_CONNECTIONS",
    }
)


def read_environment() -> Environment:
    """Read ``REDRIVE_ENV``. Raises ``ImproperlyConfigured`` for a name that is unknown."""
    name = env.str("REDRIVE_ENV", Environment.PRODUCTION)
    try:
        return Environment(name)
    except ValueError:
        known = ", ".join(Environment)
        raise ImproperlyConfigured(f"REDRIVE_ENV is {name!r}; it can be: {known}") from None


def require(name: str, *, hint: str) -> str:
    """Return a variable that has no default. Raises ``ImproperlyConfigured`` with the hint."""
    try:
        value = env.str(name)
    except EnvError:
        value = ""
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return value


def read_settings(table: ModuleType) -> dict[str, Any]:
    """Read the settings of Redrive in ``table`` that have a variable, each in the type of its
    default.
    """
    readers: Mapping[type, Callable[..., Any]] = {
        bool: env.bool,
        int: env.int,
        float: env.float,
        str: env.str,
        list: env.list,
    }
    return {
        name: readers[type(default)](name, default)
        for name, default in vars(table).items()
        if name.startswith("REDRIVE_") and name not in FIXED
    }


def redis_database(url: str, number: int) -> str:
    """Return ``url`` with another database number; for unix:// it is the ``db`` of the query."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = dict(parse_qsl(parts.query)) | {"db": str(number)}
        # urlunsplit would drop the empty host, and redis-py insists on it.
        return f"unix://{parts.path}?{urlencode(query)}"
    return urlunsplit(parts._replace(path=f"/{number}"))
