"""LoRA and DoRA by mlx-lm's own layers: put on modules of a loaded base, read and written in its format, taken off."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.models.switch_layers import QuantizedSwitchLinear, SwitchLinear
from mlx_lm.tuner.dora import DoRALinear
from mlx_lm.tuner.lora import LoRALinear, LoRASwitchLinear
from mlx_lm.tuner.utils import linear_to_lora_layers

from poetune.backends.mlx.formats import Saved
from poetune.backends.targets import Target, choose
from poetune.errors import EngineError
from poetune.recipe import Training

WEIGHTS, CONFIG = "adapters.safetensors", "adapter_config.json"
_LINEAR = (nn.Linear, nn.QuantizedLinear, SwitchLinear, QuantizedSwitchLinear)
_WRAPPED = (LoRALinear, DoRALinear, LoRASwitchLinear)


def linears(model: Any) -> list[Target]:
    """All linear modules of the layers, bare or wrapped; the output head is none of them."""
    names = {id(module): name for name, module in model.named_modules()}
    return [
        Target(number, rest, f"{names[id(layer)]}.{rest}")
        for number, layer in enumerate(model.layers)
        for rest, module in sorted(layer.named_modules())
        if isinstance(module, _LINEAR) and not rest.endswith(".linear")
    ]


def targets(model: Any, settings: Training) -> list[Target]:
    """The modules that a recipe adapts. Raises EngineError for what the model does not have."""
    return choose(linears(model), len(model.layers), settings)


def fresh(model: Any, settings: Training, quantize: str) -> dict[str, Any]:
    """Put a new adapter on; A is drawn from mlx's global generator, B is 0. Its configuration, as mlx-lm keeps it.

    Where not the last layers but a list of them is adapted, `keys` are names in the whole model.
    """
    chosen, count = targets(model, settings), len(model.layers)
    layers = sorted({each.layer for each in chosen})
    last = layers == list(range(layers[0], count))
    keys = sorted({each.rest if last else each.name for each in chosen})
    parameters = {"rank": settings.rank, "scale": settings.scaling, "dropout": settings.dropout, "keys": keys}
    config = {
        "fine_tune_type": "dora" if settings.method == "dora" else "lora",
        "num_layers": count - layers[0] if last else 1,
        "lora_parameters": parameters,
        "quantize": quantize,
    }
    put_on(model, config)
    return config


def put_on(model: Any, config: Mapping[str, Any]) -> None:
    """Wrap the modules that a configuration names.

    Raises:
        EngineError: mlx-lm cannot adapt one of them.
    """
    try:
        dora = config.get("fine_tune_type", "lora") == "dora"
        linear_to_lora_layers(model, config["num_layers"], config["lora_parameters"], use_dora=dora)
    except (ValueError, KeyError) as error:
        raise EngineError(f"finetune.modules: mlx-lm cannot adapt them ({error}); name others") from error


def put_on_saved(model: Any, saved: Saved) -> None:
    """Wrap what a saved adapter adapts, and load its weights.

    Raises:
        EngineError: it does not fit the model.
    """
    try:
        put_on(model, saved.config)
        there = dict(tree_flatten(model.parameters()))
        for name, tensor in saved.tensors.items():
            if name not in there or there[name].shape != tensor.shape:
                raise EngineError(f"{saved.path}: the base has no {name} of this shape; name the base it was made for")
        ours = {name for name in there if name.rsplit(".", 1)[-1] in ("lora_a", "lora_b", "m")}
        missing = sorted(ours - set(saved.tensors))
        if missing:
            raise EngineError(f"{saved.path}: lacks {missing[0]}; copy the whole adapter")
    except EngineError:
        take_off(model)
        raise
    model.load_weights([(name, tensor.astype(mx.float32)) for name, tensor in saved.tensors.items()], strict=False)
    model.eval()


def take_off(model: Any) -> None:
    """Put the base's own modules back, which were never changed."""
    bare = [(name, module.linear) for name, module in model.named_modules() if isinstance(module, _WRAPPED)]
    if bare:
        model.update_modules(tree_unflatten(bare))


def trainable(model: Any) -> dict[str, Any]:
    """Weights that train, by name."""
    return dict(tree_flatten(model.trainable_parameters()))


def save(weights: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """As mlx-lm does: `adapter_config.json` and `adapters.safetensors`."""
    mx.save_safetensors(str(folder / WEIGHTS), dict(weights))
    (folder / CONFIG).write_text(json.dumps(dict(config), indent=2, sort_keys=True) + "\n", "utf-8")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """mlx's global generator seeded inside, as it was outside."""
    state: Any = mx.random.state
    high, low = state[0].tolist()
    mx.random.seed(seed % 2**63)
    try:
        yield
    finally:
        mx.random.seed(high << 32 | low)  # a key is its seed in two words
