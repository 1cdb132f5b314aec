"""The offline critic: a judge without a language model behind it, made of what can be counted. It does not read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from poetune.errors import JudgeError
from poetune.ports import Ballot, Block, Score
from poetune.records import Stop, digest
from poetune.verse.lines import language, lines, units
from poetune.verse.overlap import LineIndex
from poetune.verse.usual import Usual, foreign, loops

DESCRIPTION = (
    "The offline critic does not read and knows nothing of sense or beauty: it counts repetition, copied lines, strange"
    " characters and how lines and length fit the corpus, and measures how likely the poem is, and how much likelier"
    " training made it."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate as the critic needs it: its text, why writing stopped, and the scores before and after training.

    Scores are of the same completion under the same prompt; None where the engine can't score.
    """

    id: str
    text: str
    stop: Stop
    tuned: Score | None = None
    base: Score | None = None


@dataclass(frozen=True, slots=True)
class Features:
    """What was counted. Shares are 0..1; `gain` is nats per token over the base, `fluency` nats per token over the
    median of the poems counted with it, both of the tuned model and None where it wasn't measured."""

    repetition: float
    length_fit: float
    copied_share: float
    foreign_share: float
    gain: float | None
    finished: bool
    lines: int
    fluency: float | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature is worth. `gain` and `fluency` count up to their ceilings in nats a token, so that learning
    by heart and saying the same safe thing earn no more than learning."""

    length_fit: float = 1.0
    gain: float = 1.0
    gain_ceiling: float = 1.0
    fluency: float = 0.75
    fluency_ceiling: float = 0.75
    finished: float = 0.5
    repetition: float = -2.0
    copied: float = -4.0
    foreign: float = -4.0
    too_short: float = -3.0
    shortest: int = field(default=2)


def features(drafts: Iterable[Draft], index: LineIndex, corpus: Mapping[str, Usual]) -> dict[str, Features]:
    """Features by id. `index` holds the lines that must not be copied, `corpus` is `usual` of the corpus."""
    drafts = list(drafts)
    likely = {d.id: d.tuned.log_likelihood / d.tuned.tokens for d in drafts if d.tuned and d.tuned.tokens}
    middle = median(likely.values()) if likely else 0.0
    return {
        draft.id: _features(draft, index, corpus, likely[draft.id] - middle if draft.id in likely else None)
        for draft in drafts
    }


def _features(draft: Draft, index: LineIndex, corpus: Mapping[str, Usual], fluency: float | None) -> Features:
    text = draft.text
    like = corpus.get(language(text))
    gain = None
    if draft.tuned is not None and draft.base is not None and draft.tuned.tokens > 0:
        gain = (draft.tuned.log_likelihood - draft.base.log_likelihood) / draft.tuned.tokens
    return Features(
        repetition=max(0.0, loops(text) - (like.loop if like else 0.0)),
        length_fit=_length_fit(text, like) if like else 0.0,
        copied_share=len(index.copied(text)) / max(1, index.countable(text)),
        foreign_share=foreign(text, like) if like else 1.0,
        gain=gain,
        finished=draft.stop not in ("length", "error"),
        lines=len(lines(text)),
        fluency=fluency,
    )


def _length_fit(text: str, like: Usual) -> float:
    """Share of lines as long as the corpus's are, less where the poem has fewer or more lines than its poems."""
    lengths = [len(units(line)) for line in lines(text)]
    if not lengths:
        return 0.0
    fitting = sum(like.line[0] <= n <= like.line[1] for n in lengths) / len(lengths)
    return fitting * min(1.0, len(lengths) / like.poem[0], like.poem[1] / len(lengths))


def worth(found: Features, weights: Weights = Weights()) -> float:
    """The weighted sum by which the critic ranks."""
    gain = max(-1.0, min(1.0, (found.gain or 0.0) / weights.gain_ceiling))
    fluency = max(-1.0, min(1.0, (found.fluency or 0.0) / weights.fluency_ceiling))
    return (
        weights.length_fit * found.length_fit
        + weights.gain * gain
        + weights.fluency * fluency
        + weights.finished * found.finished
        + weights.repetition * found.repetition
        + weights.copied * found.copied_share
        + weights.foreign * found.foreign_share
        + weights.too_short * (found.lines < weights.shortest)
    )


class OfflineCritic:
    """A Judge that ranks by `worth`; the rubric is not looked at, since nothing here can read one."""

    name = "offline critic v1"

    def __init__(self, found: Mapping[str, Features], weights: Weights = Weights()) -> None:
        self._found, self._weights = found, weights

    def rank(self, block: Block, rubric: str) -> Ballot:  # noqa: ARG002
        """The block by worth; equal poems by a hash of their ids, never by the order shown."""
        ranking = sorted(block.ids, key=lambda key: (-self.worth(key), digest("even", key)))
        return Ballot(tuple(ranking), "ok", reason="; ".join(f"{key}: {self.explain(key)}" for key in ranking))

    def worth(self, key: str) -> float:
        """What a poem's features add up to."""
        return worth(self._features(key), self._weights)

    def explain(self, key: str) -> str:
        """One line: the worth of a poem and everything that went into it."""
        found = self._features(key)
        parts = [f"{self.worth(key):+.2f}", f"lines fit {found.length_fit:.0%}"]
        parts.append("gain not measured" if found.gain is None else f"gain {found.gain:+.2f} nats/token")
        if found.fluency is not None:
            parts.append(f"fluency {found.fluency:+.2f}")
        parts += [f"{name} {share:.0%}" for name, share in _faults(found) if share > 0]
        if not found.finished:
            parts.append("unfinished")
        if found.lines < self._weights.shortest:
            parts.append("too short")
        return ", ".join(parts)

    def _features(self, key: str) -> Features:
        if key not in self._found:
            raise JudgeError(f"the offline critic was given no features of the poem {key}; count them before judging")
        return self._found[key]


def _faults(found: Features) -> list[tuple[str, float]]:
    return [
        ("repeated", found.repetition),
        ("copied", found.copied_share),
        ("foreign characters", found.foreign_share),
    ]
