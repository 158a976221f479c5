"""Artifacts on Prefect's page: counts per center and a link to the report; nothing of a patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.outcome import DeliveryOutcome, RunOutcome
from flows.show import HEADER, row


def center_artifact(center_id: str, outcomes: list[dict[str, Any]]) -> None:
    """A table of the deliveries of one center."""
    lines = [dict(zip(HEADER, row(DeliveryOutcome(**item)), strict=True)) for item in outcomes]
    key = "center-" + center_id.lower().replace("_", "-")
    create_table_artifact(lines, key=key, description=f"Deliveries of center {center_id}")


def run_artifact(outcome: RunOutcome) -> None:
    """What became of the run, with a line per delivery."""
    head = "| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER)
    body = "\n".join("| " + " | ".join(row(d)) + " |" for d in outcome.deliveries)
    state = outcome.state if outcome.load_id is None else f"{outcome.state}: load {outcome.load_id}"
    text = f"**{state}**\n\n{head}\n{body}\n"
    create_markdown_artifact(text, key="run", description="Deliveries of the run")


def report_artifact(page: str) -> None:
    """A link to the report's page."""
    create_link_artifact(Path(page).as_uri(), link_text="Report", key="report")
