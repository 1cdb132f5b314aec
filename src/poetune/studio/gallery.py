"""What was decided, to be found again, counted and taken out of the house as files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from poetune.dataset.export import export_rows
from poetune.errors import ReviewError
from poetune.records import Candidate, Conversation, Drawn, Example, Model, Prompt, Review
from poetune.review import decisions
from poetune.review.agreement import Agreement, Share, with_oneself, with_others
from poetune.review.export import as_csv, as_jsonl, as_text, jsonl
from poetune.review.gallery import Entry, Filter, choices, entries
from poetune.review.preference import better, liked
from poetune.review.rates import Rates, by_draw, rates
from poetune.ship.chapbook import Chapbook, as_markdown
from poetune.store import Store
from poetune.studio.holding import Holding

Kind = Literal["txt", "jsonl", "csv", "chat", "kto", "dpo", "markdown"]
ENDINGS: dict[Kind, str] = {
    "txt": "txt",
    "jsonl": "jsonl",
    "csv": "csv",
    "chat": "chat.jsonl",
    "kto": "kto.jsonl",
    "dpo": "dpo.jsonl",
    "markdown": "md",
}


@dataclass(frozen=True, slots=True)
class Found:
    """Poems that a filter fits, out of all decided ones, and what the filters can be set to."""

    entries: tuple[Entry, ...]
    decided: int
    choices: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Accept rates, and how steady the readers are."""

    rates: Rates
    draws: dict[Drawn, Share]
    steady: tuple[Agreement, ...]
    between: tuple[Agreement, ...]


class Gallery:
    """All decided poems of a project; `conversation` renders a prompt for the training formats."""

    def __init__(self, path: Path, name: str, conversation: Callable[[Prompt], Conversation]) -> None:
        self.name = name
        self._conversation = conversation
        self._holding = Holding(path)

    def close(self) -> None:
        """Close the database."""
        self._holding.close()

    def find(self, wanted: Filter) -> Found:
        """The poems that fit, the latest decision first."""
        with self._holding.open() as store:
            acts, rows = _decided(store, wanted.reviewer)
            known = entries(acts, _candidates(store), store.all(Model), _prompts(store))
        readers = list(dict.fromkeys(row.reviewer for row in rows if row.reviewer))
        return Found(tuple(e for e in known if wanted.fits(e)), len(known), {**choices(known), "reviewer": readers})

    def figures(self) -> Figures:
        """Rates of checkpoint x template, of the judge's best and the draws past it; agreement of readings."""
        with self._holding.open() as store:
            acts, rows = _decided(store, "")
            table = rates(acts, _candidates(store), store.all(Model), _prompts(store))
        return Figures(table, by_draw(acts), tuple(with_oneself(rows)), tuple(with_others(rows)))

    def export(self, kind: Kind, wanted: Filter) -> str:
        """The poems that fit, as the text of a file; kto and dpo take rejected poems too.

        Raises ReviewError where nothing fits, RecipeError where raw and chat prompts would share a file.
        """
        if kind in ("kto", "dpo"):
            text = self._preferences(kind, wanted)
        else:
            found = self.find(wanted).entries
            writers: dict[Kind, Callable[[Sequence[Entry]], str]] = {
                "txt": as_text,
                "jsonl": as_jsonl,
                "csv": as_csv,
                "chat": self._chat,
                "markdown": self._chapbook,
            }
            text = writers[kind](found) if found else ""
        if not text:
            need = {
                "kto": "accepted or rejected poem",
                "dpo": "edit, or accepted beside a rejected poem of one prompt,",
            }
            raise ReviewError(f"no {need.get(kind, 'poem')} fits; review more, or look for less.")
        return text

    def _chat(self, found: Sequence[Entry]) -> str:
        with self._holding.open() as store:
            candidates, prompts = _candidates(store), _prompts(store)
        examples = [self._example(prompts[candidates[entry.candidate].prompt], entry.text) for entry in found]
        return jsonl(export_rows(examples, "mlx")["train.jsonl"])

    def _chapbook(self, found: Sequence[Entry]) -> str:
        """By round and the order in which they were accepted."""
        poems = [(e.title, e.text) for e in sorted(found, key=lambda e: (e.round, e.at))]
        return as_markdown(Chapbook(self.name, "", poems))

    def _preferences(self, kind: Kind, wanted: Filter) -> str:
        with self._holding.open() as store:
            acts, _ = _decided(store, wanted.reviewer)
            candidates, prompts = _candidates(store), _prompts(store)
            known = entries(acts, candidates, store.all(Model), prompts)
        fit = {e.candidate for e in known if replace(wanted, decision=e.decision).fits(e)}
        acts = [act for act in acts if act.candidate in fit]
        if kind == "kto":
            told = liked(acts, candidates)
            rows = self._rows([(prompts[row.prompt], row.text) for row in told])
            return jsonl([{**row, "label": one.liked} for row, one in zip(rows, told, strict=True)])
        pairs = better(acts, candidates)
        chosen = self._rows([(prompts[pair.prompt], pair.chosen) for pair in pairs])
        rejected = self._rows([(prompts[pair.prompt], pair.rejected) for pair in pairs])
        return jsonl(
            [
                {"prompt": good["prompt"], "chosen": good["completion"], "rejected": poor["completion"]}
                for good, poor in zip(chosen, rejected, strict=True)
            ]
        )

    def _rows(self, poems: Sequence[tuple[Prompt, str]]) -> list[dict[str, Any]]:
        examples = [self._example(prompt, text) for prompt, text in poems]
        found = export_rows(examples, "trl").get("train.jsonl", [])
        return [row if "prompt" in row else {"prompt": "", "completion": row["text"]} for row in found]

    def _example(self, prompt: Prompt, text: str) -> Example:
        asked = self._conversation(prompt)
        prefix = asked.prefix if text.startswith(asked.prefix) else ""  # an edit may have changed the opening too
        asked = replace(asked, prefix=prefix)
        return Example(asked, text.removeprefix(prefix), "train", plain=not (asked.messages or asked.raw))


def _decided(store: Store, reviewer: str) -> tuple[list[Review], list[Review]]:
    """The decisions that hold, of all readers or one, and every act."""
    rows = store.all(Review)
    return list(decisions(rows, reviewer or None).values()), rows


def _candidates(store: Store) -> dict[str, Candidate]:
    found = store.all(Candidate, "id IN (SELECT candidate FROM reviews)")
    return {candidate.id: candidate for candidate in found}


def _prompts(store: Store) -> dict[str, Prompt]:
    used = "id IN (SELECT prompt FROM candidates WHERE id IN (SELECT candidate FROM reviews))"
    return {prompt.id: prompt for prompt in store.all(Prompt, used)}
