"""`poetune judge`: the open round's poems are ranked, and what is known of the judge is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from poetune.dataset.templates import TEMPLATE_ORDER
from poetune.errors import PoetuneError
from poetune.generate.codes import encode
from poetune.judge import panel
from poetune.judge.budget import Spent, spent
from poetune.judge.contest import contest, contest_calls
from poetune.judge.panel import Panel
from poetune.judge.ratings import Effects, Rating, rated
from poetune.records import Candidate, Model, Prompt
from poetune.store.queries import calls as stored_calls
from poetune.store.queries import verdicts as stored_verdicts
from poetune.store.queries import verdicts_by
from poetune.studio.house import Studio
from poetune.studio.judge.asking import Asker, CapReached
from poetune.studio.judge.field import Field, field, reviewed
from poetune.studio.judge.opening import DESCRIPTIONS, opened


@dataclass(frozen=True, slots=True)
class Placed:
    """One of the best, with its strength in log-odds, a 95 % interval, and its chance of being among the winners."""

    id: str
    title: str
    text: str
    model: str
    template: str
    theme: str
    code: int | None = None
    strength: float | None = None
    low: float | None = None
    high: float | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a contest gave. `invalid` counts unreadable answers; `partial` says why it ended early, "" if it did not."""

    contest: str
    judge: str
    rubric: str
    description: str
    poems: int
    calls: int
    invalid: int
    unranked: int
    partial: str
    spent: Spent
    best: list[Placed]
    effects: Effects | None
    panel: Panel
    said: list[str]


def rank(studio: Studio) -> Judged:
    """Rank the open round's candidates; stored verdicts are not asked again. At a cap the partial ranking is kept."""
    taking = field(studio)
    held = studio.store.fact(f"held:{taking.contest}")
    name = studio.store.fact(f"judge:{taking.contest}") if held else ""
    order, partial = studio.store.fact(f"order:{taking.contest}").split(), ""
    if not name:
        total = contest_calls(taking.entries, taking.settings)
        with opened(studio, taking.settings, taking.found) as referee:
            name = referee.judge.name
            studio.say(
                f"judge inherits: {len(taking.entries)} poems of round {studio.round.number} from generate, rubric "
                f"{taking.settings.rubric}; {name} will be asked {total} times, less what is stored."
            )
            asker = Asker(studio, referee, taking.settings, taking.rubric, taking.contest)
            studio.listener.begin("judging", total)
            try:
                order = asker.hold(contest(taking.entries, taking.settings, studio.recipe.seed))
            except CapReached:
                partial = f"the cap was reached after {asker.spent.calls} of about {total} calls; raise it to go on"
            finally:
                studio.listener.end()
    return _told(studio, taking, name, order, partial)


def _told(studio: Studio, taking: Field, judge: str, order: Sequence[str], partial: str) -> Judged:
    settings, texts = taking.settings, {e.id: e.text for e in taking.entries}
    everything = verdicts_by(studio.store, judge, settings.rubric, studio.round.number)
    ratings, effects = rated(everything, texts, settings.finals, seed=studio.recipe.seed)
    by_strength = [r.id for r in ratings]
    # A title's winners and pairs in both orders decide among the first; all others stand by strength.
    alone = list(texts) if len(texts) == 1 else []
    first = order[: max(settings.pairs, settings.finals if settings.style == "per-title" else 0)]
    ranked = list(dict.fromkeys([*first, *by_strength, *alone]))
    with studio.store.transaction():
        studio.store.remember(f"contest:{studio.round.number}", taking.contest)
        studio.store.remember(f"standing:{taking.contest}", " ".join(ranked))
        studio.store.remember(f"judge:{taking.contest}", judge)
        if not partial:
            studio.store.remember(f"held:{taking.contest}", "yes")
            studio.store.remember(f"order:{taking.contest}", " ".join(order))
    answers = stored_verdicts(studio.store, taking.contest)
    read = reviewed(studio)
    accepted, rejected = ({k for k, act in read.items() if act.action == way} for way in ("accept", "reject"))
    found = panel.panel(answers, texts, ratings, accepted, rejected, studio.recipe.seed)
    return Judged(
        contest=taking.contest,
        judge=judge,
        rubric=settings.rubric,
        description=DESCRIPTIONS.get(settings.judge, ""),
        poems=len(texts),
        calls=len(answers),
        invalid=sum(v.status == "invalid" for v in answers),
        unranked=len(texts) - len(ranked),
        partial=partial,
        spent=spent(stored_calls(studio.store, taking.contest)),
        best=best(studio, settings.finals, {r.id: r for r in ratings}),
        effects=effects,
        panel=found,
        said=panel.words(found),
    )


def standing(studio: Studio) -> list[str]:
    """Candidate ids of the open round as the latest contest ranked them, best first; empty where none was held."""
    contest = studio.store.fact(f"contest:{studio.round.number}")
    return studio.store.fact(f"standing:{contest}").split() if contest else []


def best(studio: Studio, count: int, ratings: dict[str, Rating] | None = None) -> list[Placed]:
    """The first poems of the standing, with where they came from, and how sure that is where `ratings` are given."""
    placed = []
    for key in standing(studio)[:count]:
        poem = studio.store.one(Candidate, key)
        if poem is None:
            continue
        model, prompt = studio.store.one(Model, poem.model), studio.store.one(Prompt, poem.prompt)
        rating = (ratings or {}).get(key)
        placed.append(
            Placed(
                poem.id,
                poem.title,
                poem.text,
                model.name if model else "",
                prompt.template if prompt else "",
                prompt.theme if prompt else "",
                code_of(model, prompt),
                *((rating.strength, rating.low, rating.high, rating.chance) if rating else ()),
            )
        )
    return placed


def code_of(model: Model | None, prompt: Prompt | None) -> int | None:
    """The personal-poet project's checkpoint code (step + template 0-4), None where step or template has none."""
    if model is None or prompt is None or prompt.template not in TEMPLATE_ORDER:
        return None
    try:
        return encode(model.step, TEMPLATE_ORDER.index(prompt.template))
    except PoetuneError:
        return None
