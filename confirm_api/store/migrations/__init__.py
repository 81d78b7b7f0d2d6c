"""Migrations of the two databases: `main` and `keys`; `confirm_api.store.engine.upgrade` runs them."""
