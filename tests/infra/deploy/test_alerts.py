"""Alerts: of every metric that the runbook says to watch, with a page that says what to do, and tried."""

import re
from typing import Any

import yaml

from tests.infra.deploy.manifests import DEPLOY, KUBERNETES, read
from tests.infra.test_document_names import anchors
from tests.sandbox import ROOT

OF_NO_ALERT = {"orders_backordered_units", "orders_database_statements_total", "orders_database_transactions_total"}
"""What is too much of these depends on the shop."""


def rules() -> list[dict[str, Any]]:
    (written,) = read(DEPLOY / "rules.yml")
    return [rule for group in written["groups"] for rule in group["rules"]]


def test_every_metric_that_the_runbook_watches_has_an_alert() -> None:
    table = (ROOT / "docs/operating.md").read_text().split("\n## Metrics and alerts\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    watched = {name for cell in cells for name in re.findall(r"`([a-z_]+)", cell)}
    asked = {name for rule in rules() for name in re.findall(r"\b(?:orders|temporal)_[a-z_]+", rule["expr"])}
    assert watched - OF_NO_ALERT <= {name.removesuffix("_bucket") for name in asked}
    assert watched >= OF_NO_ALERT


def test_each_alert_says_what_to_do_and_is_tried() -> None:
    tried = (DEPLOY / "rules_test.yml").read_text()
    for alert in [rule for rule in rules() if "alert" in rule]:
        page, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert anchor in anchors(ROOT / page), alert["alert"]
        assert f'alertname="{alert["alert"]}"' in tried


def test_a_cluster_has_the_same_rules() -> None:
    (resource,) = read(KUBERNETES / "base/rules.yaml")
    assert resource["spec"] == yaml.safe_load((DEPLOY / "rules.yml").read_text()), "make rules"
