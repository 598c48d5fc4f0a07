"""``manage.py adopt celery``."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from retry.management.adoption.system import Place, System, read_secret

_EXAMPLES = """\
examples:
  look only, as a user who may read one table:
    echo postgresql://reader:password@db.shop.example/shop | manage.py adopt celery --results -

  look and retry, by way of the RabbitMQ or Redis on the second line of addresses.txt; tasks of mail
  go to the queue mail, all others to celery:
    manage.py adopt celery --results - --broker - --route 'shop.mail.*=mail' < addresses.txt

REDRIVE_CELERY_HOSTS must name both hosts. What is sent again, is sent by Celery in the workers:
pip install redrive[celery]. Arguments that are known as a text only have to be looked at first:
see docs/adopting.md.
"""


def _check_route(text: str) -> str:
    if not all(part.strip() for part in text.partition("=")):
        raise ArgumentTypeError("write PATTERN=QUEUE, such as shop.mail.*=mail")
    return text


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--results",
        required=True,
        metavar="URL",
        help="postgresql://… of the database that has the table of django-celery-results; - reads "
        "it from standard input, so that a password is in no list of processes",
    )
    parser.add_argument(
        "--broker",
        default="",
        metavar="URL",
        help="amqp://…/vhost, amqps://…, redis://… or rediss://… of the broker, for retries; - "
        "reads it from standard input, after that of the results (default: none, tasks are only "
        "shown)",
    )
    parser.add_argument(
        "--queue",
        default="celery",
        metavar="NAME",
        help="where tasks are sent to, as the results do not say it (default: %(default)s)",
    )
    parser.add_argument(
        "--route",
        action="append",
        default=[],
        type=_check_route,
        metavar="PATTERN=QUEUE",
        help="where tasks with such names are sent to instead. Can be given more than once: the "
        "first that fits counts.",
    )
    parser.add_argument(
        "--prefix",
        default="",
        help="how the keys of a broker in Redis begin, if global_keyprefix is set there",
    )


def _read_place(given: Mapping[str, Any]) -> Place:
    url = read_secret(given["results"])
    options: dict[str, Any] = {"queue": given["queue"]}
    if given["broker"]:
        options["broker"] = read_secret(given["broker"])
    if given["route"]:
        options["routes"] = given["route"]
    if given["prefix"]:
        options["prefix"] = given["prefix"]
    return url, options


CELERY = System(
    help="the results of Celery that django-celery-results keeps in PostgreSQL",
    examples=_EXAMPLES,
    noun="tasks",
    source_kind="celery_failed",
    entry_kind="celery_task",
    add_arguments=_add_arguments,
    read_place=_read_place,
)
