"""The studio's sentences and bars on a terminal, by rich, on stderr so that stdout stays the result's."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Screen:
    """Shows sentences, and one bar at a time with the time left; off a terminal, a line each tenth of the way."""

    def __init__(self, console: Console | None = None, bars: bool = True) -> None:
        self._console, self._bars = console or Console(stderr=True, highlight=False), bars
        self._progress: Progress | None = None
        self._label, self._total, self._done, self._began = "", 0, 0, 0.0

    def say(self, text: str) -> None:
        """A sentence, above the bar if one is open."""
        self._console.print(text, markup=False, soft_wrap=not self._console.is_terminal)

    def begin(self, label: str, total: int) -> None:
        """Open a bar."""
        self.end()
        self._label, self._total, self._done = label, max(total, 1), 0
        self._began = time.monotonic()
        if not self._bars:
            return
        if not self._console.is_terminal:
            self.say(f"{label}: {total} to do")
            return
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
        )
        self._progress.start()
        self._progress.add_task(label, total=total, note="")

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Move the bar."""
        before, self._done = self._done, self._done + amount
        if self._progress is not None:
            task = self._progress.task_ids[0]
            self._progress.update(task, advance=amount)
            if note:
                self._progress.update(task, note=note)
        elif self._bars and before * 10 // self._total != self._done * 10 // self._total:
            left = (time.monotonic() - self._began) / max(self._done, 1) * (self._total - self._done)
            told = [note] * bool(note) + [f"{clock_time(left)} left"] * (left > 0)
            self.say(f"{self._label}: {self._done}/{self._total}" + (f"  {', '.join(told)}" if told else ""))

    def end(self) -> None:
        """Close the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def clock_time(seconds: float) -> str:
    """Seconds as 0:07, 12:30 or 2:05:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
