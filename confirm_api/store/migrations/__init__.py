"""Migrations of the two databases, `main` and `keys`; `confirm_api.store.engine.upgrade` runs them.

Rules
- A version that has been released is never changed. The next one is `versions/v0002_what_it_does.py` with
  `revision = "0002"` and `down_revision = "0001"`, and changes `tables.py` (or `key_tables.py`) in the same commit:
  `tests/confirm_api/store/test_engine.py` compares the two on both databases.
- There is no way down: the way back is a backup.
"""
