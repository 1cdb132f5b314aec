"""torch, transformers and peft behind the doors `Trainer` and `Generator`; `engine` is the way in."""

import logging

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # peft imports it, and it advises on optional kernels
