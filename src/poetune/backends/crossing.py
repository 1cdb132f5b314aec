"""Adapters as mlx-lm and as peft keep them: each one's names, layout and configuration in the other's terms.

peft keeps A as (rank, inputs) and B as (outputs, rank) and scales by alpha / rank (rsLoRA: by its root); mlx-lm keeps
both turned and has one `scale`. Rows of DoRA's magnitudes are the same in both.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from poetune.errors import EngineError

Format = Literal["peft", "mlx"]
Moved = dict[str, tuple[str, bool]]  # name of a tensor -> its name there, and whether it lies turned
FILES = {"peft": "adapter_model.safetensors", "mlx": "adapters.safetensors"}
CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."
_RENAMED = (("transformer.h.", "model.h."),)  # GPT-2: what transformers calls it, what mlx-lm does
_PEFT_PART = re.compile(r"(?P<module>.+)\.(?P<kind>lora_A|lora_B|lora_magnitude_vector)(?:\.weight)?$")
_MLX_PART = re.compile(r"(?P<module>.+)\.(?P<kind>lora_a|lora_b|m)$")
_KINDS = {"lora_A": "lora_a", "lora_B": "lora_b", "lora_magnitude_vector": "m"}
_BACK = {ours: theirs for theirs, ours in _KINDS.items()}
_SCALE = 20.0  # mlx-lm's own, where its configuration names none


def is_mlx(path: Path) -> bool:
    """Whether a path names an mlx-lm adapter: one of its files, or a folder with `adapters.safetensors`."""
    return path.name.endswith(FILES["mlx"]) or (path / FILES["mlx"]).is_file()


def is_peft(path: Path) -> bool:
    """Whether a path is a peft adapter's folder."""
    return (path / FILES["peft"]).is_file()


def files_of(path: Path) -> tuple[Path, dict[str, Any]]:
    """An adapter's file of weights, and what its configuration says.

    Raises:
        EngineError: one of both is missing or damaged.
    """
    file = path if path.is_file() else path / FILES["mlx" if is_mlx(path) else "peft"]
    beside = file.parent / CONFIG
    if not file.is_file() or not beside.is_file():
        raise EngineError(f"{file}: the adapter or the {CONFIG} beside it is missing; copy both")
    try:
        config = json.loads(beside.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{beside}: cannot be read ({error}); copy it again") from error
    if not isinstance(config, dict):
        raise EngineError(f"{beside}: is no adapter's configuration; copy it again")
    return file, config


def to_mlx(source: Path, config: Mapping[str, Any], names: Iterable[str]) -> tuple[dict[str, Any], Moved]:
    """mlx-lm's configuration for an adapter of peft, and where its tensors go.

    Raises:
        EngineError: it holds what mlx-lm's format cannot.
    """
    if config.get("bias", "none") != "none" or config.get("modules_to_save"):
        raise EngineError(f"{source}: trained biases or whole modules, which mlx-lm cannot hold; merge it")
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        raise EngineError(f"{source}: has several ranks or alphas, which mlx-lm cannot hold; merge it")
    moved: Moved = {}
    modules = set()
    for name in names:
        part = _PEFT_PART.match(name.removeprefix(_PREFIX))
        if part is None:
            raise EngineError(f"{source}: holds {name}, which mlx-lm's format cannot; merge it")
        module, kind = _renamed(part["module"], 0), _KINDS[part["kind"]]
        modules.add(module)
        moved[name] = f"{module}.{kind}", kind != "m"
    rank = int(config["r"])
    scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
    dropout = config.get("lora_dropout", 0.0)
    return {
        "fine_tune_type": "dora" if config.get("use_dora") else "lora",
        "num_layers": 1,  # mlx-lm reads it, but the keys below are whole names
        "lora_parameters": {"rank": rank, "scale": scale, "dropout": dropout, "keys": sorted(modules)},
    }, moved


def to_peft(
    source: Path, config: Mapping[str, Any], shapes: Mapping[str, Sequence[int]], base: str = ""
) -> tuple[dict[str, Any], Moved]:
    """peft's configuration for an adapter of mlx-lm, naming `base`, and where its tensors go.

    Raises:
        EngineError: it holds what peft's format cannot.
    """
    kind = config.get("fine_tune_type", "lora")
    if kind not in ("lora", "dora"):
        raise EngineError(f"{source}: is of mlx-lm's type {kind!r}, which is no adapter for peft; merge it")
    moved: Moved = {}
    modules, ranks = set(), set()
    for name, shape in shapes.items():
        part = _MLX_PART.match(name)
        if part is None or len(shape) > 2:
            raise EngineError(f"{source}: holds {name}, which peft's format cannot; merge it")
        module, which = _renamed(part["module"], 1), _BACK[part["kind"]]
        modules.add(module)
        if which == "lora_A":
            ranks.add(shape[1])
        turned = part["kind"] != "m"
        moved[name] = f"{_PREFIX}{module}.{which}" + (".weight" if turned else ""), turned
    if len(ranks) != 1:
        raise EngineError(f"{source}: has the ranks {sorted(ranks)}, of which peft's format holds one; merge it")
    (rank,) = ranks
    told = config.get("lora_parameters") or config  # older versions wrote them at the top
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": float(told.get("scale", _SCALE)) * rank,
        "lora_dropout": told.get("dropout", 0.0),
        "use_dora": kind == "dora",
        "bias": "none",
        "fan_in_fan_out": any(module.startswith("transformer.h.") for module in modules),
        "target_modules": sorted(modules),
    }, moved


def _renamed(module: str, back: int) -> str:
    for pair in _RENAMED:
        if module.startswith(pair[back]):
            return pair[1 - back] + module.removeprefix(pair[back])
    return module
