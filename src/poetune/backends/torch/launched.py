"""The processes of a launch, joined by accelerate: gradients go by NCCL between GPUs, all else by gloo.

What is not a gradient goes by gloo on GPUs too: gloo notices at once where a process has ended, NCCL waits.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object

from poetune.backends import processes
from poetune.backends.torch.crew import Agreed
from poetune.backends.torch.memory import is_out_of_memory
from poetune.errors import EngineError

_PATIENCE = timedelta(days=30)  # others wait while rank 0 fills the cache, merges or scores
_BUCKET = 64 << 20  # bytes of gradients sent together
_T = TypeVar("_T")


class Lost(EngineError):  # noqa: N818
    """Another process has ended, so no training goes on."""


class Launched:
    """This process among those of its launch. `busy`: an order is being carried out, so no other can be given."""

    def __init__(self) -> None:
        state = _join()
        self.rank, self.size, self.device = int(state.process_index), int(state.num_processes), state.device
        self.busy = False
        self._members: list[tuple[str, int]] = self._gathered((socket.gethostname(), os.getpid()))

    def agree(self, word: _T) -> list[_T]:
        """Every process's word, by rank. Raises Agreed in all of them where one has failed."""
        told = self._gathered(("", word))
        for rank, (failure, _) in enumerate(told):
            if failure:
                raise Agreed(f"the process of rank {rank} of {self.size} says: {failure}")
        return [each for _, each in told]

    def fail(self, sentence: str) -> None:
        """Say, in the place of a word to agree on, why this process cannot go on."""
        self._gathered((sentence, None))

    def tell(self, *order: Any) -> None:
        """Rank 0: what all do next."""
        with self._connected():
            broadcast_object_list([order])

    def hear(self) -> tuple[Any, ...]:
        """The others: what rank 0 tells."""
        heard: list[Any] = [None]
        with self._connected():
            broadcast_object_list(heard)
        order: tuple[Any, ...] = heard[0]
        return order

    def add_up(self, parameters: Sequence[Any]) -> None:
        """Give each parameter the sum of all processes' gradients; where none has one, there is none."""
        there = torch.tensor([p.grad is not None for p in parameters], dtype=torch.uint8)
        with self._connected():
            torch.distributed.all_reduce(there, torch.distributed.ReduceOp.MAX)
            for bucket in _buckets([p for p, one in zip(parameters, there.tolist(), strict=True) if one]):
                whole = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in bucket])
                torch.distributed.all_reduce(whole)
                for p, part in zip(bucket, whole.split([p.numel() for p in bucket]), strict=True):
                    p.grad = part.view_as(p)

    def level(self, parameters: Sequence[Any]) -> None:
        """Give each parameter the values that it has in the process of rank 0."""
        with self._connected():
            for parameter in parameters:
                torch.distributed.broadcast(parameter.data, 0)

    def close(self) -> None:
        """Part from the others."""
        torch.distributed.destroy_process_group()

    def outlast_first(self) -> None:
        """Part, and stay until rank 0 is gone, which looks for processes that ended before it."""
        self.close()
        for _ in range(100):
            if 0 in self._ended():
                return
            time.sleep(0.05)

    @contextmanager
    def heeding(self) -> Iterator[None]:
        """A launcher that lost a process asks the others to end: what happened is said first. Ctrl-C counts once."""

        def stop(*_: Any) -> None:
            for each in before:
                signal.signal(each, signal.SIG_IGN)
            self.busy = True
            raise Lost(self._lost()) if self._ended() else KeyboardInterrupt

        before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            if not self.busy:
                for each, handler in before.items():
                    signal.signal(each, handler)

    def _gathered(self, word: _T) -> list[_T]:
        with self._connected():
            told: list[_T] = gather_object([word])
        return told

    @contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.busy = True
            if is_out_of_memory(error):
                raise EngineError(
                    "finetune: no memory is left to add up the processes' gradients; make finetune.batch smaller"
                ) from error
            raise Lost(self._lost()) from error

    def _lost(self) -> str:
        for _ in range(20):  # a connection breaks a moment before its process is gone
            if self._ended():
                break
            time.sleep(0.05)
        ended = [str(rank) for rank in self._ended()]
        if ended:
            one = len(ended) == 1
            those = f"the {'process' if one else 'processes'} of rank {' and '.join(ended)} of {self.size}"
            said = f"{those} {'has' if one else 'have'} ended (killed, or short of memory)"
        else:
            said = f"the connection among the {self.size} processes is broken"
        return f"finetune: {said}; checkpoints are kept, so give the same command again and it goes on from the last"

    def _ended(self) -> list[int]:
        """Ranks on this machine whose process is no more."""
        here = socket.gethostname()
        return [rank for rank, (host, pid) in enumerate(self._members) if host == here and _is_gone(pid)]


def _join() -> Any:
    """Meet the others of the launch; the device is this process's own."""
    asked_cpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() and not asked_cpu else 0
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes.size()))
    if gpus and here > gpus:
        raise EngineError(f"finetune: {here} processes were started on {gpus} GPUs; start one for each GPU")
    torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=_PATIENCE)
    return PartialState(cpu=not gpus)


def _buckets(parameters: Sequence[Any]) -> Iterator[list[Any]]:
    bucket: list[Any] = []
    size = 0
    for parameter in parameters:
        if bucket and size + parameter.nbytes > _BUCKET:
            yield bucket
            bucket, size = [], 0
        bucket.append(parameter)
        size += parameter.nbytes
    if bucket:
        yield bucket


def _is_gone(pid: int) -> bool:
    """Ended, whether or not its parent has asked how."""
    if os.name == "nt":  # there, signal 0 is Ctrl-C
        return False
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] in "ZX"
    except ProcessLookupError:
        return True
    except OSError:  # another user's, or a system without /proc
        return False
