"""A folder to try the service in: keys of all parties, settings, SQLite; for development and demonstrations.

Rules
- What is there stays as it is; what is missing is made. So the simulator's `--dev` may use the same folder, before or
  after: it finds `service.jwks.json` and `vneid.keys.json` under these names.
- The private keys of all parties in one folder are for one machine and one person. Production has none of this.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     prepare(Path(folder)).name
'confirm_api.toml'
"""

from __future__ import annotations

from pathlib import Path

from confirm_api.audit.checkpoint import new_log_key, write_log_key
from confirm_api.store.master_keys import INDEX_FILE, MASTER_FILE, MasterKeys
from exchange.kinds import ROLES
from exchange.sealed.key_files import write_file
from exchange.sealed.keys import KeySet
from exchange.sealed.suites import SUITES

SETTINGS = "confirm_api.toml"
ORIGIN = "quychu.local/log"
_TEXT = """# Made by `quychu serve --dev`; every key stands in configs/confirm_api.example.toml.
[service]
keys = "service.keys.json"
host = "127.0.0.1"
port = 8600

[database]
url = "sqlite:///main.sqlite"

[key_store]
url = "sqlite:///keys.sqlite"
master = { file = "master.key" }
index = { file = "index.key" }

[audit]
origin = "quychu.local/log"
key = "log.key"

[office]
cookie_secure = false

[[peers]]
name = "engine"
role = "engine"
iss = "urn:quychu:peer:engine"
jwks = "engine.jwks.json"

[[peers]]
name = "vneid"
role = "vneid"
iss = "urn:quychu:peer:vneid"
jwks = "vneid.jwks.json"
url = "http://127.0.0.1:8700"

[[peers]]
name = "police"
role = "police"
iss = "urn:quychu:peer:police"
jwks = "police.jwks.json"
"""


def prepare(folder: Path) -> Path:
    """Make what is missing in `folder`; the settings' path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for role in ROLES:
        _keys(folder, role)
    if not (folder / MASTER_FILE).exists() and not (folder / INDEX_FILE).exists():
        MasterKeys.make(folder)
    if not (folder / "log.key").exists():
        write_log_key(new_log_key(ORIGIN), folder / "log.key")
    settings = folder / SETTINGS
    if not settings.exists():
        settings.write_text(_TEXT, encoding="utf-8")
    return settings


def _keys(folder: Path, role: str) -> None:
    private, public = folder / f"{role}.keys.json", folder / f"{role}.jwks.json"
    if not private.exists():
        KeySet.generate(list(SUITES)).save(private)
    write_file(public, KeySet.load(private).public().to_json(), mode=0o644, replace_existing=True)
