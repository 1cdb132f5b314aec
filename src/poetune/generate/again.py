"""One line of a poem written anew, in its place."""

from dataclasses import dataclass, replace

from poetune.errors import EngineError
from poetune.records import Candidate, Prompt, Sampling, digest
from poetune.verse.lines import line_key


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: what is before it (its line break included), the line, and what is after it."""

    before: str
    line: str
    after: str
    number: int

    def prompt(self, asked: Prompt) -> Prompt:
        """The poem's own prompt, going on from what stands before the line."""
        return replace(asked, opening=self.before)

    def sampling(self, sampling: Sampling) -> Sampling:
        """The poem's own way of drawing, up to the end of this line. Raises EngineError for greedy drawing."""
        if sampling.temperature == 0:
            raise EngineError(
                "generate.temperature is 0, so a line comes out as it was; draw with --set generate.temperature=0.8."
            )
        return replace(sampling, max_lines=self.number, beams=1)

    def new_line(self, written: Candidate) -> str:
        """The line that was written, "" where it is empty or the one that stood there."""
        line = next((row.rstrip() for row in written.text.removeprefix(self.before).split("\n") if row.strip()), "")
        return "" if line_key(line) in ("", line_key(self.line)) else line

    def filled(self, line: str, written: Candidate, title: str) -> Candidate:
        """The whole poem with the new line in its place."""
        text = self.before + line + self.after
        return replace(written, id=digest("again", written.id, self.after), text=text, title=title)


def place(text: str, number: int) -> Place:
    """The place of the `number`-th line that holds something, from 1. Raises EngineError where there is none."""
    rows = text.split("\n")
    printed = [i for i, row in enumerate(rows) if row.strip()]
    if not 1 <= number <= len(printed):
        raise EngineError(
            f"the poem has {len(printed)} lines, and line {number} was asked for; name one of 1 to {len(printed)}."
        )
    at = printed[number - 1]
    before, after = "".join(row + "\n" for row in rows[:at]), "".join("\n" + row for row in rows[at + 1 :])
    return Place(before, rows[at], after, number)
