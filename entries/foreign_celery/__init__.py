"""What has failed in a Celery installation: read from its results, sent again, and looked at.

Its results are read from the table of django-celery-results, and nothing is ever unpickled.
``results`` is the only module that speaks to that database, ``sender`` the only one that imports
Celery; ``rabbit`` has what RabbitMQ needs beyond that.
"""

from entries.foreign_celery.addresses import (
    find_broker_problem,
    find_results_problem,
    is_rabbit,
)
from entries.foreign_celery.arguments import Arguments, ArgumentsUnclear, State, read_arguments
from entries.foreign_celery.broker_errors import (
    BrokerAway,
    BrokerRefused,
    CeleryMissing,
    MaybeSent,
)
from entries.foreign_celery.results import (
    FailedTask,
    Results,
    ResultsAway,
    ResultsRefused,
    Sight,
    share_results,
)
from entries.foreign_celery.sender import Message, connect
from entries.foreign_celery.task_ids import derive_id

__all__ = [
    "Arguments",
    "ArgumentsUnclear",
    "BrokerAway",
    "BrokerRefused",
    "CeleryMissing",
    "FailedTask",
    "MaybeSent",
    "Message",
    "Results",
    "ResultsAway",
    "ResultsRefused",
    "Sight",
    "State",
    "connect",
    "derive_id",
    "find_broker_problem",
    "find_results_problem",
    "is_rabbit",
    "read_arguments",
    "share_results",
]
