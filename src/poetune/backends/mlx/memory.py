"""Out of memory: how mlx says so, and how what it keeps is given back."""

import gc

import mlx.core as mx

_WORDS = ("out of memory", "insufficient memory", "attempting to allocate", "unable to allocate", "malloc")


def is_out_of_memory(error: BaseException) -> bool:
    """mlx has no error of its own for it."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _WORDS)


def give_back() -> None:
    """Return what is cached to the system."""
    gc.collect()
    mx.clear_cache()
