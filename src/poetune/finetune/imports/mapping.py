"""How a table of rules turns a foreign recipe into values of poet.yaml, and accounts for every key."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poetune.errors import RecipeError
from poetune.recipe import Recipe, resolve

# These tools read YAML 1.1, where the words are true and false.
_WORDS = {"yes": True, "Yes": True, "on": True, "On": True, "no": False, "No": False, "off": False, "Off": False}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A key that was understood: `values` by dotted key of poet.yaml, none where nothing needs to be said there.

    `left_out` if the file did not say it and the tool's own default was taken.
    """

    key: str
    given: Any
    values: Mapping[str, Any]
    note: str = ""
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A key that poet.yaml cannot say, and why."""

    key: str
    given: Any
    why: str
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """A foreign recipe: every key of it is in `mapped` or in `left`."""

    tool: str
    mapped: tuple[Mapped, ...]
    left: tuple[Left, ...]

    @property
    def values(self) -> dict[str, Any]:
        """What is to be set, by dotted key; what the file says goes before a tool's default."""
        found: dict[str, Any] = {}
        for one in sorted(self.mapped, key=lambda one: one.left_out):
            found = {**one.values, **found} if one.left_out else {**found, **one.values}
        sections = list(Recipe.model_fields)
        return dict(sorted(found.items(), key=lambda item: sections.index(item[0].partition(".")[0])))


@dataclass(frozen=True, slots=True)
class To:
    """What a rule gives for a value."""

    values: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


class CannotSayError(Exception):
    """Raised by a rule for a value without a counterpart; the text says why."""


Rule = Callable[[Any, Mapping[str, Any]], To]


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Sections one level deep as `section.key`."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            found.update({f"{key}.{inner}": held for inner, held in value.items()})
        else:
            found[str(key)] = value
    return found


def apply(tool: str, given: Mapping[str, Any], rules: Mapping[str, Rule], defaults: Mapping[str, Any]) -> Imported:
    """Every key of `given` through its rule, then the tool's defaults for what is not there."""
    given = {key: _WORDS.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
    there = {key: value for key, value in given.items() if value is not None}
    whole = {**defaults, **there}
    mapped = [
        Mapped(key, None, {}, "empty, so nothing to say")
        for key, value in given.items()
        if value is None and key not in defaults
    ]
    left: list[Left] = []
    absent = {key: value for key, value in defaults.items() if key not in there}
    for key, value, left_out in [*((*one, False) for one in there.items()), *((*one, True) for one in absent.items())]:
        rule = rules.get(key)
        if rule is None:
            near = difflib.get_close_matches(key, rules, n=1)
            left.append(Left(key, value, f"not a key of {tool}" + (f"; {near[0]} is" if near else "")))
            continue
        try:
            to = rule(value, whole)
            _check(to.values)
        except CannotSayError as reason:
            left.append(Left(key, value, str(reason), left_out))
        except (TypeError, ValueError, KeyError, AttributeError):
            left.append(Left(key, value, f"not a value that {tool} takes", left_out))
        else:
            mapped.append(Mapped(key, value, to.values, to.note, left_out))
    return Imported(tool, tuple(mapped), tuple(left))


def _check(values: Mapping[str, Any]) -> None:
    data: dict[str, Any] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if section:
            data.setdefault(section, {})[name] = value
        else:
            data[name] = value
    try:
        resolve(data)
    except RecipeError as error:
        raise CannotSayError(f"poet.yaml refuses it: {str(error).split(': ', 1)[-1].rstrip('.')}") from None


# rules of one line ---------------------------------------------------------------------------------------------------


def number(ours: str, note: str = "") -> Rule:
    """A number as it is."""

    def rule(value: Any, _: Mapping[str, Any]) -> To:
        return To({ours: figure(value)}, note)

    return rule


def count(ours: str, note: str = "") -> Rule:
    """A whole number as it is."""

    def rule(value: Any, _: Mapping[str, Any]) -> To:
        return To({ours: whole_figure(value)}, note)

    return rule


def choice(ours: str, names: Mapping[str, str], what: str) -> Rule:
    """A name by a table of names."""

    def rule(value: Any, _: Mapping[str, Any]) -> To:
        found = names.get(str(value).strip().lower())
        if found is None:
            raise CannotSayError(f"poetune has no such {what}; there are {', '.join(dict.fromkeys(names.values()))}")
        return To({ours: found})

    return rule


def nothing(note: str) -> Rule:
    """Understood, and nothing to be said."""

    def rule(_: Any, __: Mapping[str, Any]) -> To:
        return To({}, note)

    return rule


def never(why: str, unless: Any = None) -> Rule:
    """Without a counterpart, but for the value that means nothing."""

    def rule(value: Any, _: Mapping[str, Any]) -> To:
        if unless is not None and value == unless:
            return To({}, "nothing to say")
        raise CannotSayError(why)

    return rule


def figure(value: Any) -> float | int:
    """A number, also one that a YAML 1.1 reader took for text, such as 1e-5."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            pass
    raise CannotSayError("not a number")


def whole_figure(value: Any) -> int:
    """A whole number."""
    found = figure(value)
    if not float(found).is_integer():
        raise CannotSayError("not a whole number")
    return int(found)
