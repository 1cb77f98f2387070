"""The JavaScript files import each other; what they become is one module, with each file once and nothing guessed."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from twin.views.shared import modules
from twin.views.shared.modules import ModuleError, bundle_source, files, module_source, script_source, without_comments

ENTRIES = {path.stem: path for path in modules.views()}
SCRIPTS = {
    modules.PACKAGE / "pages/kiosk/outer.js",
    modules.PACKAGE / "pages/operations/connection.js",
    modules.PACKAGE / "pages/operations/load_modules.js",
}
"""Files that stand in the HTML of a page, with all that they import, as one script."""
CLASSIC = {modules.PACKAGE / "pages/opening.js", modules.PACKAGE / "notebook/whole.js"}
"""No modules: the one runs where those are refused, the other in a notebook's page."""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that writes files of a package and gives the path of the first."""
    monkeypatch.setattr(modules, "PACKAGE", tmp_path)

    def write(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text)
        return tmp_path / f"{next(iter(texts))}.js"

    yield write
    modules.read.cache_clear()


def run(module: str, *names: str) -> str:
    """Return what Node gets of a module's exports, as JSON in the order of `names`."""
    node = shutil.which("node")
    assert node, "the JavaScript is tested in Node: scripts/node says how to get it"
    printed = f"console.log(JSON.stringify([{', '.join(f'module.{name}' for name in names)}]));"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "module.mjs").write_text(module)
        (Path(folder) / "main.mjs").write_text(f'import * as module from "./module.mjs";\n{printed}\n')
        done = subprocess.run([node, f"{folder}/main.mjs"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_module_has_what_its_entry_imports_in_order(package):
    entry = package(
        entry='// A view.\n\nimport { a, b } from "./one.js";\nimport {\n  c,\n} from "./two.js";\n\n'
        "const d = [a, b, c];\n\nexport { d };\n",
        one='import { c } from "./two.js";\n\nconst a = c + 1;\nconst b = [...[c]];\n\nexport { a, b };\n',
        two='import "./effect.js";\n\nconst c = globalThis.effect;\n\nexport { c };\n',
        effect="globalThis.effect = 40;\n",
    )
    text = module_source(entry)
    assert run(text, "d") == "[[41,[40],40]]"
    assert text.count("globalThis.effect = 40") == 1
    assert text.entry == entry


def test_a_bundle_has_each_file_once_and_files_may_use_the_same_names(package):
    entry = package(
        first='import { shared } from "./base.js";\n\nconst label = shared + "1";\n\nexport { label };\n',
        second='import { shared } from "./base.js";\n\nconst label = shared + "2";\n\nexport { label };\n',
        base='const shared = "view ";\n\nexport { shared };\n',
    )
    text = bundle_source({"First": entry, "Second": entry.with_name("second.js")})
    assert run(text, "default") == '[{"First":{"label":"view 1"},"Second":{"label":"view 2"}}]'
    assert text.count('"view "') == 1


def test_constants_come_from_the_python_module_that_is_named(package):
    entry = package(
        entry='import { STAGES } from "#python/foundation/stages";\n\nconst first = STAGES[0];\n\nexport { first };\n'
    )
    assert run(module_source(entry), "first") == '["created"]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import { a } from "./none.js";\n\na();\n', "no file none.js"),
        ('import { c } from "./one.js";\n\nc();\n', r"entry\.js imports c from one\.js, which does not export it"),
        ('import { a } from "./one.js";\n\nlabel.a();\n', r"entry\.js imports a and does not use it"),
        ('import { a } from "./one.js";\nimport { b } from "./one.js";\n\na(b);\n', "twice"),
        ('import * as one from "./one.js";\n\none();\n', "only `import"),
        ('import { a as b } from "./one.js";\n\nb();\n', "only `import"),
        ('import { a } from "one";\n\na();\n', "relative to this one"),
        ('import { a } from "../../etc/one.js";\n\na();\n', "relative to this one"),
        ('const x = 1;\nimport { a } from "./one.js";\n', "imports come first"),
        ("export const a = 1;\n", "one list of exports last"),
        ("const a = 1;\n\nexport { a };\nconst b = 2;\n", "nothing stands behind"),
        ('import { NONE } from "#python/foundation/stages";\n\nNONE();\n', "has no attribute 'NONE'"),
        ('import { NONE } from "#python/foundation/none";\n\nNONE();\n', "No module named"),
        ('import { e } from "./entry.js";\n\nconst e = 1;\n\nexport { e };\n', r"circle: entry\.js -> entry\.js"),
    ],
)
def test_what_cannot_be_resolved_is_said_with_the_file_and_the_name(package, text, message):
    entry = package(entry=text, one="const a = 1, b = 2;\n\nexport { a, b };\n")
    with pytest.raises(ModuleError, match=message):
        module_source(entry)


SAME = """
const { parse } = require("internal/deps/acorn/acorn/dist/acorn");
const read = (text) =>
  JSON.stringify(parse(text, { ecmaVersion: "latest", sourceType: "module" }), (key, value) =>
    key === "start" || key === "end" ? undefined : value);
const texts = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(Object.keys(texts).filter((name) => read(texts[name][0]) !== read(texts[name][1]))));
"""
"""Names the files, of {name: [text, text]} on stdin, of which Node's own parser reads two different programs."""


def read_differently(texts: dict[str, tuple[str, str]]) -> list[str]:
    node = shutil.which("node")
    assert node
    done = subprocess.run(
        [node, "--expose-internals", "-e", SAME],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_code_without_comments_is_the_same_program():
    """The program that Node reads, with every text in it; only the reading of it is compared, not where it stands."""
    code = {path.name: path.read_text("utf-8") for path in modules.PACKAGE.rglob("*.js")}
    code["made up"] = "// a `\n/** b\n * `c` */\n\n  const d = `\n  // e \\` ${1}\n  /* f */\n`; // g\n    d(`h`);\n"
    bare = {name: without_comments(text) for name, text in code.items()}
    assert read_differently({name: (text, bare[name]) for name, text in code.items()}) == []
    assert read_differently({"a text": ("const a = `\n  b`;", "const a = `\nb`;")}) == ["a text"]
    assert bare["made up"] == "const d = `\n  // e \\` ${1}\n  /* f */\n`; // g\nd(`h`);\n"
    assert not [
        line for name in code for line in bare[name].splitlines() if name != "made up" and line.startswith("//")
    ]


def test_every_file_of_the_package_is_part_of_a_view():
    found = {source.path for source in files([*ENTRIES.values(), *SCRIPTS, modules.GUARD])}
    assert found | CLASSIC == set(modules.PACKAGE.rglob("*.js"))


@pytest.mark.parametrize("entry", sorted(SCRIPTS), ids=lambda path: path.stem)
def test_a_script_of_a_page_can_stand_in_its_html(entry: Path, tmp_path: Path) -> None:
    text = script_source(entry)
    assert "</script" not in text
    assert "import " not in "".join(line for line in text.splitlines() if not line.lstrip().startswith(("//", "*")))
    path = tmp_path / "script.cjs"
    path.write_text(text)
    node = shutil.which("node")
    assert node
    subprocess.run([node, "--check", path], check=True, timeout=60)


def imported_by_tests(of: list[modules.Source]) -> set[tuple[str, str]]:
    """The names that tests in Node import and that the file itself uses as well: only a test's would be dead."""
    texts = [path.read_text("utf-8") for path in Path("tests/javascript").glob("*.test.js")]
    found = {
        (str((modules.PACKAGE / target).resolve()), name.strip())
        for text in texts
        for names, target in re.findall(r'import {([^}]*)} from "(?:\.\./)+twin/([^"]+)"', text)
        for name in names.split(",")
    }
    uses = {str(source.path): source.path.read_text("utf-8") for source in of}
    return {(path, name) for path, name in found if len(re.findall(rf"\b{name}\b", uses.get(path, ""))) > 2}


def test_nothing_is_exported_that_nobody_imports():
    sources = files([*ENTRIES.values(), *SCRIPTS])
    imported = {(target, name) for source in sources for target, names in source.imports.items() for name in names}
    imported |= imported_by_tests(sources)
    entries = set(ENTRIES.values())
    spare = [
        f"{source.path.name}: {name}"
        for source in sources
        if source.path not in entries
        for name in source.exports
        if (str(source.path), name) not in imported
    ]
    assert spare == []


def test_node_reads_the_bundle_and_finds_a_render_for_every_view():
    text = bundle_source(ENTRIES)
    node = run(text, "default && Object.entries(module.default).map(([name, view]) => [name, typeof view.render])")
    assert all(f'["{name}","function"]' in node for name in ENTRIES), node


@pytest.mark.slow
@pytest.mark.parametrize("name", ENTRIES)
def test_node_reads_the_module_of_every_view(name):
    assert run(module_source(ENTRIES[name]), "render.name") == '["render"]'


def test_every_file_can_be_read_on_a_screen():
    """The formatter breaks no strings and no comments; and `render` only puts a view together."""
    for path in modules.PACKAGE.rglob("*.js"):
        lines = path.read_text("utf-8").splitlines()
        assert [line for line in lines if len(line) > 120] == [], path
        if path in ENTRIES.values():
            start = next(n for n, line in enumerate(lines) if line.startswith("function render("))
            assert lines.index("}", start) - start <= 80, path
