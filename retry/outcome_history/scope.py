"""Of which sources an actor may see counts of outcomes: of those whose entries they may see."""

from entries.models import EVERYTHING, Scope
from retry.access.visibility import find_scope

__all__ = ["EVERYTHING", "Scope", "find_scope"]
