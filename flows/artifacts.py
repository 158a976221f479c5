"""Artifacts on Prefect's page: counts per center and a link to the report; nothing of a patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.outcome import DeliveryOutcome, RunOutcome
from flows.show import HEADER, packet_messages, row


def center_artifact(center_id: str, outcomes: list[dict[str, Any]]) -> None:
    """A table of the deliveries of one center."""
    lines = [dict(zip(HEADER, row(DeliveryOutcome(**item)), strict=True)) for item in outcomes]
    key = "center-" + center_id.lower().replace("_", "-")
    told = f"Deliveries of center {center_id} as read; findings of the build are counted in the page of the run"
    create_table_artifact(lines, key=key, description=told)


def run_artifact(outcome: RunOutcome) -> None:
    """What became of the run, with a line per delivery."""
    head = "| " + " | ".join(HEADER) + " |\n|" + "---|" * len(HEADER)
    body = "\n".join("| " + " | ".join(row(d)) + " |" for d in outcome.deliveries)
    state = outcome.state if outcome.load_id is None else f"{outcome.state}: load {outcome.load_id}"
    text = f"**{state}**\n\n{head}\n{body}\n{_packets(outcome)}"
    create_markdown_artifact(text, key="run", description="Deliveries of the run")


def _packets(outcome: RunOutcome) -> str:
    """Packets of questions: counts, and why one was not delivered."""
    if not outcome.packets:
        return ""
    lines = [
        f"| {p['center_id']} | {p.get('n_queries', '-')} | {p.get('n_new', '-')} "
        f"| {p.get('state', '-')} | {p.get('delivery', '-')} |"
        for p in outcome.packets
    ]
    head = "| center | questions | new | packet | delivery |\n|---|---|---|---|---|"
    told = "\n".join(f"- {text}" for text in packet_messages(outcome.packets))
    return "\n".join(["\nPackets of questions\n", head, *lines, "", told, ""])


def report_artifact(page: str) -> None:
    """A link to the report's page."""
    create_link_artifact(Path(page).as_uri(), link_text="Report", key="report")
