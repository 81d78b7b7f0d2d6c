"""The tables that cross a border between two steps: names, types, units, meaning.

Rules
- Each table is a `Table`: column → (Polars type, one sentence). A step checks what it takes and what it gives.
- Raw tables (from `sources`) hold text as written; normalised tables hold values that may be compared.
- *Folded* text is lower-case ASCII, words separated by one blank; every string similarity works on folded text.
- Missing is null, never an empty string, never a placeholder.

>>> REJECTED.empty().columns
['file', 'row', 'column', 'value', 'reason']
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from linkage.errors import InputError

Column = tuple[pl.DataType | type[pl.DataType], str]


@dataclass(frozen=True)
class Table:
    """A named contract for a table: `columns` maps a name to its type and meaning."""

    name: str
    columns: Mapping[str, Column]

    def schema(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        return {name: dtype for name, (dtype, _) in self.columns.items()}

    def empty(self) -> pl.DataFrame:
        """A frame with the contract's columns and no rows."""
        return pl.DataFrame(schema=self.schema())

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The contract's columns of `frame`, in order; `InputError` where one is absent or of another type."""
        for name, (dtype, _) in self.columns.items():
            found = frame.schema.get(name)
            if found != dtype:
                raise InputError(f"table {self.name}: expected column '{name}' of type {dtype}, found {found}.")
        return frame.select(list(self.columns))


_TEXT = pl.String

OWNER_LINES = Table(
    "owner_lines",
    {
        "owner_record_id": (_TEXT, "unique id of the line; never null"),
        "parcel_code": (_TEXT, "id of the parcel"),
        "commune_code": (_TEXT, "5-digit statistical code of the parcel's commune"),
        "commune_code_vintage": (_TEXT, "before-2025-07-01 or from-2025-07-01"),
        "map_sheet_no": (_TEXT, "tờ bản đồ"),
        "parcel_no": (_TEXT, "thửa"),
        "map_scale": (_TEXT, "scale of the map sheet"),
        "area_m2": (_TEXT, "area as written"),
        "land_use_code": (_TEXT, "code of land use"),
        "parcel_address": (_TEXT, "address of the parcel as written"),
        "certificate_serial": (_TEXT, "số phát hành: number printed on the certificate"),
        "certificate_no": (_TEXT, "số vào sổ: register number"),
        "certificate_date": (_TEXT, "date of issue as written"),
        "owner_kind": (_TEXT, "individual, couple, household, co_ownership, community, organisation"),
        "owner_role": (_TEXT, "individual, head, husband, wife, representative, member"),
        "owner_name": (_TEXT, "as written; may hold several persons"),
        "owner_birth": (_TEXT, "as written"),
        "owner_sex": (_TEXT, "as written"),
        "owner_id_no": (_TEXT, "as written"),
        "owner_id_date": (_TEXT, "as written"),
        "owner_address": (_TEXT, "as written"),
        "co_owner_name": (_TEXT, "second person as written"),
        "co_owner_birth": (_TEXT, "as written"),
        "co_owner_sex": (_TEXT, "as written"),
        "co_owner_id_no": (_TEXT, "as written"),
        "row_number": (pl.Int64, "1-based row in the source as its reader counts (a spreadsheet's own row number)"),
    },
)

CITIZEN_LINES = Table(
    "citizen_lines",
    {
        "citizen_id": (_TEXT, "12 digits, unique; never null"),
        "full_name": (_TEXT, "as written"),
        "former_id_no": (_TEXT, "9-digit CMND"),
        "birth_date": (_TEXT, "YYYY-MM-DD or YYYY"),
        "sex": (_TEXT, "M or F"),
        "commune_code": (_TEXT, "5-digit code of residence"),
        "commune_code_vintage": (_TEXT, "before-2025-07-01 or from-2025-07-01 (the default for citizens)"),
        "address": (_TEXT, "as written"),
        "spouse_name": (_TEXT, "as written"),
        "spouse_citizen_id": (_TEXT, "12 digits"),
        "father_name": (_TEXT, "as written"),
        "mother_name": (_TEXT, "as written"),
        "household_id": (_TEXT, "id shared by one household"),
        "status": (_TEXT, "alive, deceased, emigrated"),
        "row_number": (pl.Int64, "1-based row in the source"),
    },
)

REJECTED = Table(
    "rejected",
    {
        "file": (_TEXT, "name of the source file, without its folder"),
        "row": (pl.Int64, "1-based row in that file"),
        "column": (_TEXT, "column at fault, or null for the whole row"),
        "value": (_TEXT, "the refused value as text, at most 200 characters"),
        "reason": (_TEXT, "stable code, then a colon and one sentence"),
    },
)
