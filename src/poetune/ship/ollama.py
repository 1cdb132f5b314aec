"""An Ollama Modelfile: the model beside it, the prompt as it was trained, where a poem ends, how tokens are drawn.

Ollama fills a template of Go's text/template with .System and .Prompt and cuts it at .Response. Written after its
documentation and parser; not run in Ollama.
"""

from dataclasses import dataclass

from poetune.errors import StoreError
from poetune.records import Sampling

THEME, SYSTEM = "THEMEa3f1c9", "SYSTEMb7d2e4"  # stand for what is filled in while a prompt is spelled


@dataclass(frozen=True, slots=True)
class Spelled:
    """A prompt as the model reads it, without the BOS that the tokenizer puts first, once with a system text (THEME and
    SYSTEM in it) and once without; `ends` are the texts that end a poem, `system` the project's own system text.
    """

    with_system: str
    without_system: str
    ends: tuple[str, ...]
    system: str = ""


def modelfile(spelled: Spelled, sampling: Sampling, licence: str = "") -> str:
    """The whole Modelfile. Raises StoreError for a system text or licence that it cannot hold."""
    lines = ["FROM .", f'TEMPLATE """{template(spelled)}"""']
    if spelled.system:
        lines.append(f'SYSTEM """{_triple(spelled.system)}"""')
    lines += [f"PARAMETER {name} {value}" for name, value in parameters(sampling).items()]
    lines += [f"PARAMETER stop {_quoted(end)}" for end in stops(spelled, sampling)]
    if licence:
        lines.append(f'LICENSE """{_triple(licence)}"""')
    return "\n".join(lines) + "\n"


def template(spelled: Spelled) -> str:
    """The prompt in Go's template language."""
    with_system, without = _go(spelled.with_system), _go(spelled.without_system)
    if with_system == without:
        return f"{without}{{{{ .Response }}}}"
    return f"{{{{ if .System }}}}{with_system}{{{{ else }}}}{without}{{{{ end }}}}{{{{ .Response }}}}"


def stops(spelled: Spelled, sampling: Sampling) -> list[str]:
    """What ends a poem: the tokens that end a text, and the recipe's own stop texts."""
    return list(dict.fromkeys([*(end for end in spelled.ends if end), *sampling.stop]))


def parameters(sampling: Sampling) -> dict[str, str]:
    """How tokens are drawn, every value said: Ollama's own defaults differ (top_k 40, repeat_penalty 1.1)."""
    return {
        "temperature": f"{sampling.temperature:g}",
        "top_p": f"{sampling.top_p:g}",
        "top_k": str(sampling.top_k),
        "min_p": f"{sampling.min_p:g}",
        "repeat_penalty": f"{sampling.repetition_penalty:g}",
        "repeat_last_n": "-1",
        "num_predict": str(sampling.max_tokens),
    }


def _go(text: str) -> str:
    """A spelled prompt with its two fields, everything else taken literally."""
    out = _literal(text)
    for mark, name in ((THEME, "Prompt"), (SYSTEM, "System")):
        out = out.replace(mark, f"{{{{ .{name} }}}}")
    return out


def _literal(text: str) -> str:
    """Braces that Go would read, and quotes that could end the Modelfile's text, as string constants."""
    return "".join({"{": '{{ "{" }}', '"': '{{ "\\"" }}'}.get(c, c) for c in text)


def _quoted(text: str) -> str:
    """Ollama reads no escapes: a text with quotes or line breaks stands between three quotes."""
    return f'"""{_triple(text)}"""' if {'"', "\n"} & set(text) else f'"{text}"'


def _triple(text: str) -> str:
    if '"""' in text:
        raise StoreError(
            'The system text, the licence or a stop text holds """, which no Modelfile can; use other quotes.'
        )
    return text
