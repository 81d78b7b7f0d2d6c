"""joserfc with our limits: only the algorithms of the suites, sizes from the protocol's one limit on a body.

Rules
- joserfc caps a ciphertext at 64 KiB and a JWS payload near 96 KiB; both are raised to the limit of check (1), which is
  applied before anything here runs.
- An algorithm outside its suite is not in the registry, so it cannot be reached by any header.

>>> sorted(JWS)
['modern-25519', 'vn-p256']
"""

from __future__ import annotations

from joserfc.jwe import JWERegistry
from joserfc.jws import JWSRegistry

from exchange.sealed.suites import ENC, MAX_BODY_BYTES, SUITES, WRAP


class _JweRegistry(JWERegistry):
    max_ciphertext_length = MAX_BODY_BYTES


class _JwsRegistry(JWSRegistry):
    max_payload_length = MAX_BODY_BYTES


JWE = _JweRegistry(algorithms=[WRAP, ENC])
"""One for both suites: the curve is that of the recipient's key, and `open.py` holds `epk` to it."""
JWS: dict[str, JWSRegistry] = {name: _JwsRegistry(algorithms=[suite.sign.alg]) for name, suite in SUITES.items()}
"""By suite: in `vn-p256` only ES256 exists, in `modern-25519` only Ed25519."""
