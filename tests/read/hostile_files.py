"""The files of the hostile corpus; two are too large to keep and are made when they are needed."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

HERE = Path(__file__).parent / "hostile"
HEADER = b"center,patient_id,birth_year,sex,infusion_date,age,ferritin,crs_grade,death_date,comment"


def made(name: str, folder: Path) -> Path:
    """The file of the corpus, put into `folder`."""
    path = folder / name
    if path.exists():
        return path
    if name == "031_10k_columns.csv":
        extra = b",".join(b"x%d" % at for at in range(9_992))
        path.write_bytes(HEADER + b"," + extra + b"\nLEI,P001,1961,f,2023-03-01,61,812.5,1,,\n")
        return path
    if name == "075_zip_bomb_300MB.xlsx":
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb,
            zipfile.ZipFile(HERE / "080_lying_dimension.xlsx") as model,
        ):
            for part in model.namelist():
                if "sheet1" not in part:
                    bomb.writestr(part, model.read(part))
            with bomb.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
                row = b'<row><c t="n"><v>1</v></c></row>' * 30_000
                sheet.write(b"<worksheet><sheetData>")
                for _ in range(310):
                    sheet.write(row)
                sheet.write(b"</sheetData></worksheet>")
        return path
    shutil.copyfile(HERE / name, path)
    return path
