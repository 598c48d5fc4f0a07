"""The environment, parsed and checked once; ``config.settings`` reads nothing else."""

from enum import StrEnum
from pathlib import Path
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


def redis_database(url: str, number: int) -> str:
    """Return ``url`` with another database number; for unix:// it is the ``db`` of the query."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = dict(parse_qsl(parts.query)) | {"db": str(number)}
        # urlunsplit would drop the empty host, and redis-py insists on it.
        return f"unix://{parts.path}?{urlencode(query)}"
    return urlunsplit(parts._replace(path=f"/{number}"))
