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
        """Column → Polars type."""
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

MENTIONS = Table(
    "mentions",
    {
        "mention": (pl.Int32, "dense number of the mention, from 0"),
        "line": (pl.Int32, "number of its owner line, from 0, in the order read"),
        "role": (_TEXT, "owner, co_owner, co_owner_2, …"),
        "kind": (_TEXT, "person, organisation, community, religious, unknown"),
        "name": (_TEXT, "name for display"),
        "name_key": (_TEXT, "lower case with accents, one spelling of each sound"),
        "name_folded": (_TEXT, "folded name"),
        "name_sound": (_TEXT, "coarse key for dialect and hearing"),
        "surname": (_TEXT, "folded"),
        "given": (_TEXT, "folded"),
        "accented": (pl.Boolean, "the name carries accents"),
        "sex": (_TEXT, "M or F"),
        "birth_year": (pl.Int16, "placeholders are null"),
        "birth_month": (pl.Int8, "null where only the year is known"),
        "birth_day": (pl.Int8, "null where only the year is known"),
        "id12": (_TEXT, "12 digits"),
        "id9": (_TEXT, "9 digits"),
        "commune": (_TEXT, "new code of the residence named in the address"),
        "parcel_commune": (_TEXT, "new code of the parcel's commune"),
        "province": (_TEXT, "2-digit code of the residence, else of the parcel"),
        "hamlet": (_TEXT, "folded"),
        "spouse_folded": (_TEXT, "folded name of the husband or wife named beside"),
        "spouse_sound": (_TEXT, "sound of that name"),
        "spouse_given": (_TEXT, "given name of that name"),
        "serial": (_TEXT, "normalised certificate serial"),
        "parcel_code": (_TEXT, "the parcel"),
        "deceased": (pl.Boolean, "a death mark stands beside the name"),
        "representative": (pl.Boolean, "named as representative, not as owner"),
    },
)

CITIZENS = Table(
    "citizens",
    {
        "id": (pl.Int32, "dense number of the citizen, from 0"),
        "citizen_id": (_TEXT, "12 digits"),
        "name": (_TEXT, "name for display"),
        "name_key": (_TEXT, "as in mentions"),
        "name_folded": (_TEXT, "as in mentions"),
        "name_sound": (_TEXT, "as in mentions"),
        "surname": (_TEXT, "folded"),
        "given": (_TEXT, "folded"),
        "accented": (pl.Boolean, "as in mentions"),
        "sex": (_TEXT, "M or F"),
        "birth_year": (pl.Int16, "year"),
        "birth_month": (pl.Int8, "month"),
        "birth_day": (pl.Int8, "day"),
        "id12": (_TEXT, "the citizen_id again, as a compared column"),
        "id9": (_TEXT, "former 9-digit number"),
        "kin": (pl.Int32, "number shared by one household or couple"),
        "commune": (_TEXT, "new code of residence"),
        "province": (_TEXT, "2-digit code"),
        "hamlet": (_TEXT, "folded"),
        "spouse_folded": (_TEXT, "folded name of the husband or wife"),
        "spouse_sound": (_TEXT, "sound of that name"),
        "spouse_given": (_TEXT, "given name of that name"),
        "alive": (pl.Boolean, "not deceased by the register"),
        "status": (_TEXT, "alive, deceased, emigrated"),
    },
)

PARENTS = Table(
    "parents",
    {
        "id": (pl.Int32, "the citizen"),
        "father_folded": (_TEXT, "folded name of the father"),
        "mother_folded": (_TEXT, "folded name of the mother"),
    },
)

PERSONS = Table(
    "persons",
    {
        "id": (pl.Int32, "dense number of the person, from 0"),
        "person_id": (_TEXT, "stable id: hash of the first line and role gathered"),
        "kind": (_TEXT, "person, organisation, community, religious, unknown"),
        "mentions": (pl.Int32, "mentions gathered"),
        **{
            name: MENTIONS.columns[name]
            for name in (
                "name",
                "name_key",
                "name_folded",
                "name_sound",
                "surname",
                "given",
                "accented",
                "sex",
                "birth_year",
                "birth_month",
                "birth_day",
                "id12",
                "id9",
                "commune",
                "parcel_commune",
                "province",
                "hamlet",
                "spouse_folded",
                "spouse_sound",
                "spouse_given",
                "deceased",
            )
        },
        "conflict": (_TEXT, "which identity fields disagree inside the person, else null"),
    },
)

MEMBERS = Table(
    "members",
    {
        "mention": (pl.Int32, "a mention"),
        "id": (pl.Int32, "its person"),
        "reason": (_TEXT, "stable code of the key that joined it, `alone` for a single mention"),
    },
)

LINKS = Table(
    "links",
    {
        "owner_record_id": (_TEXT, "the owner line"),
        "role": (_TEXT, "owner, co_owner, co_owner_2, …"),
        "person_id": (_TEXT, "the owner after quy chủ"),
        "citizen_id": (_TEXT, "best candidate, or null"),
        "match_weight": (pl.Float64, "bits, with the prior of one citizen among all"),
        "match_probability": (pl.Float64, "0 to 1, over all candidates and nobody"),
        "decision": (_TEXT, "link, ask, review, no_match, not_a_person"),
        "reason": (_TEXT, "stable code"),
        "runner_up_citizen_id": (_TEXT, "second best candidate, or null"),
        "runner_up_probability": (pl.Float64, "0 to 1"),
        "has_id": (pl.Boolean, "the person carries a 9- or 12-digit number"),
        "sex": (_TEXT, "M or F"),
        "birth_year": (pl.Int16, "year"),
        "commune_code": (_TEXT, "new code of the parcel's commune, else of the residence"),
    },
)
