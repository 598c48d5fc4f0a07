"""The shapes of saved views."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from retry.api.http.filters import FilterRequest
from retry.api.http.schemas import STORABLE, PageQuery, Request, Response
from retry.models import SavedView

_Name = Annotated[str, Field(min_length=1, max_length=60), STORABLE]


class ViewQuery(PageQuery):
    pass


class ViewRequest(Request):
    """``filter`` as in operations. ``shared``: with all who may see entries."""

    name: _Name
    filter: FilterRequest
    shared: bool = False
    oldest_first: bool = False


class RenameRequest(Request):
    name: _Name


class ViewResponse(Response):
    """``filter`` goes into the body of an operation as it is."""

    id: int
    name: str
    filter: dict[str, Any]
    shared: bool
    oldest_first: bool
    own: bool
    created_at: datetime

    @classmethod
    def from_view(cls, view: SavedView, *, user_id: int | None) -> Self:
        return cls(
            id=view.pk,
            name=view.name,
            filter=view.filter,
            shared=view.shared,
            oldest_first=view.oldest_first,
            own=view.owner_id is not None and view.owner_id == user_id,
            created_at=view.created_at,
        )


class ViewPage(Response):
    results: list[ViewResponse]
    next_cursor: str | None


class DeletedResponse(Response):
    id: int
