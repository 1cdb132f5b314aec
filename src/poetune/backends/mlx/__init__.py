"""mlx and mlx-lm behind the doors `Trainer` and `Generator`; `engine` is the way in."""

import os

os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # it would advise to install torch
