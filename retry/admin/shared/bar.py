"""A bar of counts, drawn with attributes alone: the content policy forbids inline styles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

#: Percent: a part of at least one is visible.
_MIN_WIDTH = 0.7


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Parts from the left, in percent; the rest is empty. ``words`` says the same as text."""

    parts: tuple[Part, ...]
    words: str

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], *, total: int, labels: Mapping[str, Promise]
    ) -> Self:
        """Build the bar, its words in the language of now."""
        shares = [(name, count / total) for name, count in counts.items() if count and total]
        widths = [(name, max(share * 100, _MIN_WIDTH)) for name, share in shares]
        scale = min(1.0, 100 / sum(width for _, width in widths)) if widths else 1.0
        words = describe_counts(counts, labels) or _("nothing yet")
        text = _("of %(total)s: %(counts)s") % {"total": intcomma(total), "counts": words}
        return cls(tuple(_place(widths, scale)), text)

    def render(self) -> SafeString:
        rects = format_html_join(
            "",
            '<rect class="part-{}" x="{}" y="0" width="{}" height="100%"></rect>',
            ((part.name, part.x, part.width) for part in self.parts),
        )
        return format_html(
            '<svg class="bar" role="img" aria-label="{}" width="100%" height="12"'
            ' preserveAspectRatio="none">\n  <title>{}</title>\n  {}\n</svg>\n',
            self.words,
            self.words,
            rects,
        )


def _place(widths: Iterable[tuple[str, float]], scale: float) -> Iterable[Part]:
    x = 0.0
    for name, width in widths:
        yield Part(name, f"{x:.2f}%", f"{width * scale:.2f}%")
        x += width * scale


def describe_counts(counts: Mapping[str, int], labels: Mapping[str, Promise]) -> str:
    """``1,200 succeeded, 3 failed again``, without those that are 0"""
    return ", ".join(f"{intcomma(count)} {labels[name]}" for name, count in counts.items() if count)
