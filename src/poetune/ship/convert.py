"""An adapter from peft's format into mlx-lm's and back; the weights stay bit for bit, only names and layout change.

peft keeps A as (rank, inputs) and B as (outputs, rank) and scales by alpha / rank (rsLoRA: by its root); mlx-lm keeps
both turned and has one `scale`. Rows of DoRA's magnitudes are the same in both.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from poetune.errors import StoreError
from poetune.ship import tensors
from poetune.ship.tensors import Tensor

Format = Literal["peft", "mlx"]
_FILES = {"peft": "adapter_model.safetensors", "mlx": "adapters.safetensors"}
_CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."
_RENAMED = (("transformer.h.", "model.h."),)  # GPT-2: what transformers calls it, what mlx-lm does
_PEFT_PART = re.compile(r"(?P<module>.+)\.(?P<kind>lora_A|lora_B|lora_magnitude_vector)(?:\.weight)?$")
_MLX_PART = re.compile(r"(?P<module>.+)\.(?P<kind>lora_a|lora_b|m)$")
_KINDS = {"lora_A": "lora_a", "lora_B": "lora_b", "lora_magnitude_vector": "m"}


def format_of(source: Path) -> Format:
    """The format of an adapter's folder, or of an mlx-lm file. Raises StoreError where it is neither."""
    if source.name.endswith("adapters.safetensors") or (source / _FILES["mlx"]).is_file():
        return "mlx"
    if (source / _FILES["peft"]).is_file():
        return "peft"
    raise StoreError(f"The folder {source} holds no adapter; ship a checkpoint that was trained as one, or `merged`.")


def convert(source: Path, wanted: Format, out: Path, base: str = "") -> None:
    """Write the adapter in `source` into the folder `out` in the wanted format, with all of its other files' needs.

    `base` is what peft's configuration names as the base. Raises StoreError for what the other format cannot hold.
    """
    file = source if source.is_file() else source / _FILES[format_of(source)]
    config = _object(file.parent / _CONFIG)
    found = tensors.read(file)
    if format_of(source) == wanted:
        made, weights = config, found
    elif wanted == "mlx":
        made, weights = _to_mlx(config, found, source)
    else:
        made, weights = _to_peft(config, found, source, base)
    tensors.write(weights, out / _FILES[wanted])
    (out / _CONFIG).write_text(json.dumps(made, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _to_mlx(
    config: Mapping[str, Any], found: Mapping[str, Tensor], source: Path
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if config.get("bias", "none") != "none" or config.get("modules_to_save"):
        raise StoreError(
            f"The adapter {source} trained biases or whole modules, which mlx-lm cannot hold; ship `merged`."
        )
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        raise StoreError(f"The adapter {source} has several ranks or alphas, which mlx-lm cannot hold; ship `merged`.")
    weights, modules = {}, set()
    for name, tensor in found.items():
        part = _PEFT_PART.match(name.removeprefix(_PREFIX))
        if part is None:
            raise StoreError(f"The adapter {source} holds {name}, which mlx-lm's format cannot; ship `merged`.")
        module, kind = _renamed(part["module"], 0), _KINDS[part["kind"]]
        modules.add(module)
        weights[f"{module}.{kind}"] = tensor if kind == "m" else tensor.turned
    rank = int(config["r"])
    scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
    dropout = config.get("lora_dropout", 0.0)
    return {
        "fine_tune_type": "dora" if config.get("use_dora") else "lora",
        "num_layers": 1,  # mlx-lm reads it, but the keys below are whole names
        "lora_parameters": {"rank": rank, "scale": scale, "dropout": dropout, "keys": sorted(modules)},
    }, weights


def _to_peft(
    config: Mapping[str, Any], found: Mapping[str, Tensor], source: Path, base: str
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    kind = config.get("fine_tune_type", "lora")
    if kind not in ("lora", "dora"):
        raise StoreError(f"The adapter {source} is of mlx-lm's type {kind!r}, which peft cannot hold; ship `merged`.")
    back = {ours: theirs for theirs, ours in _KINDS.items()}
    weights, modules, ranks = {}, set(), set()
    for name, tensor in found.items():
        part = _MLX_PART.match(name)
        if part is None or tensor.bits.ndim > 2:
            raise StoreError(f"The adapter {source} holds {name}, which peft's format cannot; ship `merged`.")
        module, which = _renamed(part["module"], 1), back[part["kind"]]
        modules.add(module)
        if which == "lora_A":
            ranks.add(tensor.bits.shape[1])
        weights[f"{_PREFIX}{module}.{which}" + ("" if part["kind"] == "m" else ".weight")] = (
            tensor if part["kind"] == "m" else tensor.turned
        )
    if len(ranks) != 1:
        raise StoreError(f"The adapter {source} has the ranks {sorted(ranks)}, of which peft's format holds one.")
    (rank,) = ranks
    told = config.get("lora_parameters") or {}
    gpt2 = any(module.startswith("transformer.h.") for module in modules)
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": float(told.get("scale", 20.0)) * rank,
        "lora_dropout": told.get("dropout", 0.0),
        "use_dora": kind == "dora",
        "bias": "none",
        "fan_in_fan_out": gpt2,
        "target_modules": sorted(modules),
    }, weights


def _renamed(module: str, back: int) -> str:
    for pair in _RENAMED:
        if module.startswith(pair[back]):
            return pair[1 - back] + module.removeprefix(pair[back])
    return module


def _object(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"The adapter's {file} cannot be read; copy it beside the weights.") from error
    return value if isinstance(value, dict) else {}
