"""Command lines run by several processes at once, as a launcher would start them, with trouble on request."""

import multiprocessing
import os
import signal
import socket
import sys
from pathlib import Path

TROUBLE_AT = 3  # the step at which it comes
CALLS = multiprocessing.get_context("forkserver")
CALLS.set_forkserver_preload(["poetune.backends.torch.engine", "poetune.cli"])


def launch(folder: Path, *arguments: str, trouble: str = "", size: int = 2) -> list[tuple[int, str]]:
    """Exit code and output of each process; trouble comes to the last one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    members = []
    for rank in range(size):
        given = folder, rank, size, port, arguments, trouble if rank == size - 1 else ""
        members.append(CALLS.Process(target=_member, args=given))
        members[-1].start()
    for each in members:
        each.join(60)
        if each.is_alive():
            each.kill()
            each.join()
    said = [(folder.parent / f"said-{rank}").read_text("utf-8") for rank in range(size)]
    return [(each.exitcode, text) for each, text in zip(members, said, strict=True)]


def _member(folder: Path, rank: int, size: int, port: int, arguments: tuple[str, ...], trouble: str) -> None:
    out = os.open(folder.parent / f"said-{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.chdir(folder)
    if trouble:
        _prepare(trouble)
    from poetune.cli import main

    main(list(arguments))


def _prepare(trouble: str) -> None:
    import torch

    from poetune.backends.torch.training import TorchLearner

    gradients = TorchLearner._gradients

    def troubled(self, rows, supervised, number):
        if number == TROUBLE_AT:
            if trouble == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if trouble == "error":
                raise ValueError("a cosmic ray")
            if trouble == "memory" and self.most > 1:
                raise torch.OutOfMemoryError("out of memory")
        return gradients(self, rows, supervised, number)

    TorchLearner._gradients = troubled


def watch_writes(into: Path) -> None:
    """Note every path that this process writes to, and every database that it opens."""
    notes = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hear(event, given):
        if event == "open" and isinstance(given[2], int) and not given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect"):
            os.write(notes, f"{event} {given[0]}\n".encode())

    sys.addaudithook(hear)
