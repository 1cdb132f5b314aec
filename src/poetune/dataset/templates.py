"""Templates: versioned texts around the theme, in the package or in a project's own folder."""

import difflib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml

from poetune.errors import RecipeError
from poetune.records import Conversation, Message, Prompt

# The place of a template here is the figure that checkpoint codes add: 1200 + 3 is deep.v1 at step 1200.
TEMPLATE_ORDER = ("plain.v1", "airy.v1", "pause.v1", "deep.v1", "bare.v1")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.v[0-9]+")
_SLOT = re.compile(r"\{(theme|system)\}")
_SPECIAL = re.compile(r"<\|[^|<>\s]{1,40}\|>")


@dataclass(frozen=True, slots=True)
class Template:
    """What stands around a theme. `user` holds `{theme}`; `lead`, `trim` and `raw` are Conversation's.

    `raw` may hold `{system}` beside `{theme}` and replaces `user`; with `verse`, nothing stands around the poem.
    """

    name: str
    user: str = "{theme}"
    lead: str = ""
    trim: bool = False
    raw: str = ""
    verse: bool = False


def load_template(name: str, extra_dir: Path | None = None) -> Template:
    """The template `name`, from the package or from `extra_dir`/NAME.yaml.

    Raises RecipeError for a name that is unknown, not versioned or taken by the package, and for a bad file.
    """
    bundled = {entry.name.removesuffix(".yaml") for entry in _bundled().iterdir() if entry.name.endswith(".yaml")}
    own = {path.name.removesuffix(".yaml") for path in extra_dir.glob("*.yaml")} if extra_dir else set()
    if not _NAME.fullmatch(name):
        raise RecipeError(f"template `{name}` must be a small name and a version, such as plain.v1.")
    if name in bundled & own:
        raise RecipeError(f"{extra_dir}/{name}.yaml has the name of a bundled template; give it another name.")
    if name in bundled:
        text = (_bundled() / f"{name}.yaml").read_text(encoding="utf-8")
    elif name in own and extra_dir:
        text = (extra_dir / f"{name}.yaml").read_text(encoding="utf-8-sig")
    else:
        known = [*TEMPLATE_ORDER, *sorted((bundled | own) - set(TEMPLATE_ORDER))]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}."
        raise RecipeError(f"no template is called `{name}`; {hint}")
    return _parsed(name, text)


def conversation(template: Template, prompt: Prompt) -> Conversation:
    """What a model reads for a prompt; without a theme, the first line of its opening stands for one."""
    if template.verse:
        return Conversation(prefix=prompt.opening)
    theme = prompt.theme.strip() or prompt.opening.strip().split("\n")[0].strip(" ,.;:!?，。；：！？、")
    if template.raw:
        # Only the template may bring special tokens; a theme that holds some would end its own turn.
        values = {"theme": _SPECIAL.sub("", theme), "system": _SPECIAL.sub("", prompt.system)}
        return Conversation(raw=_SLOT.sub(lambda m: values[m[1]], template.raw), prefix=prompt.opening)
    turns = [Message("user", template.user.replace("{theme}", theme))]
    if prompt.system:
        turns.insert(0, Message("system", prompt.system))
    return Conversation(tuple(turns), template.lead, prompt.opening, template.trim)


def _bundled() -> resources.abc.Traversable:
    return resources.files("poetune.dataset") / "templates"


def _parsed(name: str, text: str) -> Template:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"template `{name}` is not YAML ({str(error).splitlines()[0]}); quote its texts.") from None
    kinds = {"user": str, "lead": str, "trim": bool, "raw": str, "verse": bool}
    if not isinstance(values, dict) or not all(isinstance(v, kinds.get(k, ())) for k, v in values.items()):
        raise RecipeError(f"template `{name}` may hold only the texts user, lead and raw, and trim or verse: true.")
    template = Template(name=name, **values)
    for alone in ("raw", "verse"):
        if getattr(template, alone) and len(values) > 1:
            raise RecipeError(f"template `{name}` has {alone}, which replaces everything else; leave out other keys.")
    if template.verse:
        return template
    if "{theme}" not in (template.raw or template.user):
        raise RecipeError(f"template `{name}` has no {{theme}}; say where the theme goes.")
    if template.lead.strip():
        raise RecipeError(f"template `{name}`: lead is white space before the poem, not words.")
    return template
