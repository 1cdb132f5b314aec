"""Open a base for a training: which layers must run at every step, and which weights must be in memory for that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poetune.backends.mlx import adapters, formats, loading
from poetune.backends.mlx.decoder import Decoder, family_of
from poetune.backends.mlx.forward import Forward
from poetune.backends.mlx.loading import Base
from poetune.backends.mlx.states import MlxStates, drop, fill
from poetune.backends.states import said
from poetune.ports import TrainJob
from poetune.records import digest


@dataclass(frozen=True, slots=True)
class Opened:
    """A base ready to be trained, how rows go through it, and what is worth saying."""

    base: Base
    forward: Forward
    notes: tuple[str, ...] = ()


def open_for_training(
    source: Path, fingerprint: str, job: TrainJob, texts: Sequence[Sequence[int]], whole: Callable[[], Base]
) -> Opened:
    """Open the base in `source`; `texts` are the token ids that will be read, `whole` gives all of it, loaded.

    Where the cache applies, lower layers are read for texts that are new to it, one by one, and else not at all.

    Raises:
        EngineError: the recipe names what the model has not, or the cache cannot be written.
    """
    settings = job.settings
    if settings.method == "full":
        return _whole(whole(), head_trains=True)
    dtype = loading.pick_dtype(settings)
    base = loading.load(source, dtype, settings.quantize, lazy=True)
    first = min(_adapted(base.model, job))
    family = family_of(base.model, base.config)
    if not first or family is None or job.cache is None or settings.cache == "off":
        return _whole(whole(), head_trains=False)
    states = MlxStates(job.cache, digest("boundary", "mlx", fingerprint, settings.quantize, str(dtype), first))
    size = int(base.config.get("hidden_size") or base.config["n_embd"]) * dtype.size
    base.writes = bool(settings.sample_every)
    added = fill(states, texts, Decoder(base.model, family), first, size, frees=not base.writes)
    if not base.writes and hasattr(base.model, "lm_head"):
        drop(getattr(base.model.model, family.table))
    note = said(first, len(base.model.layers), added)
    return Opened(base, Forward(base, first, states), (note,))


def _whole(base: Base, head_trains: bool) -> Opened:
    return Opened(base, Forward(base, head_trains=head_trains))


def _adapted(model: Any, job: TrainJob) -> set[int]:
    """Numbers of the layers that an adapter sits on, or will."""
    if not job.weights.adapter:
        return {each.layer for each in adapters.targets(model, job.settings)}
    names = {name.rpartition(".")[0] for name in formats.read(Path(job.weights.adapter)).tensors}
    return {each.layer for each in adapters.linears(model) if each.name in names} or {0}
