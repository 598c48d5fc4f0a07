"""The alert rules and the dashboard name metrics and labels that a scrape has."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from retry.dispatcher.loop import Dispatcher
from retry.metrics.collector import DeskCollector
from tests.laws.tree import ROOT
from tests.support.counts import append, fail, fold, succeed

pytestmark = pytest.mark.django_db(transaction=True)

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "redrive.json"
DOCS = ROOT / "docs" / "operations.md"
_SELECTOR = re.compile(r"\b(?P<name>redrive_[a-z_]+)(?:\{(?P<labels>[^}]*)\})?")
_LABEL = re.compile(r'(?P<name>\w+)(?:=~|!~|!=|=)"(?P<value>[^"]*)"')
_EXPRESSION = re.compile(r"^ +expr: (?:>-\n)?((?:.|\n)*?)\n +(?:for|labels):", re.MULTILINE)
_GROUPED = re.compile(r"\b(?:by|on) \((?P<labels>[^)]*)\)")
#: What Prometheus adds.
_ADDED = {"job", "instance"}
_ROW = re.compile(r"^\| `(?P<name>redrive_[a-z_]+)` \|(?P<labels>[^|]*)\|", re.MULTILINE)


def collect() -> list[Metric]:
    append(succeed(), fail("it broke"))
    fold()
    Dispatcher().tick()
    return list(DeskCollector().collect())


def list_queries() -> Iterator[str]:
    yield from _EXPRESSION.findall(ALERTS.read_text())
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in board["templating"]["list"]:
        if "definition" in variable:
            yield variable["definition"]


def test_every_metric_and_label_that_is_asked_for_exists() -> None:
    labels: dict[str, dict[str, set[str]]] = {}
    for metric in collect():
        for sample in metric.samples:
            known = labels.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                known.setdefault(name, set()).add(value)
    queries = list(list_queries())
    assert len(queries) > 30
    for query in queries:
        used: set[str] = set()
        for selector in _SELECTOR.finditer(query):
            assert selector["name"] in labels, query
            known = labels[selector["name"]]
            used |= known.keys()
            for label in _LABEL.finditer(selector["labels"] or ""):
                assert label["name"] in known.keys() | _ADDED, query
                if label["name"] in known and "$" not in label["value"]:
                    for part in label["value"].split("|"):
                        there = known[label["name"]]
                        assert any(re.fullmatch(part, value) for value in there), query
        for group in _GROUPED.finditer(query):
            assert {name.strip() for name in group["labels"].split(",")} <= used | _ADDED, query


def test_every_metric_is_explained() -> None:
    table = {row["name"]: row["labels"].strip() for row in _ROW.finditer(DOCS.read_text())}
    found = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: ", ".join(
            f"`{name}`" for name in metric.samples[0].labels if name != "le"
        )
        for metric in collect()
    }
    assert table == found


def test_the_dashboard_has_what_grafana_needs() -> None:
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_the_alerts_are_what_prometheus_accepts() -> None:
    folder = ALERTS.parent
    for words in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        subprocess.run(["promtool", *words], cwd=folder, check=True, capture_output=True)
