"""The renderer, which every engine with a tokenizer shares."""

from poetune.backends.rendering import Renderer as Renderer
