"""Miniatures of the presets' bases: what differs between them is the architecture, the tokens and the chat template."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QWEN = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LINES = [
    "Write a poem about the sea and the sky",
    "My love is as the rain on summer grass,",
    "月出东山，江水自流。",
    "河\n慢慢地走",
]
VOCABULARY = 330


@dataclass(frozen=True)
class Kind:
    """`tokens` has every special token once; of them `ends` holds bos, eos and pad by name, where there is one."""

    architecture: str
    tokens: tuple[str, ...]
    ends: dict[str, str]
    template: str = ""
    opens: bool = False  # whether the tokenizer puts its BOS before every text
    layers: int = 3


_CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_EOT = ("<|endoftext|>",)
KINDS = {
    "Qwen2.5": Kind("qwen2", _CHATML, {"eos": "<|im_end|>", "pad": "<|endoftext|>"}, QWEN, layers=24),
    "Qwen1.5": Kind("qwen2", _CHATML, {"eos": "<|im_end|>", "pad": "<|endoftext|>"}, QWEN),
    "gpt2": Kind("gpt2", _EOT, {"bos": "<|endoftext|>", "eos": "<|endoftext|>"}),
    "gpt-neo": Kind("gpt_neo", _EOT, {"bos": "<|endoftext|>", "eos": "<|endoftext|>"}),
    "deepseek-coder": Kind(
        "llama",
        ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
        {"bos": "<｜begin▁of▁sentence｜>", "eos": "<｜end▁of▁sentence｜>", "pad": "<｜end▁of▁sentence｜>"},
        opens=True,
    ),
    "Llama-3.2": Kind(
        "llama",
        ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
        {"bos": "<|begin_of_text|>", "eos": "<|eot_id|>"},
        LLAMA,
        opens=True,
    ),
}


def base(folder: Path, name: str) -> Path:
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    kind = KINDS[name]
    _tokenizer(folder, kind)
    _model(folder, kind)
    return folder


def _tokenizer(folder: Path, kind: Kind) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(kind.tokens), initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(LINES * 2, trainer)
    if kind.opens:
        bos = kind.ends["bos"]
        raw.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, kind.tokens.index(bos))]
        )
    more = [token for token in kind.tokens if token not in kind.ends.values()]
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        additional_special_tokens=more,
        **{f"{end}_token": token for end, token in kind.ends.items()},
    )
    if kind.template:
        wrapped.chat_template = kind.template
    wrapped.save_pretrained(folder)


def config(kind: Kind, **shape: Any) -> Any:
    """The architecture's config, small unless `shape` says otherwise."""
    from transformers import GPT2Config, GPTNeoConfig, LlamaConfig, Qwen2Config

    ends = {
        f"{end}_token_id": kind.tokens.index(kind.ends[end]) if end in kind.ends else None
        for end in ("bos", "eos", "pad")
    }
    small = {"vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": kind.layers}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    if kind.architecture == "gpt2":
        own = {"vocab_size": VOCABULARY, "n_positions": 512, "n_embd": 64, "n_layer": kind.layers, "n_head": 4}
        return GPT2Config(**{**own, **ends, **shape})
    if kind.architecture == "gpt_neo":
        turns = [[["global", "local", "global"], 1]]
        own = {**small, "num_heads": 4, "max_position_embeddings": 512, "attention_types": turns, "window_size": 16}
        return GPTNeoConfig(**{**own, **ends, **shape})
    made = {"llama": LlamaConfig, "qwen2": Qwen2Config}[kind.architecture]
    return made(**{**small, **heads, **ends, **shape})


def _model(folder: Path, kind: Kind) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(config(kind)).save_pretrained(folder)


def shape_only(folder: Path, name: str, **shape: Any) -> Path:
    """A base of the real size, without weights: its config and a tokenizer."""
    kind = KINDS[name]
    _tokenizer(folder, kind)
    config(kind, **shape).save_pretrained(folder)
    return folder
