"""A frozen base in 8 or 4 bit, by bitsandbytes (LLM.int8: Dettmers et al. 2022; nf4, quantized twice: QLoRA, 2023)."""

import warnings
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from poetune.backends.torch.precision import Precision
from poetune.errors import EngineError


def load_quantized(folder: Path, kind: str, precision: Precision) -> Any:
    """The base in `kind` (8bit or 4bit), frozen; what is not quantized is kept in the precision's own type.

    Raises:
        EngineError: bitsandbytes is missing, or the base cannot be quantized.
    """
    try:
        import bitsandbytes  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(
            f"finetune.quantize: {kind} needs bitsandbytes, which does not run here; install it, or set it to no"
        ) from error
    kept = precision.compute or precision.stored
    how = (
        BitsAndBytesConfig(load_in_8bit=True)
        if kind == "8bit"
        else BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=kept,
        )
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = AutoModelForCausalLM.from_pretrained(
                folder,
                quantization_config=how,
                dtype=precision.stored,
                device_map={"": precision.device},
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
            )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EngineError(
            f"base: {folder} cannot be loaded in {kind} ({reason}); set finetune.quantize to no"
        ) from error
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):  # that layout of the weights lets no gradient through
            module.support_avx512bf16_for_cpu = False
    return model.requires_grad_(False).eval()
