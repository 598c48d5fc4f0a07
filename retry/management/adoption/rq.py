"""``manage.py adopt rq``."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from entries.foreign_rq import PREFIX
from retry.management.adoption.system import Place, System, read_secret

_EXAMPLES = """\
example:
  echo redis://:password@redis.shop.example:6379/0 |
      manage.py adopt rq --url - --queue default --queue mail
"""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        required=True,
        help="redis://… or rediss://… of the installation; - reads it from standard input, so "
        "that a password is in no list of processes",
    )
    parser.add_argument(
        "--queue",
        action="append",
        required=True,
        metavar="NAME",
        help="a queue whose failed jobs are adopted. Can be given more than once.",
    )
    parser.add_argument(
        "--prefix", default=PREFIX, help="how RQ's keys begin, if RQ_KEY_PREFIX is set there"
    )


def _read_place(given: Mapping[str, Any]) -> Place:
    options: dict[str, Any] = {"queues": sorted(set(given["queue"]))}
    if given["prefix"] != PREFIX:
        options["prefix"] = given["prefix"]
    return read_secret(given["url"]), options


RQ = System(
    help="the failed-job registries of RQ, 1.16 to 3",
    examples=_EXAMPLES,
    noun="jobs",
    source_kind="rq_failed",
    entry_kind="rq_job",
    add_arguments=_add_arguments,
    read_place=_read_place,
)
