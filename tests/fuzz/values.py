"""Values that no client should send, drawn by a seeded generator."""

import os
import random
import string
from collections.abc import Callable, Sequence
from typing import Any

SEED = int(os.environ.get("FUZZ_SEED", "20261125"))

TEXTS: Sequence[str] = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202eevil",
    "\U0001d7dc\U0001d7da",
    "٣",
    "²",
    "'",
    '"',
    "%",
    "%s",
    "%(x)s",
    "{}",
    "{0.__class__}",
    "\\",
    "<script>alert(1)</script>",
    "=1+1",
    "../../etc/passwd",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "9223372036854775808",
    "99999999999999999999999999",
    "P1D",
    "[",
    "(",
    "a" * 501,
    "\n",
    "failed",
    "yes",
    "page",
    "demo",
    "00000000-0000-0000-0000-000000000000",
    "6f0c",
)


TIMES: Sequence[str] = (
    "2026-01-31T10:00:00+16:00",
    "2026-01-31T10:00:00+99:99",
    "2026-02-30",
    "0000-00-00T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "2026-12-31T23:59:60Z",
    "9999-12-31T23:59:59.999999+00:00",
    "0001-01-01T00:00:00+14:00",
    "1700000000",
    "2026-01-31T10:00:00",
    "2026-01-31T24:00:00Z",
    "2026-01-31T10:00:00-23:59",
    "2026-01-31",
    "20260131T100000Z",
    "10:00",
    "now",
    "-1",
    "1e300",
    "2026-W05-1T00:00:00Z",
    "2026-01-31T10:00:00.1234567890123Z",
    "2026-01-31T10:00:00Z\x00",
)
NUMBERS: Sequence[str] = ("", "1.5", "+1", "1_000", "-0", "9" * 40, "0x10", "\u0663", "1e3", " 1")


class Chaos:
    def __init__(self, seed: int = SEED) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        if self.random.random() < 0.7:
            return self.random.choice(TEXTS)
        length = self.random.choice((1, 3, 20, 300))
        alphabet = self.random.choice(
            (string.printable, string.digits, "éß漢字😀\u0301\u200f", "\x01\x1f\x7f\x9f")
        )
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def number(self) -> int | float:
        return self.random.choice(
            (0, 1, -1, 2, 10**9, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 0.5, 1e308, -0.0)
        )

    def json(self, depth: int = 0) -> Any:
        """Any JSON value, without members that Python's encoder would refuse."""
        made: tuple[Callable[[], Any], ...] = (
            self.text,
            self.number,
            lambda: None,
            lambda: self.random.random() < 0.5,
            lambda: [] if depth > 2 else [self.json(depth + 1) for _ in range(self.few())],
            lambda: (
                {} if depth > 2 else {self.text(): self.json(depth + 1) for _ in range(self.few())}
            ),
        )
        return self.random.choice(made)()

    def few(self) -> int:
        return self.random.choice((0, 1, 2, 5))

    def bytes(self) -> bytes:
        return self.random.choice(
            (
                b"",
                b"{",
                b"[]",
                b"null",
                b'"x"',
                b"\xff\xfe\x00",
                b'{"a":1,"a":2}',
                b'{"entry_id": 1e400}',
                b'{"entry_id": NaN}',
                b"[" * 5_000,
                b'{"a":' * 2_000,
                b'{"reason": "\\ud800"}',
                b"\xef\xbb\xbf{}",
                self.random.randbytes(50),
            )
        )

    def mutate(self, body: dict[str, Any]) -> dict[str, Any]:
        """``body`` with some of its members changed, left out, or added."""
        changed = dict(body)
        for _ in range(self.random.choice((0, 1, 1, 2, 4))):
            name = self.random.choice([*changed, self.text()])
            act = self.random.random()
            if act < 0.2:
                changed.pop(name, None)
            elif act < 0.4 and isinstance(changed.get(name), dict):
                changed[name] = self.mutate(changed[name])
            else:
                changed[name] = self.value(name) if self.random.random() < 0.6 else self.json()
        return changed

    def value(self, name: str) -> Any:
        """Something that ``name`` could nearly be."""
        if name.endswith(("_after", "_before", "_at", "__gte")):
            return self.random.choice(TIMES)
        if name in {"limit", "cursor", "id", "entry_id", "canary_size", "rate_per_second", "p"}:
            return self.random.choice((*NUMBERS, self.number()))
        return self.text()


def amount(default: int) -> int:
    """How many requests: few in a test run, ``FUZZ_REQUESTS`` in a long one."""
    return int(os.environ.get("FUZZ_REQUESTS", default))
