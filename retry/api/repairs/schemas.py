"""The shapes of repairs, in bulk and of one entry."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from entries.repairs import Repair
from entries.sources.items import MAX_TITLE
from retry.api.http.schemas import STORABLE, ReasonRequest, Request, Response
from retry.api.operations.requests import BulkRetryRequest
from retry.operations.repairs import RepairPreview


class RepairChange(Request):
    """One of ``patch``, a JSON Patch (RFC 6902) of payloads, and ``name``, a repair of a kind."""

    patch: list[dict[str, Any]] | None = None
    name: Annotated[str, Field(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.patch is None) == (self.name is None):
            raise ValueError("give either patch or name")
        self.build()
        return self

    def build(self) -> Repair:
        """Raises ``ValueError`` with what is wrong."""
        return Repair.from_data(self.model_dump(exclude_none=True))


class RepairRequest(BulkRetryRequest):
    """What ``POST retry/bulk`` takes, and the ``repair`` that comes before the retry."""

    repair: RepairChange


class EditRequest(ReasonRequest):
    """``seen``: the ``content_hash`` of the entry that the edit began from. ``title`` or
    ``payload`` stay where they are not given.
    """

    seen: Annotated[str, Field(min_length=1, max_length=64)]
    title: Annotated[str, Field(max_length=MAX_TITLE), STORABLE] | None = None
    payload: dict[str, Any] | None = None


class RepairSampleResponse(Response):
    """``problem``: why the payload cannot be repaired; empty where it can."""

    entry_id: int
    changes: list[str]
    problem: str


class RepairPreviewResponse(Response):
    """Counts over the selection; where ``exact`` is false over the first ``total`` of it."""

    total: int
    repaired: int
    skipped: dict[str, int]
    exact: bool
    sample: list[RepairSampleResponse]

    @classmethod
    def from_preview(cls, preview: RepairPreview) -> Self:
        return cls(
            total=preview.total,
            repaired=preview.repaired,
            skipped={reason.value: count for reason, count in preview.skipped.items()},
            exact=preview.exact,
            sample=[
                RepairSampleResponse(
                    entry_id=sample.entry_id,
                    changes=[str(diff.path) for diff in sample.diffs],
                    problem=sample.words,
                )
                for sample in [*preview.diffs, *preview.invalid]
            ],
        )
