"""What can go wrong, each in one sentence that says what, where and the remedy.

PoetuneError
 |- RecipeError    poet.yaml or an override is wrong
 |- CorpusError    a file of poems cannot be read as asked
 |- StoreError     the project folder or its database is missing, foreign or damaged
 |- EngineError    an engine cannot do, load or finish what a recipe asks
 |- JudgeError     a judge cannot be reached or its answers cannot be used
 |   |- AnswerRefused   an endpoint refused one request; others may pass
 |   `- AnswerLost      an answer that may have been paid for did not arrive
 |- ReviewError    a decision that cannot be recorded
"""


class PoetuneError(Exception):
    """Base of all errors meant for the user; the command line prints the message and exits with 2."""

    exit_code = 2


class RecipeError(PoetuneError):
    """poet.yaml, or a value given on the command line, is wrong."""


class CorpusError(PoetuneError):
    """A file of poems cannot be read as asked."""


class StoreError(PoetuneError):
    """The project folder or its database is missing, foreign or damaged."""


class EngineError(PoetuneError):
    """An engine cannot do, load or finish what a recipe asks."""


class JudgeError(PoetuneError):
    """A judge cannot be reached, or too many of its answers cannot be used."""


class AnswerRefused(JudgeError):  # noqa: N818
    """An endpoint refused one request (a content filter, a text too long); others may pass."""


class AnswerLost(JudgeError):  # noqa: N818
    """A request was sent and its answer did not arrive; it may have been paid for."""


class ReviewError(PoetuneError):
    """A decision that cannot be recorded."""
