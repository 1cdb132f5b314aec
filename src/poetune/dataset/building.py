"""Poems, themes and templates to a frozen data set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from poetune.dataset.questions import literal, question_of
from poetune.dataset.slots import check, filled, values_of
from poetune.dataset.splits import SPLITS, assign
from poetune.dataset.templates import Template, conversation
from poetune.dataset.themes import propose_themes
from poetune.errors import CorpusError
from poetune.recipe import Dataset as Settings
from poetune.records import Conversation, Dataset, Example, Poem, Prompt, Split, digest


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

    A poem that came with a question of its own is asked that, to the letter, and not in every template.
    Raises CorpusError where there are no poems, RecipeError for a slot of the system text that none of them fills.
    """
    splits, notes = _assigned(poems, settings)
    given = {poem: theme.strip() for poem, theme in (themes or {}).items() if theme.strip()}
    strange = set(given) - {poem.id for poem in poems}
    if strange:
        notes.append(
            f"{len(strange)} themes belong to poems that are not here; write the themes anew if texts were changed."
        )
    check(settings.system, poems)
    rows = propose_themes(poems)
    examples: dict[str, Example] = {}
    prompts: dict[str, Prompt] = {}
    for poem, split, row in zip(poems, splits, rows, strict=True):
        theme, used = given.get(poem.id) or row.theme, templates
        system = filled(settings.system, {**values_of(poem), "theme": theme})
        own = question_of(poem)
        if own is not None:
            theme, used, system = own.prompt, literal(templates), own.system or system
        for template in used:
            asked = Prompt("", template.name) if template.verse else Prompt(theme, template.name, system)
            prompt = replace(asked, held_out=split != "train")
            seen = prompts.setdefault(prompt.id, prompt)
            prompts[prompt.id] = replace(prompt, held_out=prompt.held_out and seen.held_out)
            example = Example(conversation(template, prompt), poem.text, split, poem.id, prompt.id, template.verse)
            examples.setdefault(example.id, example)
    proposed = sum(
        row.how in ("words", "first words") and row.poem not in given and question_of(poem) is None
        for poem, row in zip(poems, rows, strict=True)
    )
    if proposed:
        notes.append(
            f"{proposed} of {len(poems)} themes were proposed from the poems' own words; see `poetune dataset themes`."
        )
    notes.append(_counted(poems, splits))
    resolved = {
        **settings.model_dump(mode="json"),
        "templates": {template.name: digest("template", asdict(template)) for template in templates},
    }
    record = Dataset(tuple(examples), resolved, round)
    return Built(tuple(examples.values()), record, tuple(prompts.values()), tuple(notes))


def build_plain(poems: Sequence[Poem], settings: Settings, *, round: int = 1) -> Built:  # noqa: A002
    """One example of plain verse for each poem, with the same splits; nothing is asked.

    Raises CorpusError where there are no poems.
    """
    splits, notes = _assigned(poems, settings)
    rows = [
        Example(Conversation(), poem.text, split, poem.id, plain=True)
        for poem, split in zip(poems, splits, strict=True)
    ]
    examples = {row.id: row for row in rows}
    record = Dataset(tuple(examples), {"shares": list(settings.shares), "plain": True}, round)
    return Built(tuple(examples.values()), record, (), (*notes, _counted(poems, splits)))


def _assigned(poems: Sequence[Poem], settings: Settings) -> tuple[list[Split], list[str]]:
    if not poems:
        raise CorpusError("there are no poems to make a data set of; read some with `poetune corpus`.")
    return assign(poems, settings.shares)


def _counted(poems: Sequence[Poem], splits: Sequence[Split]) -> str:
    counts = Counter(splits)
    return ", ".join(f"{counts[split]} {split}" for split in SPLITS) + f" of {len(poems)} poems."
