"""Every scenario by name, in playing order."""

from collections.abc import Callable, Mapping

from faults.scenarios import (
    control,
    deaths,
    isolation,
    poolers,
    sentinels,
    side_by_side,
    stores,
)
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Stage

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for module in (isolation, deaths, side_by_side, stores, sentinels, poolers, control)
    for scenario in module.SCENARIOS
}

__all__ = ["SCENARIOS", "Callable", "Outcome", "Scenario", "Stage"]
