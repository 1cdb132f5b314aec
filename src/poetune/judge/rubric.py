"""Rubrics: what a reading judge is asked to look for, as versioned YAML files beside this module or in the project."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poetune.errors import JudgeError


class Criterion(BaseModel):
    """One thing to weigh, and the question that weighs it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    asks: str


class Sample(BaseModel):
    """A poem that a reader accepted or rejected, shown to the judge as an example of this reader's taste."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    text: str
    note: str = ""


class Rubric(BaseModel):
    """A named and versioned list of criteria; a changed rubric gets a new version, since verdicts name theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*\.v[0-9]+$")
    about: str
    seeks: list[str] = Field(min_length=1)
    criteria: list[Criterion] = Field(min_length=1)
    marks_down: list[str] = []
    accepted: list[Sample] = []
    rejected: list[Sample] = []

    def text(self) -> str:
        """The rubric as a judge reads it."""
        parts = [self.about.strip(), "", "Prefer poems that show:"]
        parts += [f"- {quality}" for quality in self.seeks]
        parts += ["", "Weigh, in this order:"]
        parts += [f"{i}. {c.name}: {c.asks}" for i, c in enumerate(self.criteria, 1)]
        if self.marks_down:
            parts += ["", "Place lower:"] + [f"- {fault}" for fault in self.marks_down]
        return "\n".join(parts)


def rubric_names(extra_dir: Path | None = None) -> list[str]:
    """Names of the bundled rubrics and of those in `extra_dir`."""
    bundled = {f.name.removesuffix(".yaml") for f in _bundled().iterdir() if f.name.endswith(".yaml")}
    return sorted(bundled | {f.stem for f in (extra_dir.glob("*.yaml") if extra_dir else ())})


def load_rubric(name: str, extra_dir: Path | None = None) -> Rubric:
    """The rubric `name`, bundled or from `extra_dir`. Raises JudgeError if it is unknown, malformed or ambiguous."""
    bundled = _bundled() / f"{name}.yaml"
    own = extra_dir / f"{name}.yaml" if extra_dir else None
    known = rubric_names(extra_dir)
    if name not in known:
        raise JudgeError(f"there is no rubric {name!r}; set judge.rubric to one of {', '.join(known)}")
    if own is not None and own.is_file() and bundled.is_file():
        raise JudgeError(f"{own} has the name of a bundled rubric; rename it, since verdicts are kept under the name")
    source = own if own is not None and own.is_file() else bundled
    try:
        rubric = Rubric.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())[:300]
        raise JudgeError(f"the rubric {source} cannot be read; see the bundled ones for its form: {detail}") from error
    if rubric.name != name:
        raise JudgeError(f"the rubric {source} calls itself {rubric.name!r}; its name and its file's must agree")
    return rubric


def _bundled() -> Traversable:
    return files("poetune.judge") / "rubrics"
