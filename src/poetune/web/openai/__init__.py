"""The OpenAI-compatible endpoint: chat and text completions over a queue, streamed or whole."""
