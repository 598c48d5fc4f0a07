"""An exchange with somebody else's server, as an attempt has kept it, made readable."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entries.admin.show import pretty


@dataclass(frozen=True, slots=True)
class Half:
    """A request or an answer. ``line`` is what came first in it: method and URL, or the status."""

    line: str
    headers: Sequence[tuple[str, str]]
    body: str
    cut: bool


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """``response`` is None where none came."""

    endpoint: str
    request: Half
    response: Half | None
    took: str


def exchange_in(result: Any) -> ExchangeView | None:
    """What a result says of an exchange; None where it is of another shape.

    Any kind may put anything into its result, so nothing is taken for granted.
    """
    if not isinstance(result, Mapping) or "response" not in result:
        return None
    request, response = result.get("request"), result["response"]
    if not isinstance(request, Mapping) or not isinstance(response, Mapping | None):
        return None
    took = result.get("elapsed_ms")
    return ExchangeView(
        endpoint=str(result.get("endpoint") or ""),
        request=_half(request, f"{request.get('method', '')} {request.get('url', '')}".strip()),
        response=None if response is None else _half(response, f"HTTP {response.get('status')}"),
        took=f"{took:,} ms" if isinstance(took, int) else "",
    )


def _half(told: Mapping[str, Any], line: str) -> Half:
    headers = told.get("headers")
    return Half(
        line=line,
        headers=[(str(name), str(value)) for name, value in headers.items()]
        if isinstance(headers, Mapping)
        else [],
        body=_readable(told.get("body")),
        cut=told.get("cut") is True,
    )


def _readable(body: Any) -> str:
    """JSON indented, everything else as it came."""
    if not isinstance(body, str):
        return "" if body is None else pretty(body)
    try:
        return pretty(json.loads(body))
    except (ValueError, RecursionError):
        return body
