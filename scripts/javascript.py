"""`python -m scripts.javascript`: write what the JavaScript imports from Python, for the tools that run it or read it in Node.

A page gets these constants within its module (`twin.views.shared.modules`). biome, tsc and `node --test` read the files as they
are; package.json leads them from `#python/foundation/stages` to build/javascript/foundation/stages.js.
"""

import json
from pathlib import Path

from twin.views.shared.modules import constants, files, views

FOLDER = Path(__file__).parents[1] / "build" / "javascript"


def write(folder: Path = FOLDER) -> None:
    """Write one module for each Python module that is imported from."""
    for name, values in constants(files(views())).items():
        path = folder / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "".join(f"export const {one} = {json.dumps(value)};\n" for one, value in values.items()), "utf-8"
        )


if __name__ == "__main__":
    write()
