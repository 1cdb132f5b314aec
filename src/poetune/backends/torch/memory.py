"""Out of memory: how torch says so, and how it is given back."""

import gc
from typing import Any

import torch

from poetune.backends.torch.allocator import return_pages

_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA and MPS have an error of their own; the CPU's allocator and cuBLAS say it in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def give_back(device: Any) -> None:
    """Return what is cached to the device."""
    gc.collect()
    if device.type == "cpu":
        return_pages()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
