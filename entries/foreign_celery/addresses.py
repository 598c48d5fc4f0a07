"""Which database and which broker of a Celery installation may be connected to.

``REDRIVE_CELERY_HOSTS`` names them, ``REDRIVE_ALLOW_PRIVATE_ADDRESSES`` opens every one. Pure
except for these two settings.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.conf import settings

_HOST = re.compile(r"[A-Za-z0-9_.:-]+", re.ASCII)
_DATABASE = re.compile(r"/[^/?#]{1,200}")
_NUMBER = re.compile(r"/?|/[0-9]{1,5}", re.ASCII)
_SSL_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_RESULTS_SHAPE = (
    "the location must be an address such as postgresql://user:password@db.example:5432/shop"
)
_BROKER_SHAPE = (
    "the broker must be an address such as amqp://user:password@broker.example:5672/vhost or "
    "redis://broker.example:6379/0"
)
#: Schemes of RabbitMQ as Celery knows them, and the ports that they stand for.
_RABBIT = {"amqp": 5672, "pyamqp": 5672, "amqps": 5671}
#: Of a virtual host, in UTF-8, as the protocol has it.
_MAX_VHOST = 255


@dataclass(frozen=True, slots=True)
class _Place:
    """A host and port, or the path of a socket (for PostgreSQL: of its folder)."""

    host: str = ""
    port: int = 0
    socket: str = ""

    def __str__(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return self.socket or f"{shown}:{self.port}"

    @property
    def is_named(self) -> bool:
        names = {self.socket} if self.socket else {self.host, str(self)}
        return settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES or bool(
            names & set(settings.REDRIVE_CELERY_HOSTS)
        )


@dataclass(frozen=True, slots=True)
class RabbitAddress:
    """A virtual host of a RabbitMQ, and who logs in; ``place`` is host and port."""

    place: str
    host: str
    vhost: str
    user: str
    password: str
    secure: bool


def find_results_problem(url: str) -> str:
    """Return why results at ``url`` are not read, without its password; empty where they are."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"postgresql", "postgres"}:
            return _refuse_scheme(parts.scheme)
        place, given = _read_results_place(parts)
    except ValueError:
        return "the location is not an address"
    if place is None or not _DATABASE.fullmatch(parts.path) or parts.fragment:
        return _RESULTS_SHAPE
    if given.keys() - {"sslmode", "host"} or given.get("sslmode", "prefer") not in _SSL_MODES:
        return "of options, the location may have only sslmode, and host for the folder of a socket"
    return _refuse(place)


def find_broker_problem(url: str) -> str:
    """Return why nothing is sent to the broker at ``url``, without its password."""
    # Celery would take what is behind a semicolon for the address of another broker.
    if ";" in url or " " in url or not url.isprintable():
        return (
            "the broker must be one address, without spaces; a semicolon in a password must be "
            "encoded"
        )
    try:
        parts = urlsplit(url)
        place = _read_broker_place(parts)
    except ValueError:
        return "the broker is not an address"
    if place is None or parts.fragment:
        return _BROKER_SHAPE
    return _refuse(place)


def describe(url: str) -> str:
    """Return host and port, or the socket, of an address without a problem; for errors."""
    parts = urlsplit(url)
    if parts.scheme in {"postgresql", "postgres"}:
        return str(_read_results_place(parts)[0])
    return str(_read_broker_place(parts))


def split_results(url: str) -> dict[str, Any]:
    """Return what psycopg connects with. The address has no problem."""
    parts = urlsplit(url)
    place, given = _read_results_place(parts)
    found: dict[str, Any] = {
        "host": place and (place.socket or place.host),
        "port": place and place.port,
        "dbname": unquote(parts.path[1:]),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "sslmode": given.get("sslmode", "prefer"),
    }
    return {name: value for name, value in found.items() if value}


def is_rabbit(url: str) -> bool:
    """Say whether a broker is a RabbitMQ, by its scheme."""
    return urlsplit(url).scheme in _RABBIT


def split_broker(url: str) -> RabbitAddress:
    """Return what is connected to. The address is one of RabbitMQ, and has no problem."""
    parts = urlsplit(url)
    return RabbitAddress(
        place=describe(url),
        host=parts.hostname or "",
        vhost=_read_vhost(parts),
        # As Celery has it, where the address does not say who logs in.
        user=unquote(parts.username or "") or "guest",
        password=unquote(parts.password or "") or "guest",
        secure=parts.scheme == "amqps",
    )


def _read_results_place(parts: SplitResult) -> tuple[_Place | None, dict[str, str]]:
    """Return where the database is, None where that is not said, and the options. May raise
    ``ValueError``.
    """
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    port = parts.port or 5432
    folder = given.get("host", "")
    if folder:
        alone = not parts.hostname and folder.startswith("/")
        return (_Place(port=port, socket=folder) if alone else None), given
    host = parts.hostname or ""
    return (_Place(host, port) if _HOST.fullmatch(host) else None), given


def _read_broker_place(parts: SplitResult) -> _Place | None:
    if parts.scheme == "redis+socket":
        query = parse_qs(parts.query)
        number = query.get("virtual_host", ["0"])[-1]
        fits = query.keys() <= {"virtual_host"} and _NUMBER.fullmatch(f"/{number}")
        return _Place(socket=unquote(parts.path)) if fits and len(parts.path) > 1 else None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or parts.query:
        return None
    if parts.scheme in _RABBIT:
        vhost = _read_vhost(parts)
        if not vhost.isprintable() or len(vhost.encode()) > _MAX_VHOST:
            return None
        return _Place(host, parts.port or _RABBIT[parts.scheme])
    fits = parts.scheme in {"redis", "rediss"} and _NUMBER.fullmatch(parts.path)
    return _Place(host, parts.port or 6379) if fits else None


def _read_vhost(parts: SplitResult) -> str:
    """As Celery reads it: an empty one is called "/"."""
    return unquote(parts.path[1:]) or "/"


def _refuse(place: _Place) -> str:
    return "" if place.is_named else _name_setting(place)


def _name_setting(place: _Place) -> str:
    return f"{str(place)[:200]} may not be connected to: name it in REDRIVE_CELERY_HOSTS"


def _refuse_scheme(scheme: str) -> str:
    if scheme.partition("+")[0] in {"mysql", "mariadb", "sqlite", "sqlite3", "oracle", "mssql"}:
        return f"results in {scheme[:20]} are not read: only those in PostgreSQL are"
    return _RESULTS_SHAPE
