"""Run the tools in turn, each in a process of its own, and keep every line that they print."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol


class Plan(Protocol):
    """What is compared."""

    @property
    def threads(self) -> int:
        """Of each tool."""
        ...

    @property
    def log(self) -> Path | None:
        """Where lines are kept."""
        ...

    @property
    def models(self) -> Path | None:
        """Where models are kept; None makes them anew and removes them."""
        ...

    def turns(self) -> Iterator[tuple[str, int]]:
        """Tools and repeats, in the order in which they run."""
        ...

    def key(self, tool: str, repeat: int) -> dict[str, Any]:
        """What names a run in the log."""
        ...

    def made(self) -> str:
        """The name of the folder that `making` fills."""
        ...

    def making(self, folder: Path) -> list[str]:
        """The script, with its arguments, that writes the model into `folder`."""
        ...

    def command(self, tool: str, folder: Path) -> list[str]:
        """The script of a tool with its arguments."""
        ...

    def said(self, figures: dict[str, Any]) -> str:
        """A run's figures in a few words."""
        ...


def run_all(plan: Plan, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Each run's figures with its key; runs that the log has are not repeated.

    Raises:
        RuntimeError: a tool failed, with the end of what it said.
    """
    done = _read(plan.log)
    found = []
    with tempfile.TemporaryDirectory() as aside:
        folder = (plan.models or Path(aside)) / plan.made()
        for tool, repeat in plan.turns():
            key = plan.key(tool, repeat)
            kept = next((each for each in done if each.items() >= key.items()), None)
            if kept is None:
                if not folder.is_dir():
                    _make(plan, folder)
                kept = run_one(plan.command(tool, folder), plan.threads) | key
                if plan.log:
                    with plan.log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(kept) + "\n")
            say(f"{tool} {repeat + 1}: {plan.said(kept)}")
            found.append(kept)
    return found


def _read(log: Path | None) -> list[dict[str, Any]]:
    if log is None or not log.is_file():
        return []
    return [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.endswith("}")]


def _make(plan: Plan, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    writing = folder.with_name(f".{folder.name}-{os.getpid()}")
    command = [sys.executable, *plan.making(writing)]
    subprocess.run(command, check=True, capture_output=True, env=_environment(plan.threads))
    writing.rename(folder)


def _environment(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def run_one(command: list[str], threads: int) -> dict[str, Any]:
    """The line that one script prints."""
    ran = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=_environment(threads))
    lines = [line for line in ran.stdout.splitlines() if line.startswith('{"tool"')]
    if ran.returncode or not lines:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {ran.stderr[-600:]}")
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures
