"""Executes a notebook with nbclient and prints, as JSON, the outputs of its cells of code.

Usage: run_notebook.py NOTEBOOK FOLDER, the folder in which it is executed.
"""

import json
import sys

import nbformat
from nbclient import NotebookClient

path, folder = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
client = NotebookClient(
    notebook, timeout=600, kernel_name="deno", resources={"metadata": {"path": folder}}
)
client.execute()
print(json.dumps([cell.outputs for cell in notebook.cells if cell.cell_type == "code"]))
