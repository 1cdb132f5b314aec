"""Build the bundled base model: prepare, tokenizer, pretrain, instruct, evaluate, pack (see README.md)."""
