"""YAML as poetune reads and writes it: `1e-5` is a number, `no` a word, a key stands once, errors name the line."""

import re
from typing import Any

import yaml

from poetune.errors import RecipeError

_FLOAT = "tag:yaml.org,2002:float"
_BREAK = re.compile(r"[\n\r\x85\u2028\u2029]")
_EXPONENT = re.compile(r"^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d+)[eE][-+]?\d+$")


class Loader(yaml.SafeLoader):
    """YAML 1.1 reads `1e-5` as text and `no` as false; YAML 1.2 and everybody else as a number and a word.

    A key that is there twice is an error.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, each key once."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"`{key.value}` is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Floats as people write them, line breaks as signs on one line."""


def _number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    text = repr(value)
    if text in ("inf", "-inf", "nan"):
        return dumper.represent_float(value)
    text = re.sub(r"e([-+])0+(\d)", r"e\1\2", text).replace("e+", "e")
    return dumper.represent_scalar(_FLOAT, text)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if _BREAK.search(value) else None)


# The library's own table, less the words that YAML 1.2 took out of it.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if first in "tTfF" or not tag.endswith(":bool")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _kind in (Loader, _Dumper):
    _kind.add_implicit_resolver(_FLOAT, _EXPONENT, list("-+0123456789."))
_Dumper.add_representer(float, _number)
_Dumper.add_representer(str, _text)


def parse(text: str, where: str) -> dict[str, Any]:
    """The mapping that `text` holds, {} for an empty one; `where` names it in errors.

    Raises RecipeError, naming the line, for what is not YAML, and for YAML that is no mapping.
    """
    try:
        data = yaml.load(text, Loader=Loader)  # noqa: S506 - Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        remedy = "keep one of them" if problem.endswith("is there twice") else "check the indentation and colons there"
        raise RecipeError(f"{where}{line}: {problem}; {remedy}.") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise RecipeError(f"{where} must be a list of `key: value` lines; `poetune init` writes an example.")
    return data


def dump(value: Any) -> str:
    """A value on one line, as it may stand behind `key: `."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip("\n")
