"""What a project went through and what left it: rounds and bundles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from poetune.records.digests import digest


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of the loop: how many poems it started from and what came back from its review.

    `accepted` are the ids of the poems it gave back, `weights` the share of their rows that the next data set trains
    on, `guards` its figures, `overruled` the guards that failed and were accepted all the same.
    """

    number: int
    poems: int
    accepted: tuple[str, ...] = ()
    guards: Mapping[str, Any] = field(default_factory=dict)
    opened: str = ""
    closed: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    overruled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """What left the house: a folder, with the hash of its files."""

    kind: str
    path: str
    model: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Hash of kind, model and files."""
        return digest("bundle", self.kind, self.path, self.model, self.files)
