"""torch, transformers and peft behind the doors `Trainer` and `Generator`; `engine` is the way in."""
