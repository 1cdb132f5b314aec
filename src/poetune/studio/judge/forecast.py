"""`--dry-run`: what judging would take. Nothing is sent, and no engine is opened."""

from dataclasses import dataclass

from poetune.judge.forecast import Range, estimate
from poetune.store.queries import calls_to
from poetune.store.queries import verdicts as stored_verdicts
from poetune.studio.house import Studio
from poetune.studio.judge.field import field
from poetune.studio.judge.opening import checked


@dataclass(frozen=True, slots=True)
class Forecast:
    """Calls, tokens and money still to come; free judges read no tokens, and without a price there is no money."""

    contest: str
    judge: str
    poems: int
    calls: int
    tokens: Range | None
    money: Range | None
    measured: bool
    cap: str


def forecast(studio: Studio) -> Forecast:
    """What `poetune judge` would take now, less what is stored. Raises JudgeError as judging would."""
    taking = field(studio)
    settings = taking.settings
    checked(settings)
    answered = len(stored_verdicts(studio.store, taking.contest))
    model = settings.model or ("simulated" if settings.judge == "simulated" else "")
    free = settings.judge in ("offline", "project")
    if free:
        settings = settings.model_copy(update={"most_money": 0.0})
    found = estimate(taking.entries, taking.rubric, settings, model, answered, calls_to(studio.store, model))
    caps = {"calls": settings.most_calls, "tokens": settings.most_tokens, "money": settings.most_money}
    return Forecast(
        contest=taking.contest,
        judge=settings.judge,
        poems=len(taking.entries),
        calls=found.calls,
        tokens=None if free else found.tokens,
        money=None if free else found.money,
        measured=found.measured,
        cap=", ".join(f"{value:g} {name}" for name, value in caps.items() if value),
    )
