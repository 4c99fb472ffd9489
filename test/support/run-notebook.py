"""Runs a notebook's cells in the kernel it names and prints what each displays, a JSON line per cell: run-notebook.py NOTEBOOK

Jupyter's own runner (nbclient) stops listening when the kernel says that it is idle. Deno's kernel may say so before what it displays
has arrived, so this listens a moment longer.
"""
import json
import os
import queue
import sys

import nbformat
from jupyter_client.manager import start_new_kernel

CELL_SECONDS = 300
QUIET_SECONDS = 1.5

path = os.path.abspath(sys.argv[1])
notebook = nbformat.read(path, as_version=4)
nbformat.validate(notebook)
manager, client = start_new_kernel(kernel_name=notebook.metadata.kernelspec.name, cwd=os.path.dirname(path))


def shown(request):
    """What the kernel displays for a request; raises for an error."""
    displays, patience = [], CELL_SECONDS
    while True:
        try:
            message = client.get_iopub_msg(timeout=patience)
        except queue.Empty:
            return displays
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        if message["msg_type"] == "error":
            raise RuntimeError("\n".join([content["ename"], content["evalue"], *content["traceback"]]))
        if message["msg_type"] in ("execute_result", "display_data"):
            displays.append(content["data"])
        if content.get("execution_state") == "idle":
            patience = QUIET_SECONDS


try:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            print(json.dumps(shown(client.execute(cell.source))), flush=True)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
