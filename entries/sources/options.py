"""Options of a source, parsed into strict types; pure."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from entries.errors import SourceError


class Options(BaseModel):
    """Subclass it with one field for each option; unknown options are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def problems(self) -> list[str]:
        """Return which options do not fit together, in words."""
        return []

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Parse and check options. Raises ``SourceError`` with ``invalid_options``."""
        parsed, problems = parse_options(cls, given)
        if parsed is None or problems:
            raise SourceError("invalid_options", "; ".join(problems))
        return parsed


Parsed = TypeVar("Parsed", bound=Options)


def parse_options(model: type[Parsed], given: Mapping[str, Any]) -> tuple[Parsed | None, list[str]]:
    """Return the options, or None, and what is wrong with them in words."""
    try:
        parsed = model.model_validate(dict(given))
    except ValidationError as error:
        return None, [_describe(one["type"], one["loc"], one["msg"]) for one in error.errors()]
    return parsed, parsed.problems()


def _describe(error_type: str, where: tuple[int | str, ...], message: str) -> str:
    name = ".".join(map(str, where))[:50]
    if error_type == "extra_forbidden":
        return f"unknown option {name}"
    return f"option {name}: {message[:1].lower()}{message[1:]}"
