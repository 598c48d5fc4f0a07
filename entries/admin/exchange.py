"""An exchange with another server, as an attempt stores it, made readable."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from entries.admin.display import format_json
from entries.admin.numbers import format_number


@dataclass(frozen=True, slots=True)
class Half:
    """A request or a response. ``line``: its method and URL, or its status."""

    line: str
    headers: Sequence[tuple[str, str]]
    body: str
    cut: bool


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """``response`` is None where none arrived."""

    endpoint: str
    request: Half
    response: Half | None
    took: str


def find_exchange(result: Any) -> ExchangeView | None:
    """Find the exchange in a result; None where it has another shape.

    A kind may store anything in its result, so every part is checked.
    """
    if not isinstance(result, Mapping) or "response" not in result:
        return None
    request, response = result.get("request"), result["response"]
    if not isinstance(request, Mapping) or not isinstance(response, Mapping | None):
        return None
    took = result.get("elapsed_ms")
    return ExchangeView(
        endpoint=str(result.get("endpoint") or ""),
        request=_build_half(
            request, f"{request.get('method', '')} {request.get('url', '')}".strip()
        ),
        response=None
        if response is None
        else _build_half(response, f"HTTP {response.get('status')}"),
        took=f"{format_number(took)} ms" if isinstance(took, int) else "",
    )


def _build_half(stored: Mapping[str, Any], line: str) -> Half:
    headers = stored.get("headers")
    return Half(
        line=line,
        headers=[(str(name), str(value)) for name, value in headers.items()]
        if isinstance(headers, Mapping)
        else [],
        body=_format_body(stored.get("body")),
        cut=stored.get("cut") is True,
    )


def _format_body(body: Any) -> str:
    """Indent JSON; return everything else unchanged."""
    if not isinstance(body, str):
        return "" if body is None else format_json(body)
    try:
        return format_json(json.loads(body))
    except (ValueError, RecursionError):
        return body
