"""Whether a launcher (`accelerate launch`, `torchrun`) started this process beside others; torch is not asked."""

import os


def size() -> int:
    """How many processes were started together; 1 without a launcher."""
    return _number("WORLD_SIZE", 1) if "RANK" in os.environ else 1


def rank() -> int:
    """This one's number among them; the one of rank 0 owns the terminal, the database and all files."""
    return _number("RANK", 0) if size() > 1 else 0


def hush() -> None:
    """Send what this process and its libraries print to nowhere: one of rank 0 speaks for all."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else otherwise
