"""mlx-lm's LoRA file (`mlx_lm.lora --config`). Facts and defaults from its lora.py, as of version 0.32."""

import re
from collections.abc import Mapping
from typing import Any

from poetune.finetune.imports.mapping import (
    CannotSayError,
    Imported,
    Rule,
    To,
    apply,
    choice,
    count,
    figure,
    flat,
    never,
    nothing,
    number,
    whole_figure,
)

# fmt: off
SIGNS = frozenset({
    "num_layers", "lora_layers", "iters", "lora_parameters", "fine_tune_type", "steps_per_eval", "steps_per_report",
    "val_batches", "adapter_path", "lr_schedule", "save_every", "grad_checkpoint",
})
# fmt: on
DEFAULTS: dict[str, Any] = {
    "fine_tune_type": "lora",
    "optimizer": "adam",
    "num_layers": 16,
    "batch_size": 4,
    "iters": 1000,
    "val_batches": 25,
    "learning_rate": 1e-5,
    "steps_per_report": 10,
    "steps_per_eval": 200,
    "save_every": 100,
    "max_seq_length": 2048,
    "mask_prompt": False,
}
LORA = {"lora_parameters.rank": 8, "lora_parameters.scale": 20.0, "lora_parameters.dropout": 0.0}
_CONVERTED = re.compile(r"mlx-community/(.+?)-(?:(4|8)bit|(?:bf|fp)16)")
_OWNERS = {"qwen": "Qwen", "qwq": "Qwen", "llama-3": "meta-llama", "meta-llama": "meta-llama", "gemma": "google"}
_OPTIMIZERS = {"adam": "adam", "adamw": "adamw", "sgd": "sgd", "adafactor": "adafactor"}


def read(data: Mapping[str, Any]) -> Imported:
    """The file's keys, and mlx-lm's defaults for those it leaves out."""
    given = flat(data)
    if "num_layers" not in given and "lora_layers" in given:  # its name before version 0.19
        given = {"num_layers" if key == "lora_layers" else key: value for key, value in given.items()}
    defaults = DEFAULTS | ({} if data.get("lora_parameters") else LORA)
    if given.get("lora_parameters.keys") is None:
        defaults["lora_parameters.keys"] = "all"
    if not data.get("lr_schedule"):
        defaults["lr_schedule"] = "none"
    return apply("mlx-lm", given, RULES, defaults)


def _model(value: Any, _: Mapping[str, Any]) -> To:
    name = str(value)
    if not name.startswith("mlx-community/"):
        return To({"base": name})
    found = _CONVERTED.fullmatch(name)
    owner = next((o for start, o in _OWNERS.items() if found and found[1].lower().startswith(start)), "")
    if not found or not owner:
        raise CannotSayError("a conversion for MLX; name the plain model it was made from as base")
    bits = {"finetune.quantize": f"{found[2]}bit"} if found[2] else {}
    return To({"base": f"{owner}/{found[1]}", **bits}, "the plain model, loaded in as many bits" if bits else "")


def _layers(value: Any, _: Mapping[str, Any]) -> To:
    found = whole_figure(value)
    return To({"finetune.layers": max(found, 0)}, "all layers" if found <= 0 else "the last layers")


def _steps(value: Any, _: Mapping[str, Any]) -> To:
    return To({"finetune.steps": whole_figure(value)})


def _validation(value: Any, _: Mapping[str, Any]) -> To:
    return To({"finetune.validate_batches": max(whole_figure(value), 0)})


def _optimizer(value: Any, whole: Mapping[str, Any]) -> To:
    to = choice("finetune.optimizer", _OPTIMIZERS, "optimizer")(value, whole)
    decay = whole.get(f"optimizer_config.{str(value).lower()}", {})
    weight = decay.get("weight_decay") if isinstance(decay, Mapping) else None
    if weight is None:
        weight = 0.01 if to.values["finetune.optimizer"] == "adamw" else 0
    return To({**to.values, "finetune.weight_decay": figure(weight), "finetune.clip": 0}, "mlx-lm clips no gradient")


def _optimizer_config(name: str) -> Rule:
    def rule(value: Any, whole: Mapping[str, Any]) -> To:
        if str(whole.get("optimizer")).lower() != name or not value:
            return To({}, "not the optimizer in use" if value else "nothing to say")
        others = [key for key in value if key != "weight_decay"]
        if others:
            raise CannotSayError(f"{', '.join(others)} cannot be set; weight_decay was taken if it is there")
        return To({}, "taken with the optimizer")

    return rule


def _rate(value: Any, whole: Mapping[str, Any]) -> To:
    peak = _peak(whole)
    if peak is not None and peak != figure(value):
        raise CannotSayError("lr_schedule.arguments goes before it, in mlx-lm as here")
    return To({"finetune.rate": figure(value)})


def _peak(whole: Mapping[str, Any]) -> float | int | None:
    arguments = whole.get("lr_schedule.arguments")
    if whole.get("lr_schedule.name") not in _SCHEDULES or not isinstance(arguments, list) or not arguments:
        return None
    try:
        return figure(arguments[0])
    except CannotSayError:
        return None


# name -> (ours, where the final rate stands, where the number of steps stands)
_SCHEDULES = {"cosine_decay": ("cosine", 2, 1), "linear_schedule": ("linear", 1, 2)}


def _schedule(value: Any, whole: Mapping[str, Any]) -> To:
    if value not in _SCHEDULES:
        raise CannotSayError("poetune has cosine, linear and constant")
    # Without a warm-up mlx-lm starts at the peak.
    start = {} if whole.get("lr_schedule.warmup") else {"finetune.warmup": 0}
    return To({"finetune.schedule": _SCHEDULES[value][0], **start})


def _arguments(value: Any, whole: Mapping[str, Any]) -> To:
    name = whole.get("lr_schedule.name")
    if name not in _SCHEDULES or not isinstance(value, list) or not value:
        raise CannotSayError("they belong to a schedule that poetune has not")
    _, final, steps = _SCHEDULES[name]
    values = {
        "finetune.rate": figure(value[0]),
        "finetune.rate_final": figure(value[final] if len(value) > final else 0),
    }
    length = whole_figure(value[steps]) if len(value) > steps else None
    note = "the fall ends with the last step"
    if length is not None and length != whole.get("iters"):
        note += f" (here after {length} steps beyond the warm-up)"
    return To(values, note)


def _warmup_init(value: Any, _: Mapping[str, Any]) -> To:
    return To({"finetune.rate_initial": figure(value)})


def _no_schedule(_: Any, __: Mapping[str, Any]) -> To:
    return To({"finetune.schedule": "constant", "finetune.warmup": 0}, "no lr_schedule: the rate stays")


def _keys(value: Any, _: Mapping[str, Any]) -> To:
    if value == "all":
        return To({"finetune.modules": ["all-linear"]})
    if not isinstance(value, list) or not value:
        raise CannotSayError("not a list of module names")
    return To({"finetune.modules": [str(one) for one in value]})


def _alpha(value: Any, whole: Mapping[str, Any]) -> To:
    if whole.get("lora_parameters.scale") is not None:
        raise CannotSayError("mlx-lm does not read it: `scale` alone says how strong the update is")
    return To({"finetune.alpha": figure(value)})


def _data(value: Any, _: Mapping[str, Any]) -> To:
    return To({"corpus.files": [str(value)]}, "its train, valid and test files are read as one and split anew")


def _method(value: Any, whole: Mapping[str, Any]) -> To:
    to = choice("finetune.method", {name: name for name in ("lora", "dora", "full")}, "method")(value, whole)
    every = to.values["finetune.method"] == "full"
    return To(to.values, "trains every weight, whatever the layers" if every else "")


def _masked(value: Any, _: Mapping[str, Any]) -> To:
    if value:
        return To({}, "as always: the poem and its end are learned, the question is read only")
    raise CannotSayError("poetune never learns the question, only the poem and its end")


def _tracked(value: Any, _: Mapping[str, Any]) -> To:
    names = [one.strip() for one in value.split(",")] if isinstance(value, str) else list(value)
    if not set(names) <= {"wandb", "tensorboard", "trackio"}:
        raise CannotSayError("poetune tracks by tensorboard, trackio and wandb")
    return To({"finetune.track": names})


RULES: dict[str, Rule] = {
    "model": _model,
    "train": never("poetune finetune always trains; `poetune score losses` only measures", unless=True),
    "fine_tune_type": _method,
    "training_mode": never("examples are learned as they are", unless="normal"),
    "data": _data,
    "hf_dataset.path": lambda value, _: To({"corpus.files": [f"hub:{value}"]}),
    "hf_dataset.name": lambda value, _: To({"corpus.files": [f"hub:{value}"]}),
    "seed": count("seed"),
    "num_layers": _layers,
    "batch_size": count("finetune.batch"),
    "grad_accumulation_steps": count("finetune.accumulation"),
    "iters": _steps,
    "val_batches": _validation,
    "learning_rate": _rate,
    "lr_schedule": _no_schedule,
    "lr_schedule.name": _schedule,
    "lr_schedule.arguments": _arguments,
    "lr_schedule.warmup": count("finetune.warmup"),
    "lr_schedule.warmup_init": _warmup_init,
    "steps_per_report": count("finetune.report_every"),
    "steps_per_eval": count("finetune.validate_every"),
    "save_every": count("finetune.checkpoint_every"),
    "max_seq_length": count("finetune.longest"),
    "optimizer": _optimizer,
    "optimizer_config": nothing("nothing to say"),
    "optimizer_config.adam": _optimizer_config("adam"),
    "optimizer_config.adamw": _optimizer_config("adamw"),
    "optimizer_config.sgd": _optimizer_config("sgd"),
    "optimizer_config.adafactor": _optimizer_config("adafactor"),
    "optimizer_config.muon": _optimizer_config("muon"),
    "lora_parameters.keys": _keys,
    "lora_parameters.rank": count("finetune.rank"),
    "lora_parameters.scale": number("finetune.scale", "the same figure: alpha = scale x rank"),
    "lora_parameters.alpha": _alpha,
    "lora_parameters.dropout": number("finetune.dropout"),
    "mask_prompt": _masked,
    "adapter_path": nothing("checkpoints lie under runs/"),
    "resume_adapter_file": never("training begins from the base; `finetune --register` takes a folder of adapters in"),
    "grad_checkpoint": never("not there: the rows are short, and memory is saved by other means", unless=False),
    "test": nothing("`poetune score losses` measures the test poems"),
    "test_batches": nothing("all test poems are measured"),
    "wandb": lambda _, __: To({"finetune.track": ["wandb"]}, "the project's name is the recipe's"),
    "report_to": _tracked,
    "project_name": never("trackers take the recipe's name"),
    "clear_cache_threshold": nothing("a matter of MLX's memory"),
    "trust_remote_code": never("poetune never runs code that comes with a model", unless=False),
    "config": nothing("the file itself"),
}
