"""The names of columns, as a file's first row has them; pure."""

from collections import Counter
from collections.abc import Callable, Sequence

from entries.errors import SourceError


def column_names(
    header: Sequence[object], *, expects: str, rename: Callable[[str], str], limit: int
) -> tuple[str, ...]:
    """Every name once. Raises ``SourceError`` with ``malformed`` or ``too_large``."""
    names = ["" if name is None else rename(str(name).strip()) for name in header]
    while names and not names[-1]:
        names.pop()
    if len(names) > limit:
        raise SourceError("too_large", f"the header has more than {limit:,} columns")
    if "" in names:
        raise SourceError("malformed", f"column {names.index('') + 1} of the header has no name")
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise SourceError("malformed", f'{count} columns are called "{name[:100]}"')
    require_column(expects, names)
    return tuple(names)


def require_column(name: str, names: Sequence[str]) -> None:
    """Raises ``SourceError`` where it is not there; any will do for ``""``."""
    if name and name not in names:
        there = ", ".join(names)[:300] or "none"
        raise SourceError("malformed", f'there is no column "{name}"; the header has: {there}')
