"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    #: It works, and will not under some conditions.
    WARNING = "warning"
    #: Something does not work, or is not safe.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``check``: a stable name for scripts. ``advice``: what to do; empty where all is well."""

    check: str
    level: Level
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Diagnosis:
    return Diagnosis(check, Level.OK, text)


def warn(check: str, text: str, advice: str) -> Diagnosis:
    return Diagnosis(check, Level.WARNING, text, advice)


def fail(check: str, text: str, advice: str) -> Diagnosis:
    return Diagnosis(check, Level.PROBLEM, text, advice)


def judge_clock(check: str, whose: str, seconds: float) -> Diagnosis:
    """Judge how far the clock of a store is ahead of this machine's."""
    text = f"{whose}'s clock and this machine's are {abs(seconds):.1f} s apart."
    advice = "Run an NTP service such as chrony on both machines."
    if abs(seconds) > 5:
        return fail(check, text, advice)
    return warn(check, text, advice) if abs(seconds) > 1 else ok(check, text)
