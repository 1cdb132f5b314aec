"""Adapters blended by weight through peft, without their base: only shapes of the modules are needed."""

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, set_peft_model_state_dict
from peft.tuners.lora import LoraModel
from safetensors.torch import load_file, save_file
from torch import nn

from poetune.backends import crossing
from poetune.backends.bases import copy_tokenizer
from poetune.backends.checkpoints import NOTE, Note, publish
from poetune.backends.torch import foreign
from poetune.backends.torch.adapters import WEIGHTS, hushed
from poetune.errors import EngineError
from poetune.ports import SAME_RANK, Mix

_BLEND = "blend"
_TENSOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight$")


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """One adapter: its configuration, its tensors by peft's names, and inputs and outputs of each module."""

    folder: Path
    config: Any
    tensors: dict[str, Any]
    shapes: dict[str, tuple[int, int]]


def blend(mix: Mix, note: Note, out: Path) -> None:
    """Write the weighted combination of the adapters into the folder `out`, in peft's format, with `note` beside it.

    `cat` is the exact weighted sum (ranks add up); `svd` its best approximation of rank `mix.rank`; `linear` adds A and
    B apart; TIES (Yadav et al. 2023) and DARE (Yu et al. 2024) thin the adapters to `mix.density` first.

    Raises:
        EngineError: adapters of different shapes, or of different ranks where the method needs one, or not plain LoRA.
    """
    parts = [_read(Path(weights.adapter)) for weights in mix.parts]
    _check(parts, mix)
    shapes = {module: size for part in parts for module, size in part.shapes.items()}
    worn = _worn(parts, shapes)
    names = [f"part{number}" for number in range(len(parts))]
    svd = {"svd_rank": mix.rank or None, "svd_full_matrices": False} if mix.method.endswith("svd") else {}
    with hushed(), torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(mix.seed)  # DARE draws what it drops
        thin = {"density": mix.density} if mix.method.startswith(("ties", "dare", "magnitude")) else {}
        worn.add_weighted_adapter(names, list(mix.shares), _BLEND, combination_type=mix.method, **svd, **thin)
    made = worn.peft_config[_BLEND]
    own = f".{_BLEND}.weight"
    tensors = {n.replace(own, ".weight"): p.detach() for n, p in worn.named_parameters() if n.endswith(own)}

    def fill(aside: Path) -> None:
        _save(made.r, parts, shapes, tensors, aside)
        copy_tokenizer(parts[0].folder if parts[0].folder.is_dir() else parts[0].folder.parent, aside)
        (aside / NOTE).write_text(json.dumps(dataclasses.asdict(note), indent=1) + "\n", "utf-8")

    publish(out, fill)


def _read(folder: Path) -> _Part:
    try:
        if crossing.is_mlx(folder):
            config, tensors = foreign.read_mlx(folder)
        else:
            config, tensors = LoraConfig.from_pretrained(str(folder)), load_file(folder / WEIGHTS)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(f"{folder}: the adapter cannot be read ({error}); train it again") from error
    sides: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        match = _TENSOR.match(name)
        if match is None:
            raise EngineError(f"{folder}: holds {name}, and only plain LoRA can be blended; train with method lora")
        sides.setdefault(match["module"], {})[match["side"]] = tensor
    return _Part(folder, config, tensors, {n: (s["A"].shape[1], s["B"].shape[0]) for n, s in sides.items()})


def _check(parts: Sequence[_Part], mix: Mix) -> None:
    first = parts[0]
    for part in parts:
        config = part.config
        if config.use_dora or config.bias != "none" or config.modules_to_save:
            raise EngineError(f"{part.folder}: trained more than LoRA's A and B, so it cannot be blended; use lora")
        if config.rank_pattern or config.alpha_pattern:
            raise EngineError(f"{part.folder}: has several ranks, so it cannot be blended; train it with one")
        if mix.method in SAME_RANK and config.r != first.config.r:
            raise EngineError(
                f"{part.folder}: has rank {config.r} and {first.folder} rank {first.config.r}, and {mix.method} needs "
                "one rank; blend by cat or svd"
            )
        strange = [n for n, size in part.shapes.items() if first.shapes.get(n, size) != size]
        if strange:
            raise EngineError(f"{part.folder}: {strange[0]} is of another size than in {first.folder}; name one base")


def _worn(parts: Sequence[_Part], shapes: dict[str, tuple[int, int]]) -> Any:
    """The adapters on a skeleton of linear modules, whose own weights are never written or read."""
    skeleton = nn.Module()
    for name, (inputs, outputs) in shapes.items():
        *above, last = name.split(".")
        at = skeleton
        for word in above:
            if word not in dict(at.named_children()):
                at.add_module(word, nn.Module())
            at = at.get_submodule(word)
        at.add_module(last, nn.utils.skip_init(nn.Linear, inputs, outputs, bias=False))
    worn: Any = None
    for number, part in enumerate(parts):
        name = f"part{number}"
        config = LoraConfig(
            r=part.config.r,
            lora_alpha=part.config.lora_alpha,
            use_rslora=part.config.use_rslora,
            target_modules=sorted(part.shapes),
        )
        with hushed():
            if worn is None:
                worn = LoraModel(skeleton, config, name)
            else:
                worn.peft_config[name] = config
                worn.inject_adapter(worn.model, name)
            tensors = {name.removeprefix("base_model."): tensor.float() for name, tensor in part.tensors.items()}
            left = set_peft_model_state_dict(worn, tensors, name).unexpected_keys
        if left:
            raise EngineError(f"{part.folder}: holds {left[0]}, which peft does not know; train it again")
    return worn


def _save(
    rank: int, parts: Sequence[_Part], shapes: dict[str, tuple[int, int]], tensors: dict[str, Any], out: Path
) -> None:
    first = parts[0].config
    same = all((p.config.target_modules, p.config.layers_to_transform) == _where(first) for p in parts)
    changed: dict[str, Any] = {"r": rank, "lora_alpha": rank, "use_rslora": False, "inference_mode": True}
    changed["target_modules"] = sorted(first.target_modules) if same else sorted(shapes)
    if not same:
        changed |= {"layers_to_transform": None, "layers_pattern": None}
    dataclasses.replace(first, **changed).save_pretrained(str(out))
    whole = {f"base_model.{name}": tensor.detach().contiguous() for name, tensor in tensors.items()}
    save_file(whole, out / WEIGHTS, {"format": "pt"})


def _where(config: Any) -> tuple[Any, Any]:
    return config.target_modules, config.layers_to_transform
