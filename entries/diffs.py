"""Two JSON objects compared for people, member by member; pure.

Secrets are masked as everywhere; one that was replaced is said to be.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from entries.content import is_same
from entries.masking import MASK, mask_values
from entries.phrases import phrase

#: Differences that are shown of one pair, and characters of each value.
MOST, LONGEST = 50, 300
_REPLACED = phrase("%(mask)s (replaced)", mask=MASK)
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Diff:
    """A value that differs, as JSON. ``before`` or ``after`` is None where there was none.

    ``path``: such as ``customer.name`` or ``lines[0].price``; empty for the whole.
    """

    path: str
    before: str | None
    after: str | None


def diff_json(before: Any, after: Any) -> list[Diff]:
    """Return what differs, in order, at most ``MOST``; time grows with the size alone."""
    found = []
    for path, old, new in _walk("", (before, mask_values(before)), (after, mask_values(after))):
        found.append(Diff(path, _format(old), _format(new, replaced=old)))
        if len(found) == MOST:
            break
    return found


#: A value and what is shown of it, which have the same shape wherever nothing is masked.
_Pair = tuple[Any, Any]


def _walk(path: str, old: _Pair, new: _Pair) -> Iterator[tuple[str, _Pair, _Pair]]:
    if is_same(old[0], new[0]):
        return
    if all(isinstance(each, Mapping) for each in (*old, *new)):
        for key in {**old[0], **new[0]}:
            inner = f"{path}.{key}" if path else str(key)
            yield from _step(inner, _get(old, key), _get(new, key))
    elif all(isinstance(each, list) for each in (*old, *new)):
        for index in range(max(len(old[0]), len(new[0]))):
            yield from _step(f"{path}[{index}]", _at(old, index), _at(new, index))
    else:
        yield path, old, new


def _step(path: str, old: _Pair, new: _Pair) -> Iterator[tuple[str, _Pair, _Pair]]:
    if _ABSENT in (old[0], new[0]):
        if old[0] is not new[0]:
            yield path, old, new
    else:
        yield from _walk(path, old, new)


def _get(pair: _Pair, key: Any) -> _Pair:
    return pair[0].get(key, _ABSENT), pair[1].get(key, _ABSENT)


def _at(pair: _Pair, index: int) -> _Pair:
    inside = index < len(pair[0])
    return (pair[0][index], pair[1][index]) if inside else (_ABSENT, _ABSENT)


def _format(pair: _Pair, *, replaced: _Pair | None = None) -> str | None:
    shown = pair[1]
    if shown is _ABSENT:
        return None
    if replaced is not None and is_same(replaced[1], shown):
        return _REPLACED
    text = json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
