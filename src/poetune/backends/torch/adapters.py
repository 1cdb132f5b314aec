"""LoRA and its kin through peft: which modules, on which layers; worn as merged weights and taken off exactly."""

import json
import math
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

from poetune.backends import crossing
from poetune.backends.targets import Target, choose
from poetune.backends.torch import foreign
from poetune.backends.torch.restoring import Before, OnDisk
from poetune.errors import EngineError
from poetune.recipe import Training

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
IN_LAYER = re.compile(r"(?:^|.*?\.)(?P<list>[^.\d]+)\.(?P<index>\d+)\.(?P<rest>.+)$")


@dataclass(frozen=True, slots=True)
class _Linear(Target):
    """A linear module of a decoder layer, and the name of the list of layers."""

    layers: str
    module: Any

    @property
    def shape(self) -> tuple[int, int]:
        """Inputs and outputs."""
        rows, columns = self.module.weight.shape
        return (int(rows), int(columns)) if isinstance(self.module, Conv1D) else (int(columns), int(rows))


def linears(model: Any) -> list[_Linear]:
    """All linear modules inside the decoder layers; the output head is none of them."""
    out = []
    for name, module in model.named_modules():
        match = IN_LAYER.match(name)
        if match and isinstance(module, nn.Linear | Conv1D):
            out.append(_Linear(int(match["index"]), match["rest"], name, match["list"], module))
    return out


def targets(model: Any, settings: Training) -> list[_Linear]:
    """The modules that a recipe adapts. Raises EngineError for what the model does not have."""
    every = linears(model)
    return choose(every, 1 + max((each.layer for each in every), default=-1), settings)


def lora_config(model: Any, settings: Training, base: str) -> Any:
    """peft's configuration: short module names, and the layer numbers where not all are adapted.

    rsLoRA (Kalajdzievski 2023) scales by alpha over the root of the rank; DoRA (Liu et al. 2024) learns magnitudes.
    """
    chosen = targets(model, settings)
    names = sorted({each.rest.rsplit(".", 1)[-1] for each in chosen})
    rooted = settings.method == "rslora"
    return LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=base,
        r=settings.rank,
        lora_alpha=settings.scaling * (math.sqrt(settings.rank) if rooted else settings.rank),
        use_rslora=rooted,
        use_dora=settings.method == "dora",
        bias=settings.bias,
        lora_dropout=settings.dropout,
        target_modules=names if settings.modules == ["all-linear"] else list(settings.modules),
        layers_to_transform=sorted({each.layer for each in chosen}) if settings.layers else None,
        layers_pattern=sorted({each.layers for each in chosen}) if settings.layers else None,
        fan_in_fan_out=all(isinstance(each.module, Conv1D) for each in chosen),
    )


def attach(model: Any, config: Any) -> Any:
    """A fresh adapter on the model; its weights are drawn from torch's global generator."""
    with hushed():
        return get_peft_model(model, config)


def attach_saved(model: Any, folder: Path, trains: bool) -> Any:
    """The adapter of a checkpoint on the model: peft's own format, or an mlx-lm file.

    Raises:
        EngineError: it does not fit the model or cannot be read.
    """
    try:
        with hushed():
            if crossing.is_mlx(folder):
                config, tensors = foreign.read_mlx(folder)
                worn = get_peft_model(model, config)
                left = set_peft_model_state_dict(worn, tensors).unexpected_keys
                if left:
                    raise EngineError(f"{folder}: the base has no {left[0]}; name the base it was trained on")
                return worn
            return PeftModel.from_pretrained(model, str(folder), is_trainable=trains)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise EngineError(
            f"{folder}: the adapter does not fit the base ({reason}); name the base it came from"
        ) from error


def save(worn: Any, folder: Path) -> None:
    """Write the adapter as peft does, without asking the hub about embeddings."""
    config = worn.peft_config["default"]
    names, trains = config.target_modules, config.inference_mode
    config.target_modules = sorted(names) if isinstance(names, set) else names
    config.inference_mode = True
    config.save_pretrained(str(folder))
    config.target_modules, config.inference_mode = names, trains
    tensors = get_peft_model_state_dict(worn, save_embedding_layers=False)
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, folder / WEIGHTS, {"format": "pt"})


def read_into(worn: Any, folder: Path) -> None:
    """Put saved weights into the adapter that is attached, exactly."""
    set_peft_model_state_dict(worn, load_file(folder / WEIGHTS))


def take_off(worn: Any) -> Any:
    """The model without the adapter; biases that it trained are its caller's to restore."""
    return worn.unload()


def biases(model: Any, trained: str) -> list[Any]:
    """The base's parameters that an adapter with this `bias` setting may change."""
    if trained == "none":
        return []
    return [p for name, p in model.named_parameters() if name.rsplit(".", 1)[-1] == "bias"]


def saved_bias(folder: Path) -> str:
    """The `bias` setting of a saved adapter."""
    file = folder / CONFIG
    return str(json.loads(file.read_text("utf-8")).get("bias", "none")) if file.is_file() else "none"


class Worn:
    """An adapter merged into a model, which then runs at the base's own speed; `take_off` restores every bit.

    `first` is the lowest layer that it changes. `source` is where the model's own weights lie: what is there as it is
    in memory is read again, and not kept twice.
    """

    def __init__(self, model: Any, folder: Path, source: Path | None = None) -> None:
        prefix = model.base_model_prefix
        self._biases = Before(biases(model, saved_bias(folder)))
        try:
            worn = attach_saved(model, folder, trains=False)
        except EngineError:
            self._biases.restore()
            raise
        self.reload = bool(worn.peft_config["default"].modules_to_save)
        tuned = {name: m for name, m in worn.named_modules() if isinstance(m, BaseTunerLayer)}
        self.first = 0 if self.reload or saved_bias(folder) != "none" else _lowest(tuned)
        own = {
            f"{name.removeprefix('base_model.model.')}.{part}": parameter
            for name, module in tuned.items()
            for part, parameter in module.get_base_layer().named_parameters(recurse=False)
        }
        self._weights: Before | OnDisk = OnDisk(own, source, prefix) if source else Before(own.values())
        with hushed():
            self.model = worn.merge_and_unload()
        self.model.requires_grad_(False).eval()

    def take_off(self) -> None:
        """Copy the base's own weights back."""
        self._weights.restore()
        self._biases.restore()  # last: the copies in `_weights` were made with the adapter's biases in place


def _lowest(names: Iterable[str]) -> int:
    """The lowest layer among modules; 0 where one is in no layer."""
    matches = [IN_LAYER.match(name) for name in names]
    return min((int(match["index"]) if match else 0 for match in matches), default=0)


@contextmanager
def hushed() -> Iterator[None]:
    """Without peft's warnings of tied heads, repeated wrapping and missing hub access, none of which applies here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
