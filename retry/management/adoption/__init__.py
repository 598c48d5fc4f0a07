"""The systems that ``manage.py adopt`` knows: what it asks for, and the source that it adds."""

from collections.abc import Mapping

from retry.management.adoption.celery import CELERY
from retry.management.adoption.rq import RQ
from retry.management.adoption.system import System

SYSTEMS: Mapping[str, System] = {"rq": RQ, "celery": CELERY}

__all__ = ["SYSTEMS", "System"]
