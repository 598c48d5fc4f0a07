"""What a kind says against a payload before it is stored."""

import logging
from collections.abc import Mapping
from typing import Any

from entries.kinds.registry import find
from entries.text import clean_text, one_line

logger = logging.getLogger(__name__)

#: Problems of one payload, and characters of each.
_MOST, _LONGEST = 10, 300


def find_payload_problems(name: str, payload: Mapping[str, Any]) -> list[str]:
    """Return what the kind ``name`` says against a payload, in words; empty where that is nothing.

    Never raises: a kind that cannot look at the payload refuses it. A kind that is not installed
    refuses nothing.
    """
    kind = find(name)
    if kind is None:
        return []
    try:
        found: object = kind.problems_with(payload)
    except Exception as error:  # noqa: BLE001 - a kind may raise anything
        return [_describe_mistake(name, f"{type(error).__name__}: {clean_text(error, limit=200)}")]
    if not isinstance(found, list | tuple):
        return [_describe_mistake(name, f"problems_with() returned {type(found).__name__}")]
    return [one_line(clean_text(each, limit=_LONGEST), limit=_LONGEST) for each in found[:_MOST]]


def _describe_mistake(name: str, why: str) -> str:
    logger.warning("kind.no_check", extra={"kind": name, "why": why[:200]})
    return one_line(f"the kind {name} cannot check it: {why}", limit=_LONGEST)
