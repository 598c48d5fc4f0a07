"""Web addresses: parsed for requests, and masked for people; pure."""

from functools import lru_cache

import httpx

from entries.masking import mask_address
from entries.net.errors import InvalidAddress

#: Addresses that are remembered, and the longest of them.
_CACHED, _CACHED_LENGTH = 512, 2_000
_mask = lru_cache(maxsize=_CACHED)(mask_address)


def parse(url: str, *, base: httpx.URL | None = None) -> httpx.URL:
    """Parse an absolute http or https URL, without its fragment. Raises ``InvalidAddress``."""
    if base is None and len(url) <= _CACHED_LENGTH:
        return _parse_cached(url)
    return _parse(url, base)


@lru_cache(maxsize=_CACHED)
def _parse_cached(url: str) -> httpx.URL:
    """Cached, because an endpoint has thousands of deliveries, and parsing is half of a request."""
    return _parse(url, None)


def _parse(url: str, base: httpx.URL | None) -> httpx.URL:
    try:
        parsed = httpx.URL(url.strip().partition("#")[0])
        if base is not None:
            parsed = base.join(parsed)
        host = parsed.raw_host
    except (httpx.InvalidURL, ValueError) as error:
        # The text after the colon repeats a part of the address, which may be the password.
        why = str(error).partition(":")[0]
        raise InvalidAddress(f"not a valid URL: {why}") from None
    if parsed.scheme not in {"http", "https"} or not host:
        scheme = parsed.scheme[:20] or "no scheme"
        raise InvalidAddress(f"only absolute http and https URLs are fetched, not {scheme}")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise InvalidAddress("not a valid URL: there is no such port")
    return parsed


def display_url(url: httpx.URL) -> str:
    """Return ``url`` for messages, in about 300 characters.

    User, password, query, fragment and parts of the path that look like keys are left out.
    """
    path = url.raw_path.partition(b"?")[0].decode("ascii")[:300]
    shown = _mask(f"{url.scheme}://{host_and_port(url)}{path}")
    return f"{shown}?…" if url.query else shown


def host_and_port(url: httpx.URL) -> str:
    """Return host and port as they are connected to, the usual port left out.

    Such as ``example.com``, ``xn--bcher-kva.example:8080`` or ``[2001:db8::1]``.
    """
    port = "" if url.port is None else f":{url.port}"
    host = f"[{url.host.lower()}]" if b":" in url.raw_host else url.raw_host.decode("ascii")
    return f"{host}{port}"


def origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    """Return scheme, host and port, which credentials belong to; the usual port is None."""
    return url.scheme, url.raw_host, url.port


def anonymous(url: httpx.URL) -> str:
    return str(url.copy_with(userinfo=b"") if url.userinfo else url)
