"""The shapes of sources."""

from datetime import datetime
from typing import Self

from entries.masking import mask_address
from entries.models import Source
from retry.api.http.schemas import PageQuery, Response


class SourceQuery(PageQuery):
    pass


class SourceSummary(Response):
    """``location`` has credentials masked. ``sync_interval``: seconds between automatic syncs."""

    slug: str
    name: str
    kind: str
    entry_kind: str
    location: str
    enabled: bool
    sync_interval: int | None
    next_sync_at: datetime | None
    last_synced_at: datetime | None
    last_error: str

    @classmethod
    def from_source(cls, source: Source) -> Self:
        names = cls.model_fields.keys() - {"location"}
        values = {name: getattr(source, name) for name in names}
        return cls.model_validate(values | {"location": mask_address(source.location)})


class SourcePage(Response):
    results: list[SourceSummary]
    next_cursor: str | None
