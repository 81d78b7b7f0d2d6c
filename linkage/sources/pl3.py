"""PL3-01 workbooks: not read yet."""
from __future__ import annotations
from collections.abc import Sequence
from typing import NoReturn
import polars as pl
from linkage.sources.tables import Taken
from linkage.sources.workbooks import Sheet
def take(file: str, sheets: Sequence[Sheet], *, named: bool) -> list[Taken]: return []
def originals(file: str, sheets: Sequence[Sheet], *, named: bool) -> list[pl.DataFrame]: return []
def refuse(file: str, sheets: Sequence[Sheet]) -> NoReturn: raise NotImplementedError
