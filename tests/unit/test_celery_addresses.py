"""Which database and which broker of a Celery installation may be named, and what a source says."""

from typing import TYPE_CHECKING

import pytest

from entries.foreign_celery import find_broker_problem, find_results_problem
from entries.masking import mask_values
from entries.sources.base import SourceSpec
from entries.sources.celery_failed import CeleryFailedKind, CeleryOptions

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql://reader:hunter2@db.example:5433/shop", ""),
        ("postgres://reader:hunter2@db.example:5433/shop?sslmode=require", ""),
        ("postgresql://reader:hunter2@/shop?host=/run/postgresql", ""),
        (
            "postgresql://reader:hunter2@other.example/shop",
            "other.example:5432 may not be connected",
        ),
        ("postgresql://reader:hunter2@db.example/shop", "db.example:5432 may not be connected"),
        ("postgresql://reader@/shop?host=/etc", "/etc may not be connected"),
        ("postgresql://a@db.example:5433,other:1/shop", "not an address"),
        ("postgresql://a@db.example:5433/shop?hostaddr=10.0.0.1", "only sslmode"),
        ("postgresql://a@db.example:5433/shop?service=x", "only sslmode"),
        ("postgresql://a@db.example:5433/shop?sslmode=x", "only sslmode"),
        ("postgresql://a@db.example:5433/shop?host=/run/postgresql", "an address such as"),
        ("postgresql://db.example:5433", "an address such as"),
        (
            "mysql://u:hunter2@db.example/shop",
            "results in mysql are not read: only those in Postgre",
        ),
        ("sqlite:///shop.db", "results in sqlite are not read"),
        ("redis://db.example:5433/0", "an address such as"),
    ],
)
def test_only_named_databases_are_read(settings: "Settings", url: str, problem: str) -> None:
    settings.REDRIVE_CELERY_HOSTS = ["db.example:5433", "/run/postgresql"]
    found = find_results_problem(url)
    assert problem in found
    assert bool(found) == bool(problem)
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://:hunter2@mq.example:6379/3", ""),
        ("rediss://u:hunter2@mq.example", ""),
        ("redis+socket:///run/redis.sock?virtual_host=2", ""),
        ("redis://:hunter2@other.example/3", "other.example:6379 may not be connected"),
        ("redis+socket:///etc/x.sock", "/etc/x.sock may not be connected"),
        ("redis+socket:///run/redis.sock?virtual_host=2&x=1", "an address such as"),
        ("redis://mq.example/0?ssl_cert_reqs=none", "an address such as"),
        ("amqp://u:hunter2@mq.example", ""),
        ("amqp://u:hunter2@mq.example:5672//", ""),
        ("pyamqp://u:hunter2@mq.example/shop", ""),
        ("amqps://u:hunter2@mq.example:5671/%2Fshop", ""),
        ("amqp://u:hunter2@mq.example/a;b", "one address, without spaces"),
        ("amqp://u:hunter2@other.example/shop", "other.example:5672 may not be connected"),
        ("amqps://u:hunter2@other.example/shop", "other.example:5671 may not be connected"),
        ("amqp:///shop", "an address such as"),
        ("amqp:shop", "an address such as"),
        ("amqp://u:hunter2@mq.example/shop?ssl=1", "an address such as"),
        ("amqp://u:hunter2@mq.example/shop#x", "an address such as"),
        ("amqp://u:hunter2@mq.example/a%00b", "an address such as"),
        (f"amqp://u:hunter2@mq.example/{'%C3%A4' * 128}", "an address such as"),
        ("amqp://u:hunter2@mq.example,other/shop", "an address such as"),
        # Celery would connect to other.example.
        ("redis://other.example:6379;x@mq.example/0", "one address, without spaces"),
        ("amqp://other.example:5672;x@mq.example/0", "one address, without spaces"),
        (" redis://mq.example/0", "one address, without spaces"),
        ("redis://mq.example/0\n", "one address, without spaces"),
        ("sqs://", "an address such as"),
        ("memory://", "an address such as"),
        ("redis://mq.example:x/0", "not an address"),
    ],
)
def test_only_named_brokers_are_sent_to(settings: "Settings", url: str, problem: str) -> None:
    settings.REDRIVE_CELERY_HOSTS = ["mq.example", "/run/redis.sock"]
    found = find_broker_problem(url)
    assert problem in found
    assert bool(found) == bool(problem)
    assert "hunter2" not in found


def test_options_of_the_source(settings: "Settings") -> None:
    settings.REDRIVE_CELERY_HOSTS = ["db.example", "mq.example"]
    kind, url = CeleryFailedKind(), "postgresql://reader@db.example/shop"
    assert kind.problems_with(SourceSpec("s", url)) == []
    good = {"broker": "redis://mq.example/0", "routes": ["shop.mail.*=mail", "*=slow"]}
    assert kind.problems_with(SourceSpec("s", url, good)) == []
    options = CeleryOptions.parse(good)
    assert (options.find_queue("shop.mail.send"), options.find_queue("x")) == ("mail", "slow")
    bad = {"broker": "redis://u:hunter2@other.example/0", "routes": ["mail"], "queue": ""}
    found = "; ".join(kind.problems_with(SourceSpec("s", url, bad)))
    assert "queue" in found
    found = "; ".join(kind.problems_with(SourceSpec("s", url, {**bad, "queue": "q"})))
    assert "'mail' is no pattern=queue" in found
    assert "other.example:6379 may not" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    "url", ["amqp://shop:hunter2@mq.example:5672//", "amqps://shop:hunter2@mq.example/queues"]
)
def test_who_logs_in_is_masked(url: str) -> None:
    shown = str(mask_values({"broker": url}))
    assert "mq.example" in shown
    assert "hunter2" not in shown
    assert "shop" not in shown


def test_what_is_of_redis_is_not_for_rabbitmq(settings: "Settings") -> None:
    settings.REDRIVE_CELERY_HOSTS = ["db.example", "mq.example"]
    url, kind = "postgresql://reader@db.example/shop", CeleryFailedKind()
    options = {"broker": "amqp://mq.example/shop", "prefix": "x"}
    assert kind.problems_with(SourceSpec("s", url, options)) == [
        "option prefix: only for Redis, queues of RabbitMQ have none"
    ]
    assert kind.problems_with(SourceSpec("s", url, {**options, "prefix": ""})) == []
