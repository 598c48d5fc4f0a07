"""Tables whose first row names the columns."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import BinaryIO

from entries.errors import SourceError
from entries.readers.base import Limits, Table


class HeaderTable(Table):
    """A table with a header.

    ``expects`` names a column that must be there. ``rename`` is applied to each name of the header.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        limits: Limits,
        expects: str = "",
        rename: Callable[[str], str] = str,
    ) -> None:
        super().__init__(file, limits=limits)
        self.expects = expects
        self.rename = rename

    def set_columns(self, header: Sequence[object]) -> None:
        """Name the columns, each once. Raises ``SourceError``: ``malformed`` or ``too_large``."""
        names = ["" if name is None else self.rename(str(name).strip()) for name in header]
        while names and not names[-1]:
            names.pop()
        limit = self.limits.columns
        if len(names) > limit:
            raise SourceError("too_large", f"the header has more than {limit:,} columns")
        if "" in names:
            position = names.index("") + 1
            raise SourceError("malformed", f"column {position} of the header has no name")
        name, count = Counter(names).most_common(1)[0] if names else ("", 0)
        if count > 1:
            raise SourceError("malformed", f'{count} columns are called "{name[:100]}"')
        require_column(self.expects, names)
        self.columns = tuple(names)


def require_column(name: str, names: Sequence[str]) -> None:
    """Raise ``SourceError`` where ``name`` is missing; any column will do for ``""``."""
    if name and name not in names:
        there = ", ".join(names)[:300] or "none"
        raise SourceError("malformed", f'there is no column "{name}"; the header has: {there}')
