"""Each notebook runs to its end over the tables of a night, and is kept without what it printed."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.given.paths import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def run(path: Path, one_night, folder: Path):
    """The executed notebook, in a folder that lies to the night as notebooks/ lies to build/."""
    (folder / "notebooks").mkdir()
    (folder / "build").mkdir()
    (folder / "build" / "warehouse").symlink_to(one_night.warehouse)
    shutil.copy(path, folder / "notebooks")
    book = nbformat.read(folder / "notebooks" / path.name, as_version=4)
    NotebookClient(book, resources={"metadata": {"path": str(folder / "notebooks")}}).execute()
    return book


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_every_table_and_plot_that_it_promises(path, one_night, tmp_path):
    book = run(path, one_night, tmp_path)
    for cell in book.cells:
        if cell.cell_type == "code":
            shown = [
                output
                for output in cell.outputs
                if output.output_type != "stream" or output.name == "stdout"
            ]
            assert shown, f"nothing is shown by: {cell.source[:80]}"
            for output in shown:
                assert output.get("data", {}).get("text/plain", "") != "Empty DataFrame"


def test_there_is_a_notebook():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    """Outputs would hold rows of somebody's warehouse."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
