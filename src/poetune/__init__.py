"""poetune teaches a language model one poet's voice, and proves that it did."""

__version__ = "0.1.0"
