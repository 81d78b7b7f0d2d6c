"""Any two tables linked, or one table freed of duplicates, as one TOML file says: no Python needed.

`run.py` is the table of contents; `config.py` says what the file may hold; docs/models.md tells how to write one.
"""
