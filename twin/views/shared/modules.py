"""Resolves the `import`s between the product's JavaScript files into one text per view.

In a notebook or a saved page a view's module reaches the browser as text, without a URL to import other files from; a served
page requests one file instead of fifty. Both are assembled here when the views are imported, so that a checkout runs without
Node and without a build. Every file becomes its own scope, so that two files may use one name for different things.

The reader below accepts only these statements (`docs/decisions/javascript.md`):

    import { a, b } from "../shared/clock.js";          // a neighbour's exports, relative to the file
    import { STAGES } from "#python/foundation/stages"; // constants of a module of ours: twin.foundation.stages
    import "./tokens.js";                               // for what it does
    ...
    export { render };                                  // one list, the last statement of the file
"""

import functools
import importlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
PYTHON = "#python/"
GUARD = PACKAGE / "views/shared/guard.js"

_NAMES = r"\{ ?([\w$]+(?:, [\w$]+)*),? ?\}"
_NAMED = re.compile(rf'import {_NAMES} from "([^"]+)";')
_BARE = re.compile(r'import "([^"]+)";')
_ESCAPED = re.compile(r"\\.")
"""What a backslash takes for itself: no end of a text."""
_EXPORTS = re.compile(rf"export {_NAMES};")


class ModuleError(ImportError):
    """A JavaScript file has an invalid import or export; the message names both."""


class ModuleText(str):
    """The text of one ES module that exports what its entry file exports; `entry` is that file."""

    entry: Path

    def __new__(cls, text: str, entry: Path) -> "ModuleText":
        module = super().__new__(cls, text)
        module.entry = entry
        return module


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file: its imports as {file or "#python/…": names}, the exported names, and the code between them."""

    path: Path
    imports: Mapping[str, tuple[str, ...]]
    exports: tuple[str, ...]
    body: str

    @property
    def scope(self) -> str:
        """The variable that holds this file's exports in an assembled text."""
        return _scope(self.path.relative_to(PACKAGE).with_suffix("").as_posix())


def module_source(entry: Path) -> ModuleText:
    """Return the module of a view: its file and all files that it imports, each before the files that import it.

    Its `render` runs within a guard, see guard.js.

    Raises `ModuleError` for a missing file, export or constant, an unused import, and a circular import.
    """
    first = read(entry)
    names = f"const {{ {', '.join(first.exports)} }} = {_guarded(first)};\n"
    return ModuleText(_text(_with_guard([entry])) + names + _export(first), entry)


def bundle_source(entries: Mapping[str, Path]) -> str:
    """Return one module with every file once; its default export maps the given names to the entries' exports."""
    named = ", ".join(f"{name}: {_guarded(read(entry))}" for name, entry in entries.items())
    return _text(_with_guard(entries.values())) + f"export default {{ {named} }};\n"


@functools.cache
def script_source(entry: Path) -> str:
    """Return a file and all that it imports as one classic script, for a page's own HTML."""
    return f"(() => {{\n{_text([entry])}}})();\n"


@functools.cache
def read(path: Path) -> Source:
    """Parse one file of the package. Raises `ModuleError`."""
    imports: dict[str, tuple[str, ...]] = {}
    lines = _readable(path).splitlines(keepends=True)
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith(("//", "import "))):
        if not lines[at].startswith("import "):
            at += 1
            continue
        end = next((n for n in range(at, len(lines)) if lines[n].rstrip().endswith(";")), at)
        target, names = _import(path, " ".join("".join(lines[at : end + 1]).split()))
        if target in imports:
            raise ModuleError(f"{_shown(path)} imports {target} twice: name all in one statement")
        imports[target] = names
        at = end + 1
    body, exports = _exports(path, "".join(lines[at:]))
    for name in (name for names in imports.values() for name in names):
        if not re.search(rf"(?<![\w$])(?<![^.]\.){re.escape(name)}(?![\w$])", body):
            raise ModuleError(f"{_shown(path)} imports {name} and does not use it")
    return Source(path, imports, exports, body)


def files(entries: Iterable[Path]) -> list[Source]:
    """Return the entries and all files that they import, each once and after its own imports."""
    done: dict[Path, Source] = {}

    def visit(path: Path, open_: tuple[Path, ...]) -> None:
        if path in open_:
            raise ModuleError(f"Files import each other in a circle: {' -> '.join(map(_shown, (*open_, path)))}")
        if path in done:
            return
        source = read(path)
        for target, names in source.imports.items():
            if target.startswith(PYTHON):
                continue
            imported = Path(target)
            visit(imported, (*open_, path))
            for name in names:
                if name not in done[imported].exports:
                    raise ModuleError(
                        f"{_shown(path)} imports {name} from {_shown(imported)}, which does not export it"
                    )
        done[path] = source

    for entry in entries:
        visit(entry, ())
    return list(done.values())


def views() -> list[Path]:
    """Return the entry files of views in the package: those that export `render`."""
    every = (path for path in sorted(PACKAGE.rglob("*.js")) if "\nexport {" in path.read_text("utf-8"))
    return [path for path in every if "render" in read(path).exports]


def constants(sources: Iterable[Source]) -> dict[str, dict[str, object]]:
    """Return the Python constants that these files import: {"foundation/stages": {"STAGES": …}}."""
    wanted: dict[str, dict[str, object]] = {}
    for source in sources:
        for target, names in source.imports.items():
            if not target.startswith(PYTHON):
                continue
            name = target.removeprefix(PYTHON)
            try:
                module = importlib.import_module("twin." + name.replace("/", "."))
                wanted.setdefault(name, {}).update((one, getattr(module, one)) for one in names)
            except (ImportError, AttributeError) as error:
                raise ModuleError(f"{_shown(source.path)} imports from {target}: {error}") from error
    return wanted


def _with_guard(entries: Iterable[Path]) -> list[Path]:
    """Return these entries, and the file that guards their `render` if any has one."""
    every = list(entries)
    return [*every, *[GUARD] * any("render" in read(entry).exports for entry in every)]


def _guarded(source: Source) -> str:
    if "render" not in source.exports:
        return source.scope
    return f"{{ ...{source.scope}, render: {read(GUARD).scope}.guardedRender({source.scope}.render) }}"


def _text(entries: Iterable[Path]) -> str:
    sources = files(entries)
    scopes = [
        f"const {_scope_of(PYTHON + name)} = {json.dumps(values)};\n" for name, values in constants(sources).items()
    ]
    for source in sources:
        imported = "".join(
            f"const {{ {', '.join(names)} }} = {_scope_of(target)};\n"
            for target, names in source.imports.items()
            if names
        )
        exported = f"return {{ {', '.join(source.exports)} }};\n" if source.exports else ""
        scopes.append(f"const {source.scope} = (() => {{\n{imported}{without_comments(source.body)}{exported}}})();\n")
    return "".join(scopes)


def without_comments(code: str) -> str:
    """Return a file's code without the lines that only comment, the blank ones and the indentation: a quarter fewer bytes.

    A line stays a line, and names stay, so that an error still says where it is. Texts between backticks stay as they are; the
    tests hold that Node reads every file the same.
    """
    lines, in_comment, in_text = [], False, False
    for line in code.splitlines():
        bare = line if in_text else line.strip()
        if in_comment or (not in_text and bare.startswith("/*")):
            in_comment = not bare.endswith("*/")
        elif in_text or (bare and not bare.startswith("//")):
            lines.append(bare + "\n")
            in_text ^= _ESCAPED.sub("", bare).count("`") % 2 == 1
    return "".join(lines)


def _export(source: Source) -> str:
    return f"export {{ {', '.join(source.exports)} }};\n"


def _import(path: Path, statement: str) -> tuple[str, tuple[str, ...]]:
    if found := _NAMED.fullmatch(statement):
        names, target = tuple(name.strip() for name in found[1].split(",")), found[2]
    elif found := _BARE.fullmatch(statement):
        names, target = (), found[1]
    else:
        raise ModuleError(f'{_shown(path)}: only `import {{ a, b }} from "…";` is understood, not `{statement}`')
    if target.startswith(PYTHON):
        return target, names
    imported = (path.parent / target).resolve()
    if not target.startswith(".") or not imported.is_relative_to(PACKAGE):
        raise ModuleError(f"{_shown(path)} imports {target}: a file of the package is named relative to this one")
    return str(imported), names


def _exports(path: Path, text: str) -> tuple[str, tuple[str, ...]]:
    """Split a file's text after its imports into the body and the exported names."""
    body, mark, rest = text.rpartition("\nexport {")
    exports: tuple[str, ...] = ()
    if mark:
        found = _EXPORTS.fullmatch(" ".join((mark + rest).split()))
        if not found:
            raise ModuleError(
                f"{_shown(path)}: nothing stands behind the list of exports, and nothing is renamed in it"
            )
        exports = tuple(name.strip() for name in found[1].split(","))
    body = body + "\n" if mark else text
    for line in body.splitlines():
        if line.startswith(("import ", "import{", "export ", "export{")):
            raise ModuleError(f"{_shown(path)}: imports come first and one list of exports last, not `{line}`")
    return body, exports


def _readable(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ModuleError(f"There is no file {_shown(path)} to import") from error


def _scope_of(target: str) -> str:
    return _scope(target.removeprefix("#")) if target.startswith(PYTHON) else read(Path(target)).scope


def _scope(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)


def _shown(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else str(path)
