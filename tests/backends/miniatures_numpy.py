"""Miniature models in the files of transformers, made with numpy alone: the mlx tests run where there is no torch."""

import json
from pathlib import Path

import numpy as np
from miniatures import CHATML, tokenizer

VOCABULARY = 330


def base(folder: Path, architecture: str = "llama", seed: int = 0, size: int = 32, layers: int = 3, **more) -> Path:
    """A complete base folder of a llama, qwen2, qwen3 or gpt2; `more` goes into its config."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(folder, CHATML)
    drawn = np.random.default_rng(seed)
    config, shapes = (_gpt2 if architecture == "gpt2" else _rotary)(architecture, size, layers)
    tensors = {}
    for name, shape in shapes.items():
        # louder than the usual start, so that prompts matter to the logits
        norm = len(shape) == 1
        values = 1 + 0.1 * drawn.standard_normal(shape) if norm else 0.08 * drawn.standard_normal(shape)
        tensors[name] = (values - norm * name.endswith("bias")).astype(np.float32)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    ends = {"bos_token_id": 1, "eos_token_id": 3, "pad_token_id": 0, "dtype": "float32"}
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": VOCABULARY, **ends, **more}))
    return folder


def _rotary(architecture, size, layers):
    tied, heads, shared = architecture == "llama", 4, 2
    config = {
        "model_type": architecture,
        "architectures": [f"{architecture.capitalize()}ForCausalLM"],
        "hidden_size": size, "num_hidden_layers": layers, "intermediate_size": 2 * size, "num_attention_heads": heads,
        "num_key_value_heads": shared, "head_dim": size // heads, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "tie_word_embeddings": tied, "hidden_act": "silu",
    }  # fmt: skip
    shapes = {"model.embed_tokens.weight": (VOCABULARY, size), "model.norm.weight": (size,)}
    if not tied:
        shapes["lm_head.weight"] = (VOCABULARY, size)
    narrow = size * shared // heads
    for i in range(layers):
        at = f"model.layers.{i}"
        for name, rows in (("q", size), ("k", narrow), ("v", narrow)):
            shapes[f"{at}.self_attn.{name}_proj.weight"] = (rows, size)
            if architecture == "qwen2":
                shapes[f"{at}.self_attn.{name}_proj.bias"] = (rows,)
        shapes[f"{at}.self_attn.o_proj.weight"] = (size, size)
        if architecture == "qwen3":
            shapes |= {f"{at}.self_attn.{name}_norm.weight": (size // heads,) for name in "qk"}
        shapes |= {f"{at}.mlp.{name}_proj.weight": (2 * size, size) for name in ("gate", "up")}
        shapes[f"{at}.mlp.down_proj.weight"] = (size, 2 * size)
        shapes |= {f"{at}.{name}_layernorm.weight": (size,) for name in ("input", "post_attention")}
    return config, shapes


def _gpt2(_, size, layers):
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": size, "n_layer": layers, "n_head": 4,
        "n_positions": 256, "n_ctx": 256, "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new",
        "tie_word_embeddings": True,
    }  # fmt: skip
    shapes = {"wte.weight": (VOCABULARY, size), "wpe.weight": (256, size)}
    shapes |= {"ln_f.weight": (size,), "ln_f.bias": (size,)}
    for i in range(layers):
        for name, wide in (("attn.c_attn", (size, 3 * size)), ("attn.c_proj", (size, size)),
                           ("mlp.c_fc", (size, 4 * size)), ("mlp.c_proj", (4 * size, size))):  # fmt: skip
            shapes |= {f"h.{i}.{name}.weight": wide, f"h.{i}.{name}.bias": (wide[1],)}
        shapes |= {f"h.{i}.{name}.{kind}": (size,) for name in ("ln_1", "ln_2") for kind in ("weight", "bias")}
    return config, shapes
