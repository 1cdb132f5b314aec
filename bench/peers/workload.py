"""The workload that every tool is timed on: a model with random weights and poems that are ids and text at once.

    python workload.py --shape tiny --out W

writes W/model and is read back by the other scripts. Poems have prompts of about 31 tokens and completions of
log-normal length (median near 81, 20 to 400), drawn from 4,000 words with Zipf weights and a habit of pairs to learn.
"""

import argparse
import random
from itertools import product
from pathlib import Path

# vocabulary, hidden, inner, layers, heads, key-value heads
SHAPES = {
    "tiny": (8192, 256, 688, 12, 4, 4),
    "gpt2": (50257, 768, 3072, 12, 12, 12),
    "qwen0.5b": (151936, 896, 4864, 24, 14, 2),
    "qwen7b": (152064, 3584, 18944, 28, 28, 4),
}
SPECIALS = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|unk|>"]
PAD, END, USER, ASSISTANT, UNK, BREAK, WORDS = 0, 1, 2, 3, 4, 5, 6
CHAT = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TEMPERATURE, TOP_P, PENALTY, GRID_SEED = 0.7, 0.95, 1.1, 5  # the law that all tools write by, and which poems
RANK, ALPHA, RATE, BATCH = 4, 8, 1e-3, 4
MODULES = ["q_proj", "v_proj", "gate_proj", "up_proj", "down_proj"]
GPT2_MODULES = ["attn.c_attn", "mlp.c_fc", "mlp.c_proj"]
ATTENTION = ("q_proj", "v_proj", "attn.c_attn")


def word(i):
    """The text of id i: three syllables, another for every id."""
    syllables = [c + v for c in "bdfghjklmnprstvwxzcq" for v in "aeiou"]
    if i == BREAK:
        return "\n"
    return SPECIALS[i] if i < BREAK else syllables[i // 10000 % 100] + syllables[i // 100 % 100] + syllables[i % 100]


def config(name):
    """The transformers config of a shape."""
    from transformers import GPT2Config, LlamaConfig, Qwen2Config

    vocabulary, hidden, inner, layers, heads, shared = SHAPES[name]
    ids = {"pad_token_id": PAD, "eos_token_id": END, "bos_token_id": None}
    if name == "gpt2":
        return GPT2Config(
            vocab_size=vocabulary, n_embd=hidden, n_layer=layers, n_head=heads, resid_pdrop=0.0, embd_pdrop=0.0,
            attn_pdrop=0.0, **ids,
        )  # fmt: skip
    kind = LlamaConfig if name == "tiny" else Qwen2Config
    return kind(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=shared, max_position_embeddings=2048,
        tie_word_embeddings=name == "qwen0.5b", **ids,
    )  # fmt: skip


def tokenizer(name):
    """One word, one token."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    known = {word(i): i for i in range(SHAPES[name][0])}
    inner = Tokenizer(models.WordLevel(known, unk_token="<|unk|>"))
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(" +"), "removed"), pre_tokenizers.Split("\n", "isolated")]
    )
    inner.add_special_tokens(SPECIALS)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<|pad|>", eos_token="<|end|>", unk_token="<|unk|>", chat_template=CHAT
    )


def save_model(name, folder, dtype="float32"):
    """Random weights, seed 0, and the tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config(name), dtype=getattr(torch, dtype)).save_pretrained(folder)
    tokenizer(name).save_pretrained(folder)
    (Path(folder) / "shape.txt").write_text(name)


def shape_of(folder):
    """The name of the shape that a model folder has."""
    return (Path(folder) / "shape.txt").read_text()


def modules(name):
    """What the job's LoRA sits on."""
    return GPT2_MODULES if name == "gpt2" else MODULES


def settings(name, count):
    """Settings of a sweep, the first `count` of eight: target modules x rank x learning rate."""
    attention = [module for module in modules(name) if module in ATTENTION]
    crossed = product((modules(name), attention), (RANK, 2 * RANK), (RATE, 0.3 * RATE))
    return [{"modules": m, "rank": r, "rate": rate} for m, r, rate in crossed][:count]


def adapter(name, layers, rank=RANK, on=()):
    """The LoRA of the job: rank 4, alpha 8, on the last `layers` layers; `on`: other modules than the job's."""
    from peft import LoraConfig

    depth, gpt2 = SHAPES[name][3], name == "gpt2"
    return LoraConfig(
        r=rank, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=list(on) or modules(name),
        fan_in_fan_out=gpt2, layers_to_transform=list(range(depth - layers, depth)),
        layers_pattern="h" if gpt2 else "layers", task_type="CAUSAL_LM",
    )  # fmt: skip


def save_adapter(model, folder):
    """An adapter on the upper half of the layers, with weights that change what is written: one checkpoint."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    name = shape_of(model)
    worn = get_peft_model(AutoModelForCausalLM.from_pretrained(model), adapter(name, SHAPES[name][3] // 2))
    for key, parameter in worn.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(parameter, std=0.01)
    worn.save_pretrained(folder)


def length(drawn):
    """Tokens of a poem, END counted: log-normal, 20 to 400."""
    return int(min(400, max(20, drawn.lognormvariate(4.4, 0.5))))


def poems(name, count, seed=1):
    """Dicts with prompt, completion (texts) and prompt_ids, completion_ids; the last id of a completion is END."""
    fixed, drawn = random.Random(7), random.Random(seed)
    lexicon = fixed.sample(range(WORDS, SHAPES[name][0]), 4000)
    follows = dict(zip(lexicon, fixed.sample(lexicon, 4000), strict=True))
    weights = [1 / (k + 5) for k in range(4000)]
    opening = lexicon[100:122]

    def words(length):
        out = drawn.choices(lexicon, weights)
        while len(out) < length:
            out.append(follows[out[-1]] if drawn.random() < 0.5 else drawn.choices(lexicon, weights)[0])
        return out

    def text(ids):
        return " ".join(map(word, ids)).replace(" \n ", "\n").replace(" \n", "\n").replace("\n ", "\n")

    out = []
    for _ in range(count):
        prompt = opening + words(drawn.randint(3, 9))
        size = length(drawn)
        body = [BREAK if i % 8 == 7 and i < size - 2 else w for i, w in enumerate(words(size - 1))]
        out.append(
            {"prompt": text(prompt), "completion": text(body), "prompt_ids": [USER, *prompt, END, ASSISTANT],
             "completion_ids": [*body, END]}
        )  # fmt: skip
    return out


def held_out(name):
    """16 poems that nobody trains on."""
    return poems(name, 16, seed=991)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--shape", choices=SHAPES, default="tiny")
    ap.add_argument("--out", required=True)
    ap.add_argument("--dtype", default="float32")
    ap.add_argument("--adapter", action="store_true", help="write W/adapter as well")
    a = ap.parse_args()
    save_model(a.shape, Path(a.out) / "model", a.dtype)
    if a.adapter:
        save_adapter(Path(a.out) / "model", Path(a.out) / "adapter")
    tok = tokenizer(a.shape)
    for row in poems(a.shape, 100):
        turns = [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]}]
        ids = tok.apply_chat_template(turns, return_dict=False)
        if ids != row["prompt_ids"] + row["completion_ids"]:
            raise SystemExit("text and ids differ")
