"""kvpress on transformers (sdpa, fp32, CPU) behind the workers' protocol: kvpress_worker.py FOLDER"""

import contextlib
import json
import os
import sys
import time
from importlib.metadata import version

import torch
from kvpress import ObservedAttentionPress, PyramidKVPress, SnapKVPress, StreamingLLMPress
from transformers import AutoModelForCausalLM, DynamicCache
from transformers.utils import logging

THREADS = int(os.environ.get("PYRAMIDKV_BENCH_THREADS", "2"))
METHODS = ["full", "window", "streaming", "h2o", "snapkv", "pyramidkv"]

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(THREADS)
torch.set_grad_enabled(False)
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation="sdpa").eval()
held = {}


def press_of(method, length, budget):
    """The press that keeps `budget` of `length`, set as ours is where it has such options."""
    ratio = 1 - budget / length
    if method == "window":
        return StreamingLLMPress(compression_ratio=ratio, n_sink=0)
    if method == "streaming":
        return StreamingLLMPress(compression_ratio=ratio, n_sink=4)
    if method == "h2o":
        return ObservedAttentionPress(compression_ratio=ratio)
    if method == "snapkv":
        return SnapKVPress(compression_ratio=ratio, window_size=8, kernel_size=7)
    if method == "pyramidkv":
        return PyramidKVPress(compression_ratio=ratio, window_size=8, kernel_size=7)
    return None


def prefill(length, method, budget):
    """As kvpress's own pipeline does it, with the head run on the last token."""
    ids = torch.tensor([[(i * 7919) % 49152 for i in range(length)]])
    cache = DynamicCache()
    press = press_of(method, length, budget)
    # Only its eager attention hands out the probabilities that observed attention needs.
    model.set_attn_implementation("eager" if method == "h2o" else "sdpa")
    with press(model) if press is not None else contextlib.nullcontext():
        model(input_ids=ids, past_key_values=cache, logits_to_keep=1)
    model.set_attn_implementation("sdpa")
    return cache


def decode(cache, length, steps):
    for i in range(steps):
        position = torch.tensor([[length + i]])
        out = model(input_ids=torch.tensor([[(31 * i) % 49152]]), past_key_values=cache, position_ids=position)
        out.logits[0, -1].argmax().item()


def cut(cache, lengths):
    """Takes back what decoding appended."""
    for layer, length in zip(cache.layers, lengths):
        layer.keys, layer.values = layer.keys[:, :, :length], layer.values[:, :, :length]


def handle(request):
    op = request["op"]
    if op == "prefill":
        length = request["length"]
        held[request["hold"]] = (prefill(length, request["method"], request["budget"]), length)
    elif op == "decode":
        cache, length = held[request["held"]]
        lengths = [layer.keys.shape[2] for layer in cache.layers]
        decode(cache, length, request["steps"])
        cut(cache, lengths)
    elif op == "sweep":
        for method in METHODS:
            for budget in request["budgets"]:
                decode(prefill(request["length"], method, budget), request["length"], request["steps"])
    elif op == "drop":
        held.clear()


def say(value):
    print("answer " + json.dumps(value), flush=True)


say(", ".join(f"{name} {version(name)}" for name in ("kvpress", "transformers", "torch")))
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    handle(json.loads(line))
    say({"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "parts": {}})
