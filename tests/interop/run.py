"""Run the scenarios against a service from the command line.

python -m tests.interop.run keys FOLDER
    makes our keys; the service's settings name FOLDER/engine.jwks.json, vneid.jwks.json and police.jwks.json
python -m tests.interop.run service FOLDER URL --port 8899 [--suite vn-p256] [--only WORD] [--slow]
    our provider listens on the port (the idp's `url` in the settings), the scenarios run, the failures are printed
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.interop import conformance
from tests.interop.second.keys import SUITES
from tests.interop.world import PeerKeys, open_world, provider


def main() -> int:
    """Exit code 0 where all held."""
    options = _options()
    folder = Path(options.folder)
    if options.what == "keys":
        PeerKeys.make().write(folder)
        return 0
    keys = PeerKeys.read(folder)
    with provider(keys).running(options.port) as vneid:
        world = open_world(keys, vneid, options.url, vneid_suite=options.suite, patience=options.patience)
        failed = conformance.check_service(world, slow=options.slow, only=options.only, tell=_tell)
    sys.stdout.write(f"{len(failed)} failed\n")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("keys").add_argument("folder")
    service = commands.add_parser("service")
    service.add_argument("folder")
    service.add_argument("url")
    service.add_argument("--port", type=int, default=8899)
    service.add_argument("--suite", choices=SUITES, default=SUITES[0])
    service.add_argument("--only", default="")
    service.add_argument("--slow", action="store_true")
    service.add_argument("--patience", type=float, default=45)
    return parser.parse_args()


def _tell(outcome: conformance.Outcome) -> None:
    sign = "FAIL" if outcome.problem else "ok  "
    sys.stdout.write(f"{sign} {outcome.seconds:6.1f} s  {outcome.name}\n{outcome.problem}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
