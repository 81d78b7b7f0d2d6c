"""Files of land offices → raw text tables (`OWNER_LINES`, `CITIZEN_LINES`) and the rows that were refused.

Read `reading.py` first. `mapping` finds columns, `files` judges bytes, `parquet`, `delimited` and `workbooks` read,
`pl3` and `elis` know the two Vietnamese layouts, `refusals` says which rows are refused.
"""

from linkage.sources.mapping import SourceMapping
from linkage.sources.reading import Source, original_rows, read_citizens, read_owners, read_table

__all__ = ["Source", "SourceMapping", "original_rows", "read_citizens", "read_owners", "read_table"]
