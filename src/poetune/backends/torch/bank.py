"""Several LoRA adapters in one batch: each row wears its own, and all of them cost two thin products a module.

The adapters' A lie above each other and so do their B; between the two products a mask leaves of each row what its own
adapter gave, so a row is touched by exact zeros of the others. Worth it where no adapter fills a batch by itself: one
that does is merged into the base and costs nothing.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from poetune.backends import crossing
from poetune.backends.torch import adapters, foreign
from poetune.errors import EngineError


@dataclass(frozen=True, slots=True)
class Lora:
    """One adapter's tensors by (layer, module name): A (rank, inputs) and B (outputs, rank), scaled."""

    rank: int
    parts: dict[tuple[int, str], tuple[Any, Any]]


def read_lora(folder: Path) -> Lora | None:
    """A plain LoRA on linear modules of decoder layers; None where it is anything else.

    Raises:
        EngineError: its file cannot be read.
    """
    try:
        if crossing.is_mlx(folder):
            config, tensors = foreign.read_mlx(folder)
            settings = config.to_dict()
        else:
            settings = json.loads((folder / adapters.CONFIG).read_text("utf-8"))
            tensors = load_file(folder / adapters.WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise EngineError(f"{folder}: the adapter cannot be read ({error}); restore it, or name another") from error
    odd = ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save", "layer_replication", "lora_bias")
    if settings.get("peft_type", "LORA") != "LORA" or any(settings.get(name) for name in odd):
        return None
    if settings.get("bias", "none") != "none":
        return None
    rank = int(settings["r"])
    scale = settings["lora_alpha"] / (math.sqrt(rank) if settings.get("use_rslora") else rank)
    halves: dict[tuple[int, str], dict[str, Any]] = {}
    for name, tensor in tensors.items():
        module, found, kind = name.partition(".lora_")
        match = adapters.IN_LAYER.match(module)
        if not found or match is None or kind not in ("A.weight", "B.weight"):
            return None
        halves.setdefault((int(match["index"]), match["rest"]), {})[kind[0]] = tensor
    if any(set(pair) != {"A", "B"} or len(pair["A"]) != rank for pair in halves.values()):
        return None
    return Lora(rank, {place: (pair["A"], pair["B"] * scale) for place, pair in halves.items()})


class Bank:
    """Adapters side by side; row `i` of a batch wears number `which[i]`, or none where that is negative."""

    def __init__(self, adapters_: Sequence[Lora], like: Any) -> None:
        self._parts: dict[int, dict[str, tuple[Any, Any]]] = {}
        self._owner = torch.cat([torch.full((each.rank,), i) for i, each in enumerate(adapters_)]).to(like.device)
        for place in sorted({place for each in adapters_ for place in each.parts}):
            sample = next(each.parts[place] for each in adapters_ if place in each.parts)
            inputs, outputs = sample[0].shape[1], sample[1].shape[0]
            pairs = [
                each.parts.get(place, (torch.zeros(each.rank, inputs), torch.zeros(outputs, each.rank)))
                for each in adapters_
            ]
            down = torch.cat([pair[0] for pair in pairs]).to(like)
            up = torch.cat([pair[1].t() for pair in pairs]).to(like)
            self._parts.setdefault(place[0], {})[place[1]] = down.t().contiguous(), up

    @property
    def first(self) -> int:
        """The lowest layer that any adapter changes."""
        return min(self._parts, default=2**31)

    def worn(self, which: Any) -> "dict[int, Worn]":
        """What rows with these adapters (rows,) add in each layer."""
        mask = (which[:, None] == self._owner).to(torch.float32)
        return {number: Worn(parts, mask) for number, parts in self._parts.items()}


@dataclass(frozen=True, slots=True)
class Worn:
    """The adapters of one layer as a batch's rows wear them."""

    parts: dict[str, tuple[Any, Any]]
    mask: Any

    def add(self, name: str, x: Any, out: Any) -> None:
        """Add a module's share to its output (rows, outputs), in place."""
        if name in self.parts:
            down, up = self.parts[name]
            out.addmm_((x @ down).mul_(self.mask), up)

    def select(self, rows: Any) -> "Worn":
        """For some of the rows."""
        return Worn(self.parts, self.mask[rows])
