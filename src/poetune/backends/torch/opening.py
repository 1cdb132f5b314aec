"""Open a base for a training: which layers must run at every step, and which weights must be in memory for that."""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import nn

from poetune.backends.bases import fingerprint
from poetune.backends.rendering import Renderer
from poetune.backends.states import said
from poetune.backends.torch import adapters, streaming
from poetune.backends.torch.boundary import FAMILIES, Boundary, boundary
from poetune.backends.torch.filling import fill
from poetune.backends.torch.forward import Forward, WholeModel
from poetune.backends.torch.loading import Base
from poetune.backends.torch.packed import PackedModel
from poetune.backends.torch.placeholders import drop_below, layers_of
from poetune.backends.torch.precision import Precision
from poetune.backends.torch.stack import unfit
from poetune.backends.torch.states import States
from poetune.backends.torch.upper import UpperModel
from poetune.errors import EngineError
from poetune.ports import TrainJob
from poetune.records import digest

_COMMENTS = ("transformers_version", "_name_or_path", "architectures", "dtype", "torch_dtype", "use_cache")


@dataclass(frozen=True, slots=True)
class Opened:
    """A base ready to be trained, how rows go through it, and what is worth saying."""

    base: Base
    forward: Forward
    notes: tuple[str, ...] = ()
    key: str = ""  # says which weights are open, where they may serve the next training too


class Kept:
    """The upper layers that the last training left, for the next one on the same base: a sweep reads them once."""

    def __init__(self) -> None:
        self._opened: Opened | None = None

    def put(self, opened: Opened) -> None:
        """Keep what a training has left as it found it."""
        self._opened = opened if opened.key else None

    def take(self, key: str) -> Base | None:
        """The base that is kept under this key; nothing is kept any more."""
        found, self._opened = self._opened, None
        return found.base if found is not None and found.key == key else None

    def clear(self) -> None:
        """Other weights are about to be loaded."""
        self._opened = None


def open_for_training(
    folder: Path,
    job: TrainJob,
    texts: Sequence[Sequence[int]],
    renderer: Renderer,
    precision: Precision,
    whole: Callable[[], Base],
    kept: Kept,
    fills: bool = True,
) -> Opened:
    """Open the base in `folder`; `texts` are the token ids that will be read, `whole` loads all of it.

    `kept` may hold what is needed already. Without `fills`, the cache is only read: another process has filled it.

    Raises:
        EngineError: the recipe names what the model has not, or the cache cannot be written.
    """
    model = streaming.skeleton(folder)
    adapted = _adapted(model, job)
    edge = boundary(model.config, job.settings, adapted)
    if not edge.first or job.cache is None:
        base = whole()
        packs = base.fast_head and _packs(base.model, precision)
        return Opened(base, PackedModel(base) if packs else WholeModel(base))
    family = FAMILIES[model.config.model_type]
    tensors = streaming.Tensors(folder, model.base_model_prefix)
    cache = _Cache(job.cache, fills)
    streams = family.streams and job.settings.quantize == "no" and not job.settings.sample_every
    if streams and tensors.has(name for name, _ in model.named_parameters()):
        return _streamed(folder, job, texts, renderer, precision, model, tensors, edge, cache, kept)
    return _loaded(folder, job, texts, precision, whole(), edge, cache)


@dataclass(frozen=True, slots=True)
class _Cache:
    folder: Path
    fills: bool

    def missing(self, states: States, texts: Sequence[Sequence[int]]) -> list[Sequence[int]]:
        found = states.missing(texts)
        if found and not self.fills:
            raise EngineError(
                f"{self.folder}: this process does not see what the first one cached; put the project where all "
                "machines read it, or set finetune.cache to off"
            )
        return found


def _packs(model: Any, precision: Precision) -> bool:
    """Whether its layers run packed: a known family, computed in the type that its weights are kept in."""
    return not unfit(model.base_model) and precision.compute in (None, precision.stored)


def _adapted(model: Any, job: TrainJob) -> set[int]:
    """Numbers of the layers that an adapter sits on, or will."""
    if job.settings.method == "full":
        return set()
    if not job.weights.adapter:
        return {each.layer for each in adapters.targets(model, job.settings)}
    path = Path(job.weights.adapter)
    file = path / adapters.WEIGHTS if path.is_dir() else path
    if not file.is_file():
        return {0}
    with safe_open(file, "pt") as tensors:
        names = list(tensors.keys())
    matches = [adapters.IN_LAYER.match(name) for name in names]
    return {int(match["index"]) for match in matches if match} if all(matches) else {0}


def _key(model: Any, tensors_digest: str, job: TrainJob, dtype: Any, first: int) -> str:
    config = {k: v for k, v in model.config.to_dict().items() if k not in _COMMENTS}
    return digest(
        "boundary",
        json.dumps(config, sort_keys=True, default=str),
        tensors_digest,
        job.settings.quantize,
        str(dtype),
        first,
    )


def _streamed(
    folder: Path,
    job: TrainJob,
    texts: Sequence[Sequence[int]],
    renderer: Renderer,
    precision: Precision,
    model: Any,
    tensors: streaming.Tensors,
    edge: Boundary,
    cache: _Cache,
    kept: Kept,
) -> Opened:
    """Lower layers pass through memory one by one, and only where a text is new."""
    decoder, prefix, device, dtype = model.base_model, model.base_model_prefix, precision.device, precision.stored
    name = FAMILIES[model.config.model_type].layers
    layers, path = layers_of(decoder), f"{prefix}.{name}"
    lower = [each for i in range(edge.first) for each in streaming.names_of(layers[i], f"{path}.{i}")]
    tables = [n for n, _ in model.named_parameters() if n.startswith(prefix) and not n.startswith(path)]
    states = States(cache.folder, _key(model, tensors.digest([*lower, *tables]), job, dtype, edge.first))
    missing = cache.missing(states, texts)
    key = digest("upper", states.key, fingerprint(folder), str(device)) if _packs(model, precision) else ""
    base = kept.take(key)
    if base is not None and not missing:
        return Opened(base, PackedModel(base, edge.first, states), (said(edge.first, len(layers), 0),), key)
    del base
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head.weight is table.weight
    for part, module in decoder.named_children():
        if part == name or (module is table and not tied and not missing):
            continue
        if list(module.buffers()):
            module.to(device)
        else:
            streaming.put(module, f"{prefix}.{part}", tensors, dtype, device)

    def lent(number: int) -> Any:
        layer = copy.deepcopy(layers[number])
        streaming.put(layer, f"{path}.{number}", tensors, dtype, device)
        return layer

    fill(states, missing, decoder, edge.first, lent, device, dtype)
    count = len(layers)
    fed = drop_below(decoder, edge.first)
    if tied:
        head.weight = table.weight
    else:
        model.set_input_embeddings(nn.Embedding(1, table.embedding_dim, device=device, dtype=dtype))
        model.get_input_embeddings().requires_grad_(False)
        streaming.put(head, "lm_head", tensors, dtype, device)
    for number in range(edge.first, count):
        streaming.put(layers[number], f"{path}.{number}", tensors, dtype, device)
    base = Base(folder, model, renderer, device, fast_head=True, writes=False)
    forward: Forward = PackedModel(base, edge.first, states) if key else UpperModel(base, fed, states)
    return Opened(base, forward, (said(edge.first, count, len(missing)),), key)


def _loaded(
    folder: Path,
    job: TrainJob,
    texts: Sequence[Sequence[int]],
    precision: Precision,
    base: Base,
    edge: Boundary,
    cache: _Cache,
) -> Opened:
    """The whole base is loaded: it is quantized, asked to write meanwhile, or cannot be taken apart on disk."""
    decoder, packs = base.model.base_model, _packs(base.model, precision)
    if job.settings.sample_every and not packs:
        return Opened(base, WholeModel(base), ("sample poems need all layers, which run at every step",))
    layers = layers_of(decoder)
    states = States(cache.folder, _key(base.model, fingerprint(folder), job, precision.stored, edge.first))
    missing = cache.missing(states, texts)
    fill(states, missing, decoder, edge.first, lambda number: layers[number], base.device, precision.stored)
    notes = (said(edge.first, len(layers), len(missing)),)
    if job.settings.sample_every:
        return Opened(base, PackedModel(base, edge.first, states), notes)
    fed = drop_below(decoder, edge.first)
    base.writes = False
    return Opened(
        base, UpperModel(base, fed, states) if unfit(decoder) else PackedModel(base, edge.first, states), notes
    )
