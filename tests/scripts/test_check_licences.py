"""What goes with Apache-2.0 and what does not."""

import pytest

from scripts.check_licences import acceptable


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        "GPL-3.0-only OR MIT",
        "MIT AND (GPL-2.0-only OR Apache-2.0)",
        "Apache-2.0 WITH LLVM-exception",
        "LGPL-2.1-or-later",
    ],
)
def test_a_licence_that_goes_with_ours_is_accepted(expression):
    assert acceptable(expression)


@pytest.mark.parametrize("expression", ["", "GPL-3.0-only", "MIT AND GPL-2.0-or-later", "AGPL-3.0-only", "Proprietary"])
def test_gpl_and_the_unknown_are_refused(expression):
    assert not acceptable(expression)
