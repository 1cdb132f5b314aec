"""Miniature models of real architectures with a tiny tokenizer, random but seeded, made in a folder."""

import warnings
from pathlib import Path

CHATML = (
    "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LINES = [
    "The rain came down on the slate roof all night,\nand the gutter sang to the yard.",
    "I keep the lamp low.\nThe river keeps its own hours.\n\nNobody asks it to stay.",
    "雨落在瓦上，\n灯很低。\n河自己走。",
    "Write a poem about rain and the river at night.",
]
ARCHITECTURES = ("llama", "qwen2", "qwen3", "gpt2", "gpt_neo")


def tokenizer(folder: Path, template: str | None = CHATML) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|bos|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(LINES, trainer)
    raw.post_processor = processors.TemplateProcessing(single="<|bos|> $A", special_tokens=[("<|bos|>", 1)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<|bos|>",
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>"],
    )
    if template is not None:
        wrapped.chat_template = template
    wrapped.save_pretrained(folder)


def fallback_tokenizer(folder: Path) -> None:
    """Pieces with a leading word sign, and single bytes for all that no piece spells, as Llama 2 has them."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", "<|im_end|>", *(f"<0x{i:02X}>" for i in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    raw = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    raw.normalizer = normalizers.Replace(" ", "▁")
    raw.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="<|im_end|>", unk_token="<unk>"
    ).save_pretrained(folder)
    (folder / "config.json").write_text("{}")


def model(folder: Path, architecture: str = "llama", seed: int = 0, layers: int = 3, size: int = 32) -> None:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        GPT2Config,
        GPTNeoConfig,
        LlamaConfig,
        MistralConfig,
        Qwen2Config,
        Qwen3Config,
    )

    ends = {"bos_token_id": 1, "eos_token_id": 3, "pad_token_id": 0}
    common = {"vocab_size": 330, "hidden_size": size, "num_hidden_layers": layers, **ends}
    rope = {
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 2 * size,
        "max_position_embeddings": 256,
    }
    config = {
        "llama": lambda: LlamaConfig(**common, **rope, tie_word_embeddings=True),
        "qwen2": lambda: Qwen2Config(**common, **rope),
        "qwen3": lambda: Qwen3Config(**common, **rope, head_dim=size // 2),  # heads wider than the states, as its 0.6B
        "mistral": lambda: MistralConfig(**common, **rope, sliding_window=8),
        "qwen2_sliding": lambda: Qwen2Config(
            **common, **rope, use_sliding_window=True, sliding_window=8, max_window_layers=1
        ),
        "gpt2": lambda: GPT2Config(vocab_size=330, n_positions=256, n_embd=size, n_layer=layers, n_head=4, **ends),
        "gpt_neo": lambda: GPTNeoConfig(
            **common,
            num_heads=4,
            intermediate_size=2 * size,
            max_position_embeddings=256,
            attention_types=[[["global", "local", "global"], 1]],
            window_size=8,
        ),
    }[architecture]()
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        made = AutoModelForCausalLM.from_config(config)
        for parameter in made.parameters():  # louder than the usual start, so that prompts matter to the logits
            parameter.data.mul_(3)
        made.save_pretrained(folder)


def base(
    folder: Path, architecture: str = "llama", template: str | None = CHATML, seed: int = 0, size: int = 32
) -> Path:
    """A complete base folder."""
    import torch
    import transformers

    torch.set_num_threads(1)  # miniatures gain nothing from more, and test workers would fight over them
    transformers.utils.logging.disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    model(folder, architecture, seed, size=size)
    tokenizer(folder, template)
    return folder
