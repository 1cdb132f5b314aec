"""The nouns: frozen records that stages take and give back, with ids that are hashes of what they were made from."""

from poetune.records.digests import digest
from poetune.records.models import Candidate, Model, Run, Sampling, Stop
from poetune.records.opinions import Action, Call, Choice, Drawn, Review, Verdict, Vote
from poetune.records.rounds import Bundle, Round
from poetune.records.texts import Conversation, Dataset, Example, Message, Poem, Prompt, Split

__all__ = [
    "Action",
    "Bundle",
    "Call",
    "Candidate",
    "Choice",
    "Conversation",
    "Dataset",
    "Drawn",
    "Example",
    "Message",
    "Model",
    "Poem",
    "Prompt",
    "Review",
    "Round",
    "Run",
    "Sampling",
    "Split",
    "Stop",
    "Verdict",
    "Vote",
    "digest",
]
