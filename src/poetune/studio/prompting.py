"""Prompts to conversations, by the templates of `dataset` and those in the project's own `templates` folder."""

from poetune.dataset.templates import conversation as render
from poetune.dataset.templates import load_template
from poetune.records import Conversation, Prompt
from poetune.studio.house import Studio


def conversation(studio: Studio, prompt: Prompt) -> Conversation:
    """What an engine is handed for a prompt."""
    return render(load_template(prompt.template, studio.folder / "templates"), prompt)
