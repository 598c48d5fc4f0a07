"""A bar of outcomes, drawn with attributes alone: the content policy knows no inline style."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from retry.admin.shared.messages import OUTCOMES

#: In percent: what is there at all can be seen.
_NARROWEST = 0.7


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Parts by outcome from the left, in percent; the rest is empty.

    ``words``: the same for who sees no bar.
    """

    parts: tuple[Part, ...]
    words: str

    @classmethod
    def of(
        cls, counts: Mapping[str, int], *, total: int, named: Mapping[str, str] = OUTCOMES
    ) -> Self:
        """``named``: what the counts are called."""
        shares = [(name, count / total) for name, count in counts.items() if count and total]
        widths = [(name, max(share * 100, _NARROWEST)) for name, share in shares]
        scale = min(1.0, 100 / sum(width for _, width in widths)) if widths else 1.0
        said = ", ".join(f"{count:,} {named[name]}" for name, count in counts.items() if count)
        return cls(tuple(_placed(widths, scale)), f"of {total:,}: {said or 'nothing yet'}")


def _placed(widths: Iterable[tuple[str, float]], scale: float) -> Iterable[Part]:
    x = 0.0
    for name, width in widths:
        yield Part(name, f"{x:.2f}%", f"{width * scale:.2f}%")
        x += width * scale
