"""What requests about operations look like."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from entries.filters import EntryFilter
from retry.api.http.filters import FilterRequest
from retry.api.http.schemas import EntryId, Moment, PageQuery, ReasonRequest, SourceSlug
from retry.operations.items import ITEM_ORDER
from retry.operations.pace import LARGEST_STEP, MOST_STEPS, Pace
from retry.operations.selection import MAX_IDS, Selection
from retry.pages import Keyset, parse_instant, parse_uuid


class SelectionRequest(ReasonRequest):
    """Either ``entry_ids`` or ``filter``."""

    entry_ids: Annotated[list[EntryId], Field(min_length=1, max_length=MAX_IDS)] | None = None
    filter: FilterRequest | None = None
    dry_run: bool = False
    start_at: Moment | None = None

    @model_validator(mode="after")
    def _check_one_selection(self) -> Self:
        if (self.entry_ids is None) == (self.filter is None):
            raise ValueError("give either entry_ids or filter")
        return self

    def selection(self) -> Selection:
        if self.filter is not None:
            return Selection(filter=self.filter.as_filter())
        return Selection(ids=tuple(self.entry_ids or ()))

    def pace(self) -> Pace:
        return Pace(start_at=self.start_at)


class BulkRetryRequest(SelectionRequest):
    """``rate_per_second``: entries. ``canary_size`` entries run first, then each step of the
    ``ramp``, then the rest; each only if at most ``max_failure_rate`` (0 to 1; with a canary or a
    ramp 0.1 unless given) of those before it failed.
    """

    rate_per_second: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    canary_size: Annotated[int, Field(ge=0, le=10_000)] = 0
    ramp: Annotated[
        list[Annotated[int, Field(ge=1, le=LARGEST_STEP)]], Field(max_length=MOST_STEPS)
    ] = []
    max_failure_rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None

    def pace(self) -> Pace:
        return Pace(
            rate_per_second=self.rate_per_second,
            canary_size=self.canary_size,
            ramp=tuple(self.ramp),
            start_at=self.start_at,
            max_failure_rate=self.max_failure_rate,
        )


class OneOrManyRequest(BulkRetryRequest):
    """One of ``entry_id``, ``entry_ids`` and ``filter``. A pace is for many."""

    selections: ClassVar[tuple[str, ...]] = ("entry_id", "entry_ids", "filter")

    entry_id: EntryId | None = None

    @model_validator(mode="after")
    def _check_one_selection(self) -> Self:
        if sum(getattr(self, name) is not None for name in self.selections) != 1:
            raise ValueError(f"give exactly one of {', '.join(self.selections)}")
        if self.entry_id is not None:
            extra = self.model_fields_set & _FOR_MANY
            if extra:
                raise ValueError(f"with entry_id leave out {', '.join(sorted(extra))}")
        return self


_FOR_MANY = frozenset(
    {"dry_run", "start_at", "rate_per_second", "canary_size", "ramp", "max_failure_rate"}
)


class ResyncRequest(OneOrManyRequest):
    """One of ``entry_id``, ``entry_ids``, ``filter`` and ``source``, a slug.

    ``only_if_changed``: do not process an entry again that its source has not changed.
    """

    selections: ClassVar[tuple[str, ...]] = (*OneOrManyRequest.selections, "source")

    source: SourceSlug | None = None
    only_if_changed: bool = False

    def selection(self) -> Selection:
        if self.source is not None:
            return Selection(filter=EntryFilter(source=self.source))
        return super().selection()


class ResumeRequest(ReasonRequest):
    """``overrule_canary``: resume without a new canary after one that failed."""

    overrule_canary: bool = False


class RescheduleRequest(ReasonRequest):
    """``start_at``: null starts it as soon as it can."""

    start_at: Moment | None


class OperationQuery(PageQuery):
    """``created_after``: created at this time or later. ``created_before``: before this time."""

    order: ClassVar = Keyset(columns=("created_at", "pk"), parsers=(parse_instant, parse_uuid))

    state: (
        Literal["awaiting_approval", "planned", "running", "paused", "completed", "cancelled"]
        | None
    ) = None
    created_after: Moment | None = Field(default=None, description="created at this time or later")
    created_before: Moment | None = Field(default=None, description="created before this time")


class ItemQuery(PageQuery):
    order: ClassVar = ITEM_ORDER

    outcome: (
        Literal[
            "planned",
            "queued",
            "running",
            "succeeded",
            "failed",
            "scheduled",
            "unchanged",
            "cancelled",
            "skipped",
        ]
        | None
    ) = None
