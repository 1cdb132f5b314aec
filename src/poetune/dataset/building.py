"""Poems, themes and templates to a frozen data set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from poetune.dataset.splits import SPLITS, assign
from poetune.dataset.templates import Template, conversation
from poetune.dataset.themes import propose_themes
from poetune.errors import CorpusError
from poetune.recipe import Dataset as Settings
from poetune.records import Dataset, Example, Poem, Prompt, digest


@dataclass(frozen=True, slots=True)
class Built:
    """A data set with its examples and prompts, in order, and what the user should know about it."""

    examples: tuple[Example, ...]
    dataset: Dataset
    prompts: tuple[Prompt, ...]
    notes: tuple[str, ...] = ()


def build(
    poems: Sequence[Poem],
    settings: Settings,
    templates: Sequence[Template],
    themes: Mapping[str, str] | None = None,
    *,
    round: int = 1,  # noqa: A002 - the record's own word
) -> Built:
    """One example for each poem and template; `themes` (poem id to theme) goes before what a poem says of itself.

    Raises CorpusError where there are no poems.
    """
    if not poems:
        raise CorpusError("there are no poems to make a data set of; read some with `poetune corpus`.")
    splits, notes = assign(poems, settings.shares)
    given = {poem: theme.strip() for poem, theme in (themes or {}).items() if theme.strip()}
    strange = set(given) - {poem.id for poem in poems}
    if strange:
        notes.append(
            f"{len(strange)} themes belong to poems that are not here; write the themes anew if texts were changed."
        )
    rows = propose_themes(poems)
    examples: dict[str, Example] = {}
    prompts: dict[str, Prompt] = {}
    for poem, split, row in zip(poems, splits, rows, strict=True):
        theme = given.get(poem.id) or row.theme
        for template in templates:
            prompt = Prompt(theme, template.name, settings.system, held_out=split != "train")
            seen = prompts.setdefault(prompt.id, prompt)
            prompts[prompt.id] = replace(prompt, held_out=prompt.held_out and seen.held_out)
            example = Example(conversation(template, prompt), poem.text, split, poem.id, prompt.id)
            examples.setdefault(example.id, example)
    proposed = sum(row.how in ("words", "first words") and row.poem not in given for row in rows)
    if proposed:
        notes.append(
            f"{proposed} of {len(poems)} themes were proposed from the poems' own words; see `poetune dataset themes`."
        )
    counts = Counter(splits)
    notes.append(", ".join(f"{counts[split]} {split}" for split in SPLITS) + f" of {len(poems)} poems.")
    resolved = {
        **settings.model_dump(mode="json"),
        "templates": {template.name: digest("template", asdict(template)) for template in templates},
    }
    record = Dataset(tuple(examples), resolved, round)
    return Built(tuple(examples.values()), record, tuple(prompts.values()), tuple(notes))
