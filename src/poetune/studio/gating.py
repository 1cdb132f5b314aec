"""The gates of a project: its corpus, its language, and what was written in the round so far."""

from collections import Counter
from collections.abc import Container
from dataclasses import replace

from poetune.errors import PoetuneError
from poetune.generate.gates import Gatekeeper
from poetune.generate.tally import sentence
from poetune.records import Candidate, Poem, Prompt
from poetune.store.queries import candidates
from poetune.studio.house import Studio
from poetune.verse.lines import language

FEWEST = 0.1  # a language of fewer of the poems is none that a candidate may be in


class Gates:
    """Looks at the open round's candidates in the order they were written, first at those that are there."""

    def __init__(self, studio: Studio) -> None:
        poems = studio.store.all(Poem)
        self._keeper = Gatekeeper(studio.recipe.generate.gates, poems, _languages(studio, poems))
        self._openings = {prompt.id: prompt.opening for prompt in studio.store.all(Prompt)}
        there = candidates(studio.store, studio.round.number)
        looked = [self.look(candidate) for candidate in there]
        studio.store.gate([new for new, old in zip(looked, there, strict=True) if new != old])

    def look(self, candidate: Candidate, prompt: Prompt | None = None) -> Candidate:
        """The candidate with the gate that holds it back, if one does."""
        opening = prompt.opening if prompt else self._openings.get(candidate.prompt, "")
        gate, reason = self._keeper.look(candidate, opening)
        return replace(candidate, gate=gate, reason=reason)


def shown(studio: Studio, verb: str, error: type[PoetuneError], also: Container[str] = ()) -> list[Candidate]:
    """The open round's poems that passed the gates, and those with an id in `also`.

    Raises `error` where there is none to `verb`.
    """
    written = candidates(studio.store, studio.round.number)
    found = [candidate for candidate in written if not candidate.gate or candidate.id in also]
    if found:
        return found
    if not written:
        raise error(f"there is no poem to {verb} in this round; run `poetune generate` first.")
    held = sentence(dict(Counter(candidate.gate for candidate in written).most_common()))
    raise error(
        f"there is no poem to {verb} in this round: of {len(written)} the gates have {held}; "
        "train longer, or open gates in generate.gates, and run `poetune generate` again."
    )


def _languages(studio: Studio, poems: list[Poem]) -> list[str]:
    if studio.recipe.language != "auto":
        return [studio.recipe.language]
    tongues = [language(poem.text) for poem in poems]
    return [name for name in ("en", "zh") if tongues and tongues.count(name) >= FEWEST * len(tongues)]
