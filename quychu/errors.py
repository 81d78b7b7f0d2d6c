"""Refusals of the commands that stand above engine and service: one sentence each, exit code 1.

QuychuError
├── CircleSettingsError   the settings of the engine's side cannot be used
└── ServiceSaidNoError    the service cannot be reached, or refuses what was sent
"""

from __future__ import annotations


class QuychuError(Exception):
    """Root; `str(error)` is what the user reads."""

    code = "quychu"


class CircleSettingsError(QuychuError):
    """The settings of the engine's side cannot be used."""

    code = "circle-settings"


class ServiceSaidNoError(QuychuError):
    """The service cannot be reached in time, or refuses what was sent."""

    code = "service-said-no"
