#!/usr/bin/env python3
"""Refuse a run-time library whose licence does not go with ours (Apache-2.0).

usage: python scripts/check_licences.py [--list]

Rules
- Looked at: everything in requirements/run.txt, so also what our libraries pull in. A library that is not installed
  here because it serves another platform must be in ELSEWHERE.
- Read from the package's own metadata: License-Expression, else its classifiers, else its License field.
- Allowed: permissive licences, MPL-2.0, and LGPL used unmodified. GPL and AGPL never; unknown never.
- A package whose metadata says too little stands in READ_BY_HAND with what its licence file says.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "run.txt"
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU"),
    *("PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "BSL-1.0", "Apache-2.0 WITH LLVM-exception"),
    *("MPL-2.0", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later"),
}
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
FREE_TEXT = {"Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0", "BSD": "BSD-3-Clause"}
READ_BY_HAND: dict[str, str] = {}
ELSEWHERE: dict[str, str] = {}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def declared(name: str) -> str:
    """What a package says of its licence, as an SPDX expression; empty where it says nothing clear."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    meta = importlib.metadata.metadata(name)
    if "License-Expression" in meta:
        return meta["License-Expression"]
    tails = [line.rpartition(" :: ")[2] for line in meta.get_all("Classifier") or [] if line.startswith("License ::")]
    known = [CLASSIFIERS[tail] for tail in tails if tail in CLASSIFIERS]
    if known:
        return " OR ".join(sorted(set(known)))
    text = meta["License"].strip() if "License" in meta else ""
    return FREE_TEXT.get(text, text if text in ALLOWED else "")


def acceptable(expression: str) -> bool:
    """Does an SPDX expression leave us a licence we allow?

    >>> acceptable("MIT AND (Apache-2.0 OR GPL-2.0-only)"), acceptable("MIT AND GPL-3.0-only"), acceptable("")
    (True, False, False)
    """
    words = re.findall(r"\(|\)|[^\s()]+(?: WITH [^\s()]+)?", expression)
    python = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    terms = [python.get(word, str(word in ALLOWED)) for word in words]
    # Only the words True, False, and, or and brackets can stand here.
    return bool(terms) and bool(eval(" ".join(terms)))  # noqa: S307


def main() -> int:
    """Check all; name each refused one."""
    refused = []
    names = PIN.findall(LOCK.read_text(encoding="utf-8"))
    for name in names:
        try:
            licence = ELSEWHERE.get(name) or declared(name)
        except importlib.metadata.PackageNotFoundError:
            licence = "not installed here, and not in ELSEWHERE"
        if "--list" in sys.argv[1:]:
            print(f"{name}: {licence}")
        if not acceptable(licence):
            refused.append(f"{name} ({licence or 'no clear licence in its metadata'})")
    if refused:
        print(f"not allowed at run time: {', '.join(refused)}; leave it out, or read its licence and record it here")
        return 1
    print(f"licences of {len(names)} run-time libraries are allowed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
