"""Numbers as the reader of a page writes them."""

from django.utils.formats import number_format


def format_number(value: float, *, decimals: int | None = None) -> str:
    """``1,234`` in English, ``1.234`` in German; with ``decimals``, ``0.4`` and ``0,4``."""
    return number_format(value, decimal_pos=decimals, force_grouping=True)
