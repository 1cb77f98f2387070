"""Resolves the `import`s between the product's JavaScript files, so that one text holds what a view needs.

In a notebook or a saved page a view's module reaches the browser as text, without a URL to import its neighbours from, and a
served page asks for one file rather than fifty. Both are made here, when the views are imported: a checkout runs without Node
and without a build. Every file becomes a scope of its own, so that two files may use one name for different things.

What a file may say (`docs/decisions/javascript.md`), held by the reader below:

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

_NAMES = r"\{ ?([\w$]+(?:, [\w$]+)*),? ?\}"
_NAMED = re.compile(rf'import {_NAMES} from "([^"]+)";')
_BARE = re.compile(r'import "([^"]+)";')
_EXPORTS = re.compile(rf"export {_NAMES};")


class ModuleError(ImportError):
    """A JavaScript file imports or exports what it cannot; says which file and what."""


class ModuleText(str):
    """The text of one ES module that exports what its entry exports, and the entry that it was made from."""

    entry: Path

    def __new__(cls, text: str, entry: Path) -> "ModuleText":
        made = super().__new__(cls, text)
        made.entry = entry
        return made


@dataclass(frozen=True, slots=True)
class Source:
    """One file as read: imports as {file or "#python/…": names}, the names exported, and what is between."""

    path: Path
    imports: Mapping[str, tuple[str, ...]]
    exports: tuple[str, ...]
    body: str

    @property
    def scope(self) -> str:
        """The name of this file's exports in a text made of many files."""
        return _scope(self.path.relative_to(PACKAGE).with_suffix("").as_posix())


def module_source(entry: Path) -> ModuleText:
    """Return the module of a view: its file and all that this imports, in an order in which nothing is used too early.

    Raises `ModuleError` for a file, an export or a constant that is not there, a name imported and not used, and a circle.
    """
    first = read(entry)
    return ModuleText(
        _text([entry]) + f"const {{ {', '.join(first.exports)} }} = {first.scope};\n" + _export(first), entry
    )


def bundle_source(entries: Mapping[str, Path]) -> str:
    """Return one module with every file once; its default export has each entry's exports under the name given."""
    named = ", ".join(f"{name}: {read(entry).scope}" for name, entry in entries.items())
    return _text(entries.values()) + f"export default {{ {named} }};\n"


@functools.cache
def read(path: Path) -> Source:
    """Read one file of the package."""
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
    """Return the entries and all they import, each once and after what it imports itself."""
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
    """Return the files of the package that views are made from: those that export `render`."""
    every = (path for path in sorted(PACKAGE.rglob("*.js")) if "\nexport {" in path.read_text("utf-8"))
    return [path for path in every if "render" in read(path).exports]


def constants(sources: Iterable[Source]) -> dict[str, dict[str, object]]:
    """Return the constants of Python that these files import: {"foundation/stages": {"STAGES": …}}."""
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


def _text(entries: Iterable[Path]) -> str:
    sources = files(entries)
    scopes = [
        f"const {_scope_of(PYTHON + name)} = {json.dumps(values)};\n" for name, values in constants(sources).items()
    ]
    for source in sources:
        taken = "".join(
            f"const {{ {', '.join(names)} }} = {_scope_of(target)};\n"
            for target, names in source.imports.items()
            if names
        )
        given = f"return {{ {', '.join(source.exports)} }};\n" if source.exports else ""
        scopes.append(f"const {source.scope} = (() => {{\n{taken}{source.body}{given}}})();\n")
    return "".join(scopes)


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
    """Part the body of a file from its list of exports."""
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
