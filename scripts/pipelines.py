"""`python -m scripts.pipelines`: write the pipeline's SQL, `pipelines/*.sql`, from the query files of the product."""

from pathlib import Path

from twin.sources import pipeline

FOLDER = Path(__file__).parents[1] / "pipelines"

HEADER = """\
-- Written by `python -m scripts.pipelines` from twin/sources/queries/*.sql: change those, never this file.
-- docs/databricks.md says what these tables are for. From the pipeline's configuration:
"""


def written() -> dict[str, str]:
    """Return the text of each file by its name."""
    configuration = "".join(f"--   {mark.strip('${}')}: {what}\n" for mark, what in pipeline.CONFIGURATION.items())
    kinds = {"text": "texts or whole numbers", "naive": "TIMESTAMP_NTZ or DATE", "instants": "TIMESTAMP"}
    files = {"tables.sql": "\n".join(table.statement() for table in pipeline.others())}
    for column in pipeline.COLUMNS:
        which = f"-- Of three files of this name one is used: this one for times that are {kinds[column]} in the raw table.\n"
        files[f"events_{column}.sql"] = f"{which}\n{pipeline.events(column).statement()}"
    return {name: f"{HEADER}{configuration}{text}" for name, text in files.items()}


def write(folder: Path = FOLDER) -> None:
    """Write the files."""
    folder.mkdir(exist_ok=True)
    for name, text in written().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()
