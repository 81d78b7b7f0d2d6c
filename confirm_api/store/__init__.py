"""Where the service keeps what it knows: tables, engines, migrations, the key store and the boxes under its keys.

`tables.py` is the main database; `vault.py` is the key store, a database of its own; `boxes.py` is pure.
"""
