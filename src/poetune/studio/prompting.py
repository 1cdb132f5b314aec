"""Themes, openings and slots to prompts, and prompts to conversations by the templates of `dataset` or the project."""

from collections.abc import Mapping, Sequence

from poetune.dataset.slots import filled, slots, values_of
from poetune.dataset.templates import Template, load_template
from poetune.dataset.templates import conversation as render
from poetune.recipe.crossing import crossed
from poetune.records import Conversation, Poem, Prompt
from poetune.studio.house import Studio


def template(studio: Studio, name: str) -> Template:
    """The template of that name, bundled or the project's own. Raises RecipeError where there is none."""
    return load_template(name, studio.folder / "templates")


def conversation(studio: Studio, prompt: Prompt) -> Conversation:
    """What an engine is handed for a prompt."""
    return render(template(studio, prompt.template), prompt)


def systems(studio: Studio) -> list[str]:
    """The system text with its slots filled, once for each setting of `generate.slots`."""
    text = studio.recipe.dataset.system
    settings: Sequence[Mapping[str, str]] = crossed(studio.recipe.generate.slots) if slots(text) else [{}]
    return list(dict.fromkeys(filled(text, values) for values in settings))


def strangers(studio: Studio) -> list[str]:
    """Values of `generate.slots` that no poem has, as `author Walt Whitman`; the model never learned what they mean.

    Of a value that joins several by `and` each is looked for.
    """
    asked = studio.recipe.generate.slots
    if not asked or not slots(studio.recipe.dataset.system):
        return []
    known = {(name, part.casefold()) for poem in studio.store.all(Poem) for name, part in values_of(poem).items()}
    wanted = [(name, part) for one in crossed(asked) for name, value in one.items() for part in value.split(" and ")]
    return list(dict.fromkeys(f"{n} {p}" for n, p in wanted if (n.casefold(), p.strip().casefold()) not in known))


def prompts(studio: Studio, themes: Sequence[str], templates: Sequence[str]) -> list[Prompt]:
    """Every theme and opening, in every template and with every filling of the slots.

    A template of plain verse asks nothing, so it takes openings only.
    """
    openings, texts = studio.recipe.generate.openings, systems(studio)
    found = []
    for name in templates:
        verse = template(studio, name).verse
        found += [Prompt(theme, name, text) for theme in themes for text in texts if not verse]
        found += [
            Prompt("", name, text, opening=opening) for opening in openings for text in ([""] if verse else texts)
        ]
    return found


def one_each(studio: Studio, themes: Sequence[str], name: str) -> list[Prompt]:
    """A prompt for each theme and opening in one template, the fillings of the slots in turn."""
    found = prompts(studio, themes, [name])
    texts = list(dict.fromkeys(prompt.system for prompt in found))
    asked = list(dict.fromkeys((prompt.theme, prompt.opening) for prompt in found))
    return [Prompt(theme, name, texts[i % len(texts)], opening) for i, (theme, opening) in enumerate(asked)]


def tokens(studio: Studio, texts: Sequence[str]) -> list[int]:
    """How many tokens of the recipe's base each text comes to; only the tokenizer is loaded."""
    weights, render = studio.weights(studio.base_model()), studio.generator().render
    return [len(render(weights, Conversation(raw=text))) for text in texts]
