"""The key store's own small schema; the main database knows nothing of it.

Rules
- `tag` finds a citizen and cannot be reversed without the index key; `wrapped` opens under the master key alone.
- `marks` tells which keys the store was made with.

>>> sorted(metadata.tables)
['citizen_keys', 'marks']
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})

citizen_keys = Table(
    "citizen_keys",
    metadata,
    Column("handle", String(64), primary_key=True),  # random
    Column("tag", LargeBinary(32), nullable=False, unique=True),  # HMAC-SHA-256 of the number
    Column("wrapped", LargeBinary, nullable=False),  # a box: the citizen's key, then the number
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
