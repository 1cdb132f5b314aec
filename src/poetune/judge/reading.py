"""Reading a judge's answer: a permutation of the labels, or the reason why there is none; never a guess."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_LINE = re.compile(r"^[^\w\n]*_*ranking[^\w\n:：]*_*[:：](.+)$", re.IGNORECASE | re.MULTILINE)
_ARROW = re.compile(r"\s*[>＞,，、]\s*")
_LABEL = re.compile(r"\A(?:poem\s+)?([A-Z])\Z", re.IGNORECASE)
_LONGEST = 20_000


class Answer(BaseModel):
    """What a judge is asked to answer."""

    model_config = ConfigDict(extra="ignore", strict=True)

    reason: str = ""
    ranking: list[str]

    @field_validator("ranking", mode="before")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        return _ARROW.split(value.strip()) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Reading:
    """`ranking` is a permutation of the labels, or empty with the `problem`; `reason` is the judge's own."""

    ranking: tuple[str, ...]
    reason: str = ""
    problem: str = ""


def read(text: str, labels: Sequence[str]) -> Reading:
    """The one ranking that an answer states, as JSON or as a line `RANKING: C > A > B`.

    Thoughts and code fences are stripped. Two different rankings, or one that is no permutation, are a problem.
    """
    said = spoken(text)
    if not said:
        return Reading((), problem="the answer is empty")
    if len(said) > _LONGEST:
        return Reading((), problem="the answer is too long to be a ranking")
    answers = list(_answers(said))
    if not answers:
        rest = _LINE.sub("", said).strip()
        answers = [Answer(reason=rest, ranking=_ARROW.split(found.strip(" \t*_`.。"))) for found in _LINE.findall(said)]
    if not answers:
        return Reading((), said[:500], "the answer holds no ranking")
    rankings = {tuple(_label(part) for part in answer.ranking) for answer in answers}
    if len(rankings) > 1:
        return Reading((), answers[-1].reason, "the answer holds rankings that differ")
    ranking = rankings.pop()
    if sorted(ranking) != sorted(labels):
        return Reading((), answers[-1].reason, "the ranking does not name each poem exactly once")
    return Reading(ranking, answers[-1].reason)


def spoken(text: str) -> str:
    """An answer without thoughts in <think> tags, closed or not, and without half characters that no file can hold."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return _THOUGHT_END.sub("", _THOUGHT.sub("", whole)).strip()


def _answers(said: str) -> Iterator[Answer]:
    """Every JSON object in the answer that has a ranking; anything else around them is passed over."""
    decoder = json.JSONDecoder()
    start = said.find("{")
    while start >= 0:
        end = start + 1
        try:
            value, end = decoder.raw_decode(said, start)
            if isinstance(value, dict) and "ranking" in value:
                yield Answer.model_validate({**value, "reason": str(value.get("reason", ""))})
        except ValidationError:
            yield Answer(ranking=[""])
        except (ValueError, RecursionError):
            pass
        start = said.find("{", end)


def _label(part: str) -> str:
    """The letter that a part of a ranking names; anything else as it stands, which is no label."""
    bare = part.strip(" \t*_`\"'.。()[]{}")
    found = _LABEL.match(bare)
    return found.group(1).upper() if found else part
