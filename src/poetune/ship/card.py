"""The model card: YAML front matter as the hub reads it, then what a user of the model has to know."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from poetune.records import Poem
from poetune.ship.biases import biases, spoken
from poetune.ship.datacard import NAME as DATA
from poetune.ship.datacard import rights
from poetune.ship.markdown import fenced, plain, table
from poetune.ship.usage import Ask, base_name, hub_id, mlx_snippet, peft_snippet, poetune_snippet, transformers_snippet

Kind = Literal["adapter", "merged"]
_LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "unlicense", "openrail", "other"),
        *("gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "gemma", "llama2", "llama3", "llama3.1", "llama3.2"),
        *("cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nd-4.0"),
        *("cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"),
    }
)


@dataclass(frozen=True, slots=True)
class Loss:
    """One row of the evaluation: nats per token, perplexity and bits per byte of a model on a split."""

    model: str
    split: str
    loss: float
    perplexity: float
    bits_per_byte: float


@dataclass(frozen=True, slots=True)
class Copied:
    """Lines of `label`'s poems that stand in the training poems: `copied` of `lines`."""

    label: str
    lines: int
    copied: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """Pairs of an accepted and a rejected poem, and in how many of them the judge ranked the accepted one higher."""

    pairs: int
    of: int


@dataclass(frozen=True, slots=True)
class Card:
    """What the card is made of. `base` is `starter`, a hub id, or a folder, of which only the last name is printed.

    A folder must be absolute, or it may read as a hub id. `format` is that of an adapter.
    `poems` are those trained on, own ones (`origin` "round:N") included; `settings` the resolved training section.
    """

    name: str
    kind: Kind
    base: str
    poems: Sequence[Poem]
    format: Literal["peft", "mlx"] = "peft"
    poet: str = ""
    author: str = ""
    licence: str = ""
    rights: str = ""
    contact: str = ""
    ollama: bool = False
    model: str = ""
    dataset: str = ""
    run: str = ""
    step: int = 0
    mix: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask = field(default_factory=Ask)
    losses: Sequence[Loss] = ()
    copied: Sequence[Copied] = ()
    agreed: Agreed | None = None
    samples: Sequence[Poem] = ()
    version: str = ""
    year: int = 0


def card(made: Card) -> str:
    """The whole README.md."""
    parts = [
        front_matter(made),
        f"# {plain(made.name)}",
        _what(made),
        *_samples(made),
        "## How to use it",
        _usage(made),
        "## Lineage",
        _lineage(made),
        *_training(made),
        *_evaluation(made),
        _USES,
        "## Biases of the corpus",
        "Counted from the poems that the model was trained on. A model trained on few poems takes over what they have "
        "most of.",
        "\n".join(f"- {plain(sentence)}" for sentence in biases(made.poems)) or "No poems were given.",
        "## Rights",
        f"Base: {plain(base_name(made.base))}, whose licence holds for it. {rights(made.poems, made.rights)} What the "
        f"poems are is counted in {DATA}.",
        _LIMITS,
        "## Citation",
        fenced(bibtex(made), "bibtex"),
        "## Contact",
        plain(made.contact) or "No contact was given.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(made: Card) -> str:
    """The YAML block between `---` lines; `base_model` only where the base is a hub id, as the hub demands."""
    licence = made.licence.strip().lower().replace(" ", "-")
    own = "mlx" if made.format == "mlx" else "peft"
    meta: dict[str, Any] = {"library_name": own if made.kind == "adapter" else "transformers"}
    if hub_id(made.base):
        meta["base_model"] = made.base
        meta["base_model_relation"] = "adapter" if made.kind == "adapter" else "finetune"
    meta["license"] = licence if licence in _LICENCES else "other" if licence else "unknown"
    if meta["license"] == "other" and licence != "other":
        meta["license_name"] = re.sub(r"[^a-z0-9.]+", "-", licence).strip("-.") or "custom"
    meta["language"] = sorted(code for code in spoken(made.poems) if code)
    meta["tags"] = ["poetry", "poetune", "safetensors"] + (["lora"] if made.settings.get("method") == "lora" else [])
    meta["pipeline_tag"] = "text-generation"
    if not meta["language"]:
        del meta["language"]
    return "---\n" + yaml.safe_dump(meta, sort_keys=False, allow_unicode=True) + "---"


def bibtex(made: Card) -> str:
    """A citation; the key is the name in ASCII."""
    key = re.sub(r"[^a-z0-9]+", "-", made.name.lower()).strip("-") or "poet"
    rows = {
        "title": made.name,
        "author": made.author or "Unnamed",
        "year": str(made.year) if made.year else "",
        "note": f"A language model for poems, made with poetune; model {made.model}",
    }
    inner = "".join(f"  {name} = {{{_tex(value)}}},\n" for name, value in rows.items() if value)
    return f"@misc{{{key},\n{inner}}}"


def _tex(text: str) -> str:
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(marks.get(c, f"\\{c}" if c in "{}&%$#_" else c) for c in " ".join(text.split()))


def _what(made: Card) -> str:
    own = sum(poem.origin != "corpus" for poem in made.poems)
    base = plain(base_name(made.base))
    kind = f"An adapter for {base}" if made.kind == "adapter" else f"{base}, with weights tuned"
    voice = f" in the voice of {plain(made.poet)}" if made.poet else ""
    kept = f", {own:,} of them written by earlier checkpoints and accepted by a reader" if own else ""
    if not made.poems:
        return f"{kind} to write poems{voice}. It was trained elsewhere, on poems that are not known here."
    return f"{kind} to write poems{voice}. It was trained on {len(made.poems):,} poems{kept}."


def _samples(made: Card) -> list[str]:
    if not made.samples:
        return []
    shown = [fenced(f"{poem.title}\n\n{poem.text}".strip(), "text") for poem in made.samples]
    told = "Unselected: one poem on each of the first themes, from the recipe's own seed."
    return ["## What it writes", told, *shown]


def _usage(made: Card) -> str:
    if made.ollama:
        return (
            "With Ollama, from the folder that holds this card (the Modelfile was checked against the prompt that the "
            "model was trained on, and not run in Ollama):\n\n"
            + fenced("ollama create my-poet\nollama run my-poet rain", "sh")
            + f"\n\nWith transformers:\n\n{fenced(transformers_snippet(made.ask), 'python')}"
        )
    if made.kind == "merged":
        library, code = "transformers", transformers_snippet(made.ask)
    elif made.format == "mlx":
        library, code = "mlx-lm", mlx_snippet(made.base, made.ask)
    else:
        library, code = "transformers and peft", peft_snippet(made.base, made.ask)
    return (
        f"With {library}, from the folder that holds this card:\n\n"
        f"{fenced(code, 'python')}\n\nIn the poetune project that made it:\n\n{fenced(poetune_snippet(made.ask), 'sh')}"
    )


def _lineage(made: Card) -> str:
    rounds: dict[str, int] = {}
    for poem in made.poems:
        rounds[poem.origin] = rounds.get(poem.origin, 0) + 1
    rows = [("poems of the corpus", f"{rounds.pop('corpus', 0):,}" if made.poems else "")]
    for origin in sorted(rounds, key=lambda o: int(o.partition(":")[2]) if o.partition(":")[2].isdigit() else 0):
        rows.append((f"accepted in round {origin.removeprefix('round:')}", f"{rounds[origin]:,}"))
    rows += [("base", base_name(made.base)), ("dataset", made.dataset), ("run", made.run)]
    rows.append(("checkpoint", f"{made.model}{f', step {made.step:,}' if made.step else ''}"))
    rows += [(f"{share:g} of", part) for part, share in made.mix.items()]
    rows.append(("poetune", made.version))
    return table(("link", "value"), [row for row in rows if row[1]])


def _evaluation(made: Card) -> list[str]:
    parts = []
    if made.losses:
        rows = [
            (r.model, r.split, f"{r.loss:.3f}", f"{r.perplexity:,.1f}", f"{r.bits_per_byte:.3f}") for r in made.losses
        ]
        parts.append(table(("model", "split", "loss (nats/token)", "perplexity", "bits/byte"), rows, 3))
    if made.copied and made.poems:
        copies = [
            (c.label, f"{c.lines:,}", f"{c.copied:,}", f"{c.copied / c.lines:.1%}" if c.lines else "-")
            for c in made.copied
        ]
        parts.append("Lines that stand word for word in a training poem:")
        parts.append(table(("poems by", "lines", "copied", "share"), copies, 3))
    if made.agreed:
        share = made.agreed.pairs / made.agreed.of
        parts.append(
            f"Judge and reader: of {made.agreed.of:,} pairs of an accepted and a rejected poem, the judge ranked the "
            f"accepted one higher in {made.agreed.pairs:,} ({share:.0%}; 50% is chance)."
        )
    return ["## Evaluation", *parts] if parts else []


def _training(made: Card) -> list[str]:
    rows = ((key, _value(value)) for key, value in made.settings.items())
    return ["## Training", table(("setting", "value"), rows)] if made.settings else []


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


_USES = """## Uses

Meant for: writing drafts of poems that a person reads, edits and chooses from; studying a voice; teaching.

Out of scope: passing its poems off as the poet's own; publishing in the name of a living poet without their consent;
facts, advice, or conversation; deciding anything about a person; writing unread at scale."""

_LIMITS = """## Limits

It writes what resembles its corpus, and can copy lines of it: look at the share of copied lines above where it is
given, and check a poem before it is printed. It was tuned on poems alone, and nothing was done to make it safe or
truthful."""
