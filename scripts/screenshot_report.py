"""Make `docs/images/report.png` (or another picture) from a finished run.

usage: screenshot_report.py RUN_DIR [OUT.png] [--width 1200] [--height 1500] [--english]
needs: chromium (Debian: apt-get install chromium) on the PATH

The report is written masked into a folder of its own, so the run stays as it is.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from linkage.report.page import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "report.png"


def main() -> int:
    """Take the picture; 1 where there is no browser."""
    options = _options()
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.stderr.write(f"expected one of {', '.join(BROWSERS)} on the PATH; install chromium.\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        run = Path(shutil.copytree(options.run, Path(folder) / options.run.resolve().name))
        page = write_report(run)
        if options.english:
            _switch_to_english(page)
        _shoot(browser, page, options)
    sys.stdout.write(f"{options.out}\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=PICTURE)
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--height", type=int, default=1500)
    parser.add_argument("--english", action="store_true")
    return parser.parse_args()


def _switch_to_english(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    text = text.replace('id="lang-vi" checked', 'id="lang-vi"').replace('id="lang-en"', 'id="lang-en" checked')
    page.write_text(text, encoding="utf-8")


def _shoot(browser: str, page: Path, options: argparse.Namespace) -> None:
    options.out.parent.mkdir(parents=True, exist_ok=True)
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--window-size={options.width},{options.height}", f"--screenshot={options.out.resolve()}", page.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
