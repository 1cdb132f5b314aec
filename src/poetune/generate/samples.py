"""The samples file: poems with what was asked, as text that people read."""

from poetune.records import Prompt, Sampling

RULE = "=" * 60


def sample_block(prompt: Prompt, label: str, sampling: Sampling, text: str, title: str = "") -> str:
    """One poem of a samples file, from the rule above it to the blank line after it."""
    head = [RULE, f"prompt: {prompt.theme or '(none)'}"]
    if prompt.opening:
        head += ["opening:", *(f"  {line}" for line in prompt.opening.split("\n"))]
    if prompt.system:
        head.append(f"system: {' '.join(prompt.system.split())}")
    head += [f"template: {prompt.template}", f"model: {label}", f"sampling: {sampling_line(sampling)}"]
    if title and title != prompt.theme:
        head.append(f"title: {title}")
    return "\n".join([*head, "", text.strip("\n"), "", ""])


def sampling_line(sampling: Sampling) -> str:
    """How tokens were drawn, without what is off."""
    parts = ["greedy" if sampling.temperature == 0 else f"temperature {sampling.temperature:g}"]
    if sampling.temperature and sampling.top_p < 1:
        parts.append(f"top-p {sampling.top_p:g}")
    if sampling.temperature and sampling.top_k:
        parts.append(f"top-k {sampling.top_k}")
    if sampling.repetition_penalty != 1:
        parts.append(f"repetition penalty {sampling.repetition_penalty:g}")
    if sampling.no_repeat_ngram:
        parts.append(f"no {sampling.no_repeat_ngram}-gram twice")
    if sampling.beams > 1:
        parts.append(f"{sampling.beams} beams")
    parts.append(f"at most {sampling.max_tokens} tokens")
    if sampling.max_lines:
        parts.append(f"at most {sampling.max_lines} lines")
    return ", ".join(parts)
