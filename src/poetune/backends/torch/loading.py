"""A base: its weights and tokenizer loaded."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from poetune.backends.bases import open_renderer
from poetune.backends.rendering import Renderer
from poetune.backends.torch.lower import Lower
from poetune.backends.torch.memory import is_out_of_memory
from poetune.errors import EngineError


@dataclass(slots=True)
class Base:
    """A loaded base model. `folder` is where it lies; `fast_head`: head and decoder may be called apart.

    `writes` is False where only its upper layers are there. Layers below `adapted_from` are the base's own, whatever
    adapter is worn, and `lower` keeps what they give for prompts.
    """

    folder: Path
    model: Any
    renderer: Renderer
    device: Any
    fast_head: bool
    writes: bool = True
    adapted_from: int = 0
    lower: Lower = field(default_factory=Lower)

    @property
    def context(self) -> int:
        """The most positions that the model was made for."""
        return int(getattr(self.model.config, "max_position_embeddings", None) or 2**31)


def pick_device(name: str) -> Any:
    """`auto`: CUDA, else Apple's MPS, else the CPU."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_dtype(device: Any, full: bool = False) -> Any:
    """bf16 where a GPU computes in it, else fp32; weights that train in full stay in fp32."""
    computes = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if computes and not full else torch.float32


def load_model(folder: Path, device: Any, dtype: Any) -> Any:
    """The weights in `dtype` on `device`, frozen and without dropout.

    Raises:
        EngineError: transformers does not know the architecture, the files do not fit it, or memory does not suffice.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False
            )
            model = model.to(device)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise EngineError(
                f"base: {folder} does not fit into memory; train with finetune.quantize 4bit, or take a smaller base"
            ) from error
        reason = str(error).strip().split("\n")[0]
        raise EngineError(f"base: {folder} cannot be loaded ({reason}); check that its files are complete") from error
    return model.requires_grad_(False).eval()


def load(folder: Path, device: Any, full: bool = False, dtype: Any = None) -> Base:
    """A base ready for training, writing and scoring; without `dtype` in that of `pick_dtype`."""
    return prepared(folder, load_model(folder, device, dtype or pick_dtype(device, full)), device)


def prepared(folder: Path, model: Any, device: Any) -> Base:
    """A loaded model with what poetune needs to know of it."""
    renderer = open_renderer(folder)
    return Base(folder, model, renderer, device, _head_is_apart(model, renderer, device))


def _head_is_apart(model: Any, renderer: Renderer, device: Any) -> bool:
    """Whether decoder + output head give the model's own logits (some architectures scale or cap them)."""
    decoder, head = model.base_model, model.get_output_embeddings()
    if decoder is model or head is None:
        return False
    ids = torch.tensor([renderer.opener() + renderer.completion("a\nb")[:8]], device=device)
    with torch.inference_mode():
        whole = model(input_ids=ids, use_cache=False).logits
        apart = head(decoder(input_ids=ids, use_cache=False).last_hidden_state)
    return whole.shape == apart.shape and bool(torch.allclose(whole, apart, rtol=1e-3, atol=1e-4))
