"""A project's own YAML around Hugging Face's Trainer, peft and `generate`, flat or in sections; names are theirs.

Facts and defaults from TrainingArguments, LoraConfig and GenerationConfig.
"""

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
    never,
    nothing,
    number,
    whole_figure,
)

# fmt: off
SIGNS = frozenset({
    "model_name", "model_name_or_path", "dataset_name", "per_device_train_batch_size", "num_train_epochs",
    "lora_alpha", "gradient_accumulation_steps", "logging_steps", "save_total_limit", "num_beams",
    "no_repeat_ngram_size", "r",
})
# fmt: on
DEFAULTS: dict[str, Any] = {
    "training": "bare text",
    "learning_rate": 5e-5,
    "lr_scheduler_type": "linear",
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "per_device_train_batch_size": 8,
    "r": 8,
    "lora_alpha": 8,
    "lora_dropout": 0.0,
}
_MODULES = {"gpt2": ["c_attn"]}
_USUAL_MODULES = ("gpt-neo", "gpt_neo", "llama", "qwen", "mistral", "opt", "gemma", "deepseek")
_ALIASES = {
    "model_name_or_path": "model_name",
    "base_model": "model_name",
    "batch_size": "per_device_train_batch_size",
    "train_batch_size": "per_device_train_batch_size",
    "num_epochs": "num_train_epochs",
    "epochs": "num_train_epochs",
    "lora_r": "r",
    "rank": "r",
    "alpha": "lora_alpha",
    "dropout": "lora_dropout",
    "lora_bias": "bias",
}


def read(data: Mapping[str, Any]) -> Imported:
    """The file's keys, its sections opened, and the libraries' defaults for what shapes a training."""
    given: dict[str, Any] = {}
    for key, value in data.items():
        for name, held in value.items() if isinstance(value, Mapping) else [(key, value)]:
            given[_ALIASES.get(str(name), str(name))] = held
    defaults = dict(DEFAULTS)
    if not _positive(given.get("max_steps")):
        defaults["num_train_epochs"] = 3.0
    if not (given.get("warmup_steps") or given.get("warmup_ratio")):
        defaults["warmup_steps"] = 0
    if given.get("fp16") is None and given.get("bf16") is None:
        defaults["fp16"] = False
    if given.get("target_modules") is None:
        defaults["target_modules"] = "peft's own"
    if any(given.get(name) is not None for name in ("prompt", "num_beams", "max_length", "no_repeat_ngram_size")):
        defaults |= {"do_sample": False, "num_beams": 1, "repetition_penalty": 1.0, "no_repeat_ngram_size": 0}
    return apply("Trainer", given, RULES, defaults)


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0


def _dataset(value: Any, _: Mapping[str, Any]) -> To:
    names = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    files = [one if _local(one) else f"hub:{one}" for one in names]
    return To({"corpus.files": files}, "rows are kept by corpus.where, columns named by corpus.map")


def _local(name: str) -> bool:
    return name.startswith((".", "/", "~")) or name.rpartition(".")[2] in ("csv", "tsv", "json", "jsonl", "txt", "zip")


def _epochs(value: Any, whole: Mapping[str, Any]) -> To:
    if _positive(whole.get("max_steps")):
        raise CannotSayError("max_steps goes before it")
    return To({"finetune.epochs": figure(value)})


def _steps(value: Any, _: Mapping[str, Any]) -> To:
    return To({"finetune.steps": whole_figure(value)} if _positive(value) else {}, "")


def _warmup_ratio(value: Any, whole: Mapping[str, Any]) -> To:
    if not figure(value):
        return To({}, "nothing to say")
    if not _positive(whole.get("max_steps")):
        raise CannotSayError("say finetune.warmup in steps; how many there are follows from the poems")
    return To({"finetune.warmup": round(figure(value) * whole["max_steps"])})


def _half(name: str) -> Rule:
    def rule(value: Any, whole: Mapping[str, Any]) -> To:
        if value:
            return To({"finetune.precision": name})
        other = whole.get("bf16" if name == "fp16" else "fp16")
        return To({}, "nothing to say") if other else To({"finetune.precision": "fp32"})

    return rule


def _modules(value: Any, whole: Mapping[str, Any]) -> To:
    if value == "peft's own":
        name = str(whole.get("model_name", "")).lower()
        known = next((modules for start, modules in _MODULES.items() if start in name), None)
        if known is None and any(start in name for start in _USUAL_MODULES):
            known = ["q_proj", "v_proj"]
        if known is None:
            raise CannotSayError("left to peft, which has modules of its own for each architecture; name them")
        return To({"finetune.modules": known})
    if isinstance(value, str):
        return To({"finetune.modules": [one.strip() for one in value.split(",")]})
    return To({"finetune.modules": [str(one) for one in value]})


def _flag(ours: str, name: str) -> Rule:
    def rule(value: Any, _: Mapping[str, Any]) -> To:
        return To({ours: name}) if value else To({}, "nothing to say")

    return rule


def _sampled(ours: str) -> Rule:
    def rule(value: Any, whole: Mapping[str, Any]) -> To:
        if not whole.get("do_sample"):
            raise CannotSayError("do_sample is off, so it did nothing")
        return To({ours: figure(value)})

    return rule


def _drawing(value: Any, whole: Mapping[str, Any]) -> To:
    if not value:
        return To({"generate.temperature": 0, "generate.top_p": 1}, "no drawing: beams, or the likeliest token")
    usual = {"generate.temperature": 1.0, "generate.top_p": 1.0, "generate.top_k": 50}
    named = {"generate.temperature": "temperature", "generate.top_p": "top_p", "generate.top_k": "top_k"}
    return To({ours: held for ours, held in usual.items() if whole.get(named[ours]) is None})


def _prompt(value: Any, _: Mapping[str, Any]) -> To:
    return To({"generate.openings": [str(one) for one in value] if isinstance(value, list) else [str(value)]})


def _bare(_: Any, __: Mapping[str, Any]) -> To:
    stage = {"name": "verse", "kind": "dapt"}
    return To({"finetune.stages": [stage], "generate.templates": ["verse.v1"]}, "such projects train on bare verse")


def _tracked(value: Any, _: Mapping[str, Any]) -> To:
    names = [value] if isinstance(value, str) else list(value)
    if names == ["none"]:
        return To({}, "nothing to say")
    if not set(names) <= {"wandb", "tensorboard", "trackio"}:
        raise CannotSayError("poetune tracks by tensorboard, trackio and wandb")
    return To({"finetune.track": names})


def _schedule(value: Any, whole: Mapping[str, Any]) -> To:
    names = {"linear": "linear", "cosine": "cosine", "constant": "constant", "constant_with_warmup": "constant"}
    to = choice("finetune.schedule", names, "schedule")(value, whole)
    return To({**to.values, "finetune.rate_initial": 0, "finetune.rate_final": 0})


_OPTIMIZERS = {
    **dict.fromkeys(("adamw_torch", "adamw_hf", "adamw_torch_fused", "paged_adamw_32bit", "paged_adamw"), "adamw"),
    **dict.fromkeys(("adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit"), "adamw_8bit"),
    "adafactor": "adafactor",
    "sgd": "sgd",
}

RULES: dict[str, Rule] = {
    "training": _bare,
    "model_name": lambda value, _: To({"base": str(value)}),
    "dataset_name": _dataset,
    "output_dir": nothing("checkpoints lie under runs/"),
    "seed": count("seed"),
    "learning_rate": number("finetune.rate"),
    "lr_scheduler_type": _schedule,
    "warmup_steps": count("finetune.warmup"),
    "warmup_ratio": _warmup_ratio,
    "weight_decay": number("finetune.weight_decay"),
    "max_grad_norm": number("finetune.clip"),
    "optim": choice("finetune.optimizer", _OPTIMIZERS, "optimizer"),
    "per_device_train_batch_size": count("finetune.batch"),
    "per_device_eval_batch_size": nothing("validation uses finetune.batch"),
    "gradient_accumulation_steps": count("finetune.accumulation"),
    "gradient_checkpointing": never("not there: the rows are short", unless=False),
    "num_train_epochs": _epochs,
    "max_steps": _steps,
    "logging_steps": count("finetune.report_every"),
    "logging_dir": nothing("losses are kept in poet.db"),
    "eval_steps": count("finetune.validate_every"),
    "evaluation_strategy": nothing("finetune.validate_every says when"),
    "eval_strategy": nothing("finetune.validate_every says when"),
    "save_strategy": nothing("finetune.checkpoint_every says when"),
    "save_steps": count("finetune.checkpoint_every"),
    "save_total_limit": count("finetune.keep", "the best one stays beside them"),
    "load_best_model_at_end": nothing("the best checkpoint is always known"),
    "fp16": _half("fp16"),
    "bf16": _half("bf16"),
    "load_in_4bit": _flag("finetune.quantize", "4bit"),
    "load_in_8bit": _flag("finetune.quantize", "8bit"),
    "report_to": _tracked,
    "r": count("finetune.rank"),
    "lora_alpha": number("finetune.alpha"),
    "lora_dropout": number("finetune.dropout"),
    "bias": choice("finetune.bias", {name: name for name in ("none", "lora_only", "all")}, "choice"),
    "task_type": never("poetune trains causal language models", unless="CAUSAL_LM"),
    "target_modules": _modules,
    "use_rslora": _flag("finetune.method", "rslora"),
    "use_dora": _flag("finetune.method", "dora"),
    "max_seq_length": count("finetune.longest"),
    "block_size": count("finetune.longest"),
    "prompt": _prompt,
    "max_length": count("generate.max_tokens", "it counted the opening too"),
    "max_new_tokens": count("generate.max_tokens"),
    "num_return_sequences": count("generate.per_cell"),
    "no_repeat_ngram_size": count("generate.no_repeat_ngram"),
    "repetition_penalty": number("generate.repetition_penalty"),
    "num_beams": count("generate.beams"),
    "do_sample": _drawing,
    "temperature": _sampled("generate.temperature"),
    "top_p": _sampled("generate.top_p"),
    "top_k": _sampled("generate.top_k"),
    "early_stopping": nothing("beams end when none can become better"),
}
