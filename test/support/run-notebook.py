"""Runs a notebook's cells in the kernel it names and prints what each displays, a JSON line per cell: run-notebook.py NOTEBOOK"""
import json
import os
import sys

import nbformat
from nbclient import NotebookClient

path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
nbformat.validate(notebook)
folder = {"metadata": {"path": os.path.dirname(os.path.abspath(path))}}
NotebookClient(notebook, timeout=300, resources=folder).execute()
for cell in notebook.cells:
    if cell.cell_type == "code":
        print(json.dumps([output.get("data", output) for output in cell.outputs]))
