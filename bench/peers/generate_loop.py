"""One process a poem: each starts Python, loads base and adapter, writes one poem and ends; one JSON line."""

import argparse
import json
import subprocess
import sys

import measure
import workload

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--model", required=True)
ap.add_argument("--adapter", required=True)
ap.add_argument("--poems", type=int, required=True, help="how many it writes")
ap.add_argument("--of", type=int, default=None, help="of how many; those written stand for the grid's lengths")
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--device", default="cpu")
ap.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
ap.add_argument("--one", type=int, default=None, help=argparse.SUPPRESS)
a = ap.parse_args()


def one(row, seed):
    """What each process does."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(a.threads)
    dtype = torch.bfloat16 if a.precision == "bf16" else torch.float32
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype=dtype).to(a.device)
    model = PeftModel.from_pretrained(model, a.adapter).eval()
    model.generation_config.eos_token_id = None
    turns = [{"role": "user", "content": row["prompt"]}]
    ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    ids = torch.tensor([ids], device=a.device)
    torch.manual_seed(seed)
    out = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=len(row["completion_ids"]), do_sample=True,
        temperature=workload.TEMPERATURE, top_p=workload.TOP_P, top_k=0, repetition_penalty=workload.PENALTY,
        pad_token_id=workload.PAD,
    )  # fmt: skip
    print(json.dumps({"written": len(out[0]) - ids.shape[1], "peak_mb": measure.peak_mb()}))


def typical(rows, count):
    """`count` numbers of rows, one from each of as many classes of length: the one nearest to its class's mean."""
    order = sorted(range(len(rows)), key=lambda number: len(rows[number]["completion_ids"]))
    classes = [order[len(order) * k // count : len(order) * (k + 1) // count] for k in range(count)]
    sizes = {number: len(row["completion_ids"]) for number, row in enumerate(rows)}
    means = [sum(sizes[number] for number in each) / len(each) for each in classes]
    return [min(each, key=lambda n: abs(sizes[n] - mean)) for each, mean in zip(classes, means, strict=True)]


rows = workload.poems(workload.shape_of(a.model), max(a.poems, a.of or 0), workload.GRID_SEED)
if a.one is not None:
    one(rows[a.one], a.one)
    sys.exit()
watch, said = measure.Watch(), []
for number in typical(rows, a.poems):
    ran = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--one", str(number)], capture_output=True, text=True
    )
    if ran.returncode:
        sys.exit(ran.stderr[-600:])
    said.append(json.loads(ran.stdout.splitlines()[-1]))
written = sum(each["written"] for each in said)
figures = measure.writing(a.poems, written, watch.wall(), watch.cpu())
figures["peak_mb"] = max(each["peak_mb"] for each in said)
measure.emit(tool="loop", **figures, **watch.others())
