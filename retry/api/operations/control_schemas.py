"""Shapes of what steers an operation."""

from retry.api.http.schemas import ReasonText, Request


class ControlRequest(Request):
    reason: ReasonText = ""


class ResumeRequest(ControlRequest):
    """``overrule_canary``: go on without a new canary after one that failed."""

    overrule_canary: bool = False
