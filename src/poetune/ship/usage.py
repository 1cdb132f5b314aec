"""How to use what ships: code that runs in the bundle's folder."""

import re
from dataclasses import dataclass, field
from pathlib import PureWindowsPath

from poetune.records import Conversation, Message, Sampling

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class Ask:
    """An example: a theme, the conversation that its template makes of it, and how poems are drawn."""

    theme: str = "rain"
    conversation: Conversation = field(default_factory=Conversation)
    sampling: Sampling = field(default_factory=Sampling)


def hub_id(base: str) -> bool:
    """Whether a base is named as the hub names one: owner/name."""
    return _HUB_ID.fullmatch(base) is not None


def base_name(base: str) -> str:
    """A base as it may be printed: a hub id as it is, of a folder the last name only."""
    if hub_id(base):
        return base
    return "the starter base of poetune" if base == "starter" else PureWindowsPath(base).name or base


def peft_snippet(base: str, ask: Ask) -> str:
    """Python that loads the base and the adapter in this folder, and writes one poem."""
    if base == "starter":
        first, where = "from importlib.resources import files\n\n", 'str(files("poetune") / "starter" / "base")'
    else:
        first, where = "", repr(base) if hub_id(base) else repr(f"path/to/{base_name(base)}")
    return (
        f"{first}from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f"base = {where}\n"
        'tokenizer = AutoTokenizer.from_pretrained(".")\n'
        'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), ".")\n' + _write(ask)
    )


def mlx_snippet(base: str, ask: Ask) -> str:
    """Python that loads the base and the adapter in this folder with mlx-lm, and writes one poem."""
    if base == "starter":
        first, where = "from importlib.resources import files\n\n", 'str(files("poetune") / "starter" / "base")'
    else:
        first, where = "", repr(base) if hub_id(base) else repr(f"path/to/{base_name(base)}")
    s = ask.sampling
    return (
        f"{first}from mlx_lm import generate, load\n"
        "from mlx_lm.sample_utils import make_logits_processors, make_sampler\n\n"
        f'model, tokenizer = load({where}, adapter_path=".")\n'
        f"{_prompt(ask)}ids = tokenizer.encode(prompt, add_special_tokens={bool(ask.conversation.raw)})\n"
        f"sampler = make_sampler(temp={s.temperature:g}, top_p={s.top_p:g}, top_k={s.top_k})\n"
        f"penalty = make_logits_processors(repetition_penalty={s.repetition_penalty:g})\n"
        "print(\n"
        f"    generate(model, tokenizer, ids, max_tokens={s.max_tokens}, sampler=sampler, logits_processors=penalty)\n"
        ")\n"
    )


def transformers_snippet(ask: Ask) -> str:
    """Python that loads the merged model in this folder, and writes one poem."""
    return (
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained(".")\n'
        'model = AutoModelForCausalLM.from_pretrained(".")\n' + _write(ask)
    )


def poetune_snippet(ask: Ask) -> str:
    """The command that writes a poem from the project's best model."""
    opening = "" if ask.theme else ask.conversation.prefix
    option, asked = ("--first-line ", opening) if opening else ("", ask.theme)
    quoted = "'" + asked.replace("'", "'\\''") + "'"
    return f"poetune write {option}{quoted}"


def _write(ask: Ask) -> str:
    s = ask.sampling
    drawing = f"do_sample=True, temperature={s.temperature:g}, top_p={s.top_p:g}, top_k={s.top_k}"
    drawing = drawing if s.temperature > 0 else "do_sample=False"
    special = "True" if ask.conversation.raw else "False"
    return (
        f'{_prompt(ask)}inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens={special})\n'
        f"out = model.generate(\n    **inputs, {drawing}, repetition_penalty={s.repetition_penalty:g}, "
        f"max_new_tokens={s.max_tokens}\n)\n"
        'print(tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))\n'
    )


def _prompt(ask: Ask) -> str:
    """As the engine renders it: the chat template where there is one, else contents a line each after BOS (or EOS)."""
    asked = ask.conversation
    if asked.raw:
        return f"prompt = {asked.raw!r}\n"
    if asked.prefix and not asked.messages:
        return f"prompt = (tokenizer.bos_token or tokenizer.eos_token) + {asked.prefix!r}\n"
    turns = [
        {"role": m.role, "content": m.content} for m in asked.messages or (Message("user", ask.theme),) if m.content
    ]
    return (
        f"messages = {turns!r}\n"
        "if tokenizer.chat_template:\n"
        "    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)\n"
        "else:\n"
        "    prompt = (tokenizer.bos_token or tokenizer.eos_token) + "
        '"".join(m["content"] + "\\n" for m in messages)\n'
        + ("prompt = prompt.rstrip()\n" if asked.trim else "")
        + (f"prompt += {asked.lead!r}\n" if asked.lead else "")
    )
