"""What the terminal shows during and after a run. Counts, names of centers and files; no values."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO

from flows.outcome import (
    DELIVERED,
    NO_ADDRESS,
    NOT_SENT,
    NOTHING_NEW,
    PUBLISHED,
    WRITTEN,
    DeliveryOutcome,
    RunOutcome,
)

_STAGES = {
    "pull": "taking deliveries",
    "read": "reading and checking",
    "build": "building the warehouse",
    "judge": "estimates and audit",
    "publish": "publishing",
    "report": "writing the report",
    "flow": "running as a flow on the Prefect server",
}
_NOTHING_NEW = "nothing new: what is published is up to date"
_AS_BEFORE = (
    "nothing new: what is published stays, some of it as read before a change (see the note)"
)
HEADER = (
    "center",
    "delivery",
    "rows read",
    "loaded",
    "quarantined",
    "excluded",
    "errors",
    "warnings",
    "state",
)


class Progress(Protocol):
    """Told what a run is doing."""

    def stage(self, name: str, centers: int = 0) -> None:
        """A stage begins; `centers` is how many centers it will go through."""

    def delivery(self, outcome: DeliveryOutcome) -> None:
        """A delivery is done."""

    def close(self) -> None:
        """The run has ended."""


class Silent:
    """Shows nothing."""

    def stage(self, name: str, centers: int = 0) -> None:
        """Nothing."""

    def delivery(self, outcome: DeliveryOutcome) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class PlainLines:
    """One line per stage and delivery, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def stage(self, name: str, centers: int = 0) -> None:
        """Names the stage."""
        print(f"{_STAGES[name]} ...", file=self._stream, flush=True)

    def delivery(self, outcome: DeliveryOutcome) -> None:
        """Names the delivery and its state."""
        print(f"  {describe(outcome)}", file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left to end."""


class Bar:
    """A bar over the centers on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=None, note="")
        self._centers: set[str] = set()

    def stage(self, name: str, centers: int = 0) -> None:
        """Moves the bar to the stage."""
        self._centers.clear()
        self._progress.reset(self._task, total=centers or None, description=_STAGES[name], note="")

    def delivery(self, outcome: DeliveryOutcome) -> None:
        """Counts the center and prints what went wrong."""
        self._centers.add(outcome.center_id)
        done = len(self._centers)
        self._progress.update(self._task, completed=done, note=outcome.center_id)
        if outcome.trouble:
            self._progress.console.print(describe(outcome), style="red", markup=False)

    def close(self) -> None:
        """Takes the bar away."""
        self._progress.stop()


def make_progress(quiet: bool) -> Progress:
    """A bar on a terminal, plain lines otherwise, nothing if `quiet`."""
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else PlainLines(sys.stderr)


def describe(outcome: DeliveryOutcome) -> str:
    """One line about a delivery."""
    when = f" {outcome.received_on}" if outcome.received_on else ""
    return f"{outcome.center_id}{when}: {outcome.state}"


def results_table(outcome: RunOutcome) -> str:
    """The final table: one line per delivery, sorted by center and date."""
    ordered = sorted(outcome.deliveries, key=lambda d: (d.center_id, d.received_on))
    rows = [row(delivery) for delivery in ordered]
    widths = [max(len(cells[i]) for cells in (HEADER, *rows)) for i in range(len(HEADER))]
    return "\n".join(_line(cells, widths) for cells in (HEADER, *rows))


def row(delivery: DeliveryOutcome) -> tuple[str, ...]:
    """The cells of `HEADER` for one delivery."""
    counts: tuple[Any, ...] = (
        delivery.rows_read,
        delivery.rows_loaded,
        delivery.rows_quarantined,
        delivery.rows_excluded,
        delivery.errors,
        delivery.warnings,
    )
    # Where nothing was read there is nothing to count: a dash, not a zero.
    shown = [f"{count:,}" if delivery.rows_read else "-" for count in counts]
    return (delivery.center_id, delivery.received_on or "-", *shown, delivery.state)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [
        cell.rjust(width) if 2 <= i <= 7 else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def summary(outcome: RunOutcome) -> str:
    """What stands below the table: state, messages, and where the results are."""
    lines = []
    if outcome.state == PUBLISHED:
        lines.append(f"published as load {outcome.load_id}")
    elif outcome.state == NOTHING_NEW:
        lines.append(_NOTHING_NEW if not outcome.not_read_again else _AS_BEFORE)
    else:
        lines.append(outcome.state)
    if outcome.warehouse:
        lines.append(f"warehouse  {outcome.warehouse}")
    if outcome.report:
        lines.append(f"report     {outcome.report}")
    if outcome.quality:
        lines.append(f"audit      {outcome.quality}")
    if taken := sum(file["n_answers"] for file in outcome.answers):
        lines.append(f"answers    {taken} taken from {len(outcome.answers)} file(s)")
    if packets := packet_summary(outcome.packets):
        lines.append(f"questions  {packets} (vault/packets/<center>/queries)")
    return "\n".join(lines)


def messages(outcome: RunOutcome) -> str:
    """One message per failure, then the warnings of the audit."""
    lines = [f"{d.center_id}: {d.message}" for d in outcome.deliveries if d.trouble]
    notes = {_note(d): None for d in outcome.deliveries if d.message and not d.trouble}
    lines += notes
    lines += [_alike(d) for d in outcome.deliveries if d.rows_alike]
    lines += outcome.messages
    lines += outcome.not_read_again
    lines += [f"audit warning: {text}" for text in outcome.warnings]
    lines += [f"answers: {text}" for file in outcome.answers for text in file["problems"]]
    lines += packet_messages(outcome.packets)
    return "\n".join(lines)


def _note(delivery: DeliveryOutcome) -> str:
    """What is said of a delivery that needs nobody; it names the center."""
    named = f"inbox/{delivery.center_id}" in delivery.message
    return (
        f"note: {delivery.message}" if named else f"note: {delivery.center_id}: {delivery.message}"
    )


def _alike(delivery: DeliveryOutcome) -> str:
    """Rows that may be those of a patient who has withdrawn: somebody has to say so."""
    return (
        f"warning: {delivery.center_id}: {delivery.rows_alike} row(s) of the delivery of "
        f"{delivery.received_on} are held back: the patient id is written almost like that of a patient "
        "who has withdrawn (findings of STR-04 name the rows)\n"
        f"  Fix: if it is that patient: carmony forget STUDY {delivery.center_id} -; if it is another one, "
        "the same with --another-patient, then run again"
    )


def packet_messages(packets: list[dict[str, Any]]) -> list[str]:
    """What went wrong with packets of questions, or should be known of them."""
    lines = []
    for packet in packets:
        whose = f"packet of {packet['center_id']}"
        if packet.get("state") == NOT_SENT:
            lines.append(f"warning: {whose} was not written: {packet['message']}")
        delivery, message = packet.get("delivery"), packet.get("delivery_message")
        if delivery == NOT_SENT:
            lines.append(f"warning: {whose} was not delivered: {message}")
        elif message:
            lines.append(f"note: {whose}: {message}")
    homeless = [p["center_id"] for p in packets if p.get("delivery") == NO_ADDRESS]
    if homeless:
        lines.append(f"note: no address in 'notification' for the packets of {', '.join(homeless)}")
    return lines


def packet_summary(packets: list[dict[str, Any]]) -> str:
    """One line on packets that were written or brought; empty if none was."""
    written = [p["center_id"] for p in packets if p.get("state") == WRITTEN]
    brought = [p["center_id"] for p in packets if p.get("delivery") == DELIVERED]
    texts = [f"written for {', '.join(written)}"] if written else []
    texts += [f"delivered to {', '.join(brought)}"] if brought else []
    return "; ".join(texts)
