"""What is brought to a center: the files of one packet, under names that tell whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.folder import StudyFolder


@dataclass(frozen=True, slots=True)
class Parcel:
    """A packet in the vault, on its way."""

    study_id: str
    center_id: str
    folder: Path  # vault/packets/<center>/queries/<YYYY-MM-DD>_<part>

    @property
    def name(self) -> str:
        """Name of the packet: `<YYYY-MM-DD>_<part>`."""
        return self.folder.name

    @property
    def day(self) -> str:
        """The day of the packet, as ISO date."""
        return self.name.partition("_")[0]

    def files(self) -> list[tuple[str, Path]]:
        """Name at the center and place of each file; the workbook last, when all else is there.

        Two centers or two packets never share a name.
        """
        found = sorted(p for p in self.folder.iterdir() if p.is_file() and p.name[0] != ".")
        found.sort(key=lambda path: path.suffix == ".xlsx")
        stem = f"{self.study_id}_{self.center_id}_{self.name}"
        return [(f"{stem}_{path.name}", path) for path in found]


def packets_of(folder: StudyFolder, center_id: str) -> Path:
    """The folder of a center's packets."""
    return folder.vault / "packets" / center_id / "queries"


def newest_packet(folder: StudyFolder, center_id: str) -> Path | None:
    """The last packet of a center; None before the first."""
    home = packets_of(folder, center_id)
    found = [p for p in home.iterdir() if p.is_dir() and _order(p)[0] >= 0] if home.is_dir() else []
    return max(found, key=_order, default=None)


def part_of(packet: Path | None) -> int:
    """The part of the log of queries up to which a packet tells; 0 for none."""
    return _order(packet)[0] if packet else 0


def _order(packet: Path) -> tuple[int, str]:
    """Part and day of a packet; part -1 of what is no packet."""
    day, _, part = packet.name.partition("_")
    return (int(part) if part.isascii() and part.isdigit() else -1, day)
