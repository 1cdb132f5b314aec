"""What a reader's decisions say of liking: poems liked or not (KTO), and better poems beside worse ones (DPO)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from poetune.records import Candidate, Review


@dataclass(frozen=True, slots=True)
class Liked:
    """A poem that was accepted (as edited) or rejected (as written), with its prompt's id."""

    candidate: str
    prompt: str
    text: str
    liked: bool


@dataclass(frozen=True, slots=True)
class Better:
    """Two poems of one prompt; `chosen_from` and `rejected_from` are their candidates, the same one for an edit."""

    prompt: str
    chosen: str
    rejected: str
    chosen_from: str
    rejected_from: str
    why: Literal["edit", "decision"]


def liked(decided: Iterable[Review], candidates: Mapping[str, Candidate]) -> list[Liked]:
    """One row for each accept and reject whose candidate is known, in the order of the decisions."""
    found = []
    for act in decided:
        candidate = candidates.get(act.candidate)
        if candidate is not None and act.action in ("accept", "reject"):
            kept = act.action == "accept"
            text = act.body if kept and act.body is not None else candidate.text
            found.append(Liked(candidate.id, candidate.prompt, text, kept))
    return found


def better(decided: Iterable[Review], candidates: Mapping[str, Candidate]) -> list[Better]:
    """An edit over its original, and accepted over rejected poems of the same prompt.

    Of the latter each poem stands in a pair at least once and none more often than it must: with 5 accepted and 2
    rejected there are 5 pairs.
    """
    acts = list(decided)
    rows = liked(acts, candidates)
    found = [
        Better(row.prompt, row.text, candidates[row.candidate].text, row.candidate, row.candidate, "edit")
        for row in rows
        if row.liked and row.text != candidates[row.candidate].text
    ]
    for prompt in dict.fromkeys(row.prompt for row in rows):
        good = [row for row in rows if row.prompt == prompt and row.liked]
        poor = [row for row in rows if row.prompt == prompt and not row.liked]
        for n in range(max(len(good), len(poor)) if good and poor else 0):
            one, other = good[n % len(good)], poor[n % len(poor)]
            found.append(Better(prompt, one.text, other.text, one.candidate, other.candidate, "decision"))
    return found
