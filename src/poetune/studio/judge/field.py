"""Who takes part in a contest, and under which rubric."""

from dataclasses import dataclass

from poetune.errors import JudgeError
from poetune.judge.blocks import Entry, contest_id
from poetune.judge.learning import as_file, learned
from poetune.judge.rubric import Rubric, Sample, load_rubric
from poetune.recipe import Judging
from poetune.records import Candidate, Prompt, Review
from poetune.review import decisions
from poetune.store.atomic import write_text
from poetune.studio.gating import shown
from poetune.studio.house import Studio


@dataclass(frozen=True, slots=True)
class Field:
    """The poems of a contest, its settings with the rubric that holds, and its id."""

    found: list[Candidate]
    entries: list[Entry]
    settings: Judging
    rubric: Rubric
    contest: str


def field(studio: Studio) -> Field:
    """The open round's poems; one without text takes no part. Raises JudgeError where there is none."""
    found = shown(studio, "judge", JudgeError)
    prompts = {prompt.id: prompt for prompt in studio.store.all(Prompt)}
    entries = [
        Entry(c.id, c.title, c.text, _group(c, prompts.get(c.prompt)))
        for c in found
        if c.text.strip() and c.stop != "error"
    ]
    settings = studio.recipe.judge
    rubric = load_rubric(settings.rubric, studio.folder / "rubrics")
    if settings.learn_from_reviews:
        rubric = _read(studio, rubric, {c.id for c in found})
        settings = settings.model_copy(update={"rubric": rubric.name})
    return Field(found, entries, settings, rubric, contest_id(entries, settings, studio.recipe.seed))


def reviewed(studio: Studio) -> dict[str, Review]:
    """The decision that holds for each candidate that has one."""
    return {key: act for key, act in decisions(studio.store.all(Review)).items() if act.action in ("accept", "reject")}


def _group(candidate: Candidate, prompt: Prompt | None) -> tuple[str, ...]:
    return candidate.model, *((prompt.template, prompt.theme) if prompt else ())


def _read(studio: Studio, rubric: Rubric, judged: set[str]) -> Rubric:
    """The rubric with this user's decisions, kept as a file of the project, since verdicts name it."""
    kinds: dict[str, list[Sample]] = {"accept": [], "reject": []}
    for key, act in reviewed(studio).items():
        poem = None if key in judged else studio.store.one(Candidate, key)
        if poem is not None:
            text = poem.text if act.body is None else act.body
            kinds[act.action].append(Sample(title=act.title or poem.title, text=text, note=act.note))
    found = learned(rubric, kinds["accept"], kinds["reject"])
    path = studio.folder / "rubrics" / f"{found.name}.yaml"
    if not path.exists():
        write_text(path, as_file(found))
        studio.say(
            f"rubric {found.name}: {len(found.accepted)} accepted and {len(found.rejected)} rejected poems of yours as "
            f"examples, in {studio.relative(path)}."
        )
    return found
