"""What is true: the people, their homes and numbers, the certificates, and who is in the register."""

from __future__ import annotations

from dataclasses import dataclass

from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import Flags
from linkage.synth.holdings import Certificates
from linkage.synth.places import Places
from linkage.synth.population import Numbers, Tree


@dataclass(frozen=True)
class World:
    """The truth that papers are written from; `inside` says who is in the register."""

    tree: Tree
    places: Places
    numbers: Numbers
    certificates: Certificates
    inside: Flags
    catalogue: Catalogue
