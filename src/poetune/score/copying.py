"""Copied lines: what the model's poems share with its training poems, and what the poet's own poems share."""

from collections.abc import Iterable, Mapping, Sequence

from poetune.records import Candidate, Poem, Prompt
from poetune.score.contents import CopiedLine, Copying, CopyRow, Offence
from poetune.verse.overlap import LineIndex

HELD_OUT = "held-out poems of the poet"


def copying(
    samples: Mapping[str, Sequence[Candidate]],
    training: Iterable[Poem],
    held_out: Iterable[Poem] = (),
    prompts: Mapping[str, Prompt] | None = None,
    words: int = 4,
    characters: int = 5,
    worst: int = 5,
) -> Copying:
    """One row a set of `samples` (label -> candidates), then one for the held-out poems, and the `worst` poems.

    A line counts from `words` words or `characters` Han characters on. An opening that the prompt gave is not the
    model's and does not count.
    """
    training = list(training)
    index = LineIndex({poem.id: poem.text for poem in training}, words, characters)
    titles = {poem.id: poem.title or "untitled" for poem in training}
    prompts = prompts or {}
    rows: list[CopyRow] = []
    offences: list[Offence] = []
    for label, candidates in samples.items():
        lines = copied = 0
        for candidate in candidates:
            text = _own(candidate, prompts.get(candidate.prompt))
            countable, found = index.countable(text), index.copied(text)
            lines, copied = lines + countable, copied + len(found)
            if found:
                shown = tuple(CopiedLine(copy.line, titles[copy.source]) for copy in found)
                offences.append(Offence(label, candidate.id, candidate.title, countable, shown))
        rows.append(CopyRow(label, len(candidates), lines, copied))
    apart = list(held_out)
    if apart:
        lines = sum(index.countable(poem.text) for poem in apart)
        copied = sum(len(index.copied(poem.text)) for poem in apart)
        rows.append(CopyRow(HELD_OUT, len(apart), lines, copied))
    offences.sort(key=lambda o: (-len(o.copied), -len(o.copied) / max(o.lines, 1), o.candidate))
    return Copying(tuple(rows), tuple(offences[:worst]))


def _own(candidate: Candidate, prompt: Prompt | None) -> str:
    return candidate.text.removeprefix(prompt.opening) if prompt and prompt.opening else candidate.text


def copying_text(found: Copying) -> str:
    """The rows and the copied lines in plain text."""
    table = [("poems by", "poems", "lines", "copied", "share")]
    table += [(r.label, f"{r.poems:,}", f"{r.lines:,}", f"{r.copied:,}", f"{r.share:.1%}") for r in found.rows]
    widths = [max(len(line[i]) for line in table) for i in range(5)]
    out = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in table
    ]
    for offence in found.worst:
        out.append(f"\n{offence.title or 'untitled'} ({offence.candidate}, {offence.label})")
        out += [f"  {line.line} - in {line.source}" for line in offence.copied]
    return "\n".join(out) + "\n"
