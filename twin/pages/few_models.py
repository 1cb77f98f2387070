"""One script in place of those of Bokeh, its widgets and Panel: what they have, less the models that no page of ours shows.

As they come they are 2.4 MB with some 400 models, and set up all of those before the first panel is drawn. Each is a list of
modules, functions that name the modules which they require. This keeps the ones that our models require, and registers no
others. It is read out of the files when the first page is made, so that another version of them needs no change here.
"""

import functools
import json
import logging
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from bokeh.util.paths import bokehjs_path
from panel.io.resources import DIST_DIR

from twin.server.assets import publish

log = logging.getLogger(__name__)

MODELS = frozenset({
    # the page and its views
    "BrowserInfo", "Column", "HTML", "ImportedStyleSheet", "InlineStyleSheet", "Location", "ReactiveESM", "Row", "Spacer",
    # the figures of map and trends
    "AllIndices", "AllLabels", "BasicTickFormatter", "BasicTicker", "CDSView", "ColumnDataSource", "Figure", "FixedTicker",
    "GlyphRenderer", "Grid", "ImageURL", "Line", "LinearAxis", "LinearScale", "MultiLine", "MultiPolygons",
    "NumeralTickFormatter", "PanTool", "PrintfTickFormatter", "Quad", "Range1d", "Segment", "Selection", "TileRenderer",
    "Toolbar", "UnionRenderers", "VStrip", "WMTSTileSource", "WheelZoomTool",
})  # fmt: skip
"""The models of our pages, by the names that documents have for them. Of another one the browser says that it does not exist."""

_BEGIN = re.compile(r"^\(([\[{])\n", re.M)
_END = re.compile(r'^[\]}], ("\w+"|\d+), (\{.*\}), \{\}\);\}\);\s*\Z', re.M)
_MODULE = {"[": re.compile(r"^(?=function _\()", re.M), "{": re.compile(r'^("[0-9a-f]+"|\d+): (?=function _\()', re.M)}
_REQUIRED = re.compile(r'(?<![\w$.])[\w$]+\(("[\w@/.-]+"|\d+)\)')
_COMPILER = re.compile(r"\.getVersion=function.*\.transform=function")
"""Sucrase, in Panel's script: it compiles a module that comes as text, and ours come complete."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script as Bokeh's bundler writes it: modules by id, which run from `entry` on; `aliases` are ids by file name.

    In a list, whose `bracket` is "[", a module's place is its id. Ids are as they are written, with their quotes.
    """

    head: str
    bracket: str
    modules: dict[str, str]
    entry: str
    aliases: dict[str, str]

    def defining(self, names: Iterable[str]) -> list[str]:
        """Return the ids of the modules that define a model of one of these names, in their order."""
        marks = [f'.__name__="{name}"' for name in names]
        return [id_ for id_, text in self.modules.items() if any(mark in text for mark in marks)]

    def reach(self, first: Iterable[str]) -> set[str]:
        """Return the ids of these modules and of all that they require within this script."""
        found: set[str] = set()
        todo = [*first]
        while todo:
            if (id_ := todo.pop()) in self.modules and id_ not in found:
                found.add(id_)
                todo += self.required([id_])
        return found

    def required(self, ids: Iterable[str]) -> set[str]:
        """Return the ids, or the names of files of another script, that these modules require: perhaps more, never fewer."""
        names = {name for id_ in ids for name in _REQUIRED.findall(self.modules[id_])}
        if self.entry.startswith('"'):  # so are all ids, and a number is none
            names = {name for name in names if name.startswith('"')}
        return {self.id_of(name) for name in names}

    def id_of(self, name: str) -> str:
        """Return the id of a file of this script by the name that a module requires it by; any other name as it is."""
        path = name.strip('"').removeprefix("@bokehjs/")
        return self.aliases.get(path) or self.aliases.get(f"{path}/index") or name

    def only(self, ids: Set[str]) -> str:
        """Return the script's text with these modules only."""
        if self.bracket == "[":
            modules = "".join(text if id_ in ids else ",\n" for id_, text in self.modules.items())
        else:
            modules = "".join(f"{id_}: {text}" for id_, text in self.modules.items() if id_ in ids)
        aliases = ",".join(f"{json.dumps(name)}:{id_}" for name, id_ in self.aliases.items() if id_ in ids)
        end = "]" if self.bracket == "[" else "}"
        return f"{self.head}({self.bracket}\n{modules}{end}, {self.entry}, {{{aliases}}}, {{}});}});\n"


@functools.cache
def models_url() -> str:
    """Return the address of the script on our own server, relative to its prefix; "" if the files are of a form unknown."""
    files = (
        bokehjs_path() / "js/bokeh.min.js",
        bokehjs_path() / "js/bokeh-widgets.min.js",
        Path(DIST_DIR) / "panel.min.js",
    )
    try:
        return publish(few_models(MODELS, *(file.read_text("utf-8") for file in files)), prefix="bokeh")
    except (OSError, ValueError) as error:
        log.warning("Pages load all models of Bokeh and Panel, because %s.", error)
        return ""


def few_models(models: Set[str], bokeh: str, widgets: str, panel: str) -> str:
    """Return the three scripts as one, with these models and what they require. Raises ValueError if one is of another form."""
    ours, more, core = read(panel, "Panel's script"), read(widgets, "that of Bokeh's widgets"), read(bokeh, "Bokeh's")
    for id_, text in ours.modules.items():
        if _COMPILER.search(text):
            ours.modules[id_] = 'function _(r,m,e){e.transform=()=>{throw new Error("This page compiles nothing.")}},\n'
    kept, asked = _keep(ours, models, set(), ours.entry, "e.Panel=Object.assign({},...f);")
    texts = [ours.only(kept)]
    kept, asked = _keep(more, models, asked, more.entry)
    texts.append(more.only(kept))
    kept, _ = _keep(core, models, asked, core.id_of("models/main"))
    texts.append(core.only(kept | core.reach([core.entry])))
    return "".join(reversed(texts))


def _keep(script: Script, models: Set[str], asked: set[str], entry: str, export: str = "") -> tuple[set[str], set[str]]:
    """Have a script's entry register some models only; return the ids that stay, and all that is required then and before."""
    if entry not in script.modules:
        raise ValueError(f"nothing registers the models of {script.head[:40]!r}")
    own = script.defining(models)
    files = ",".join(f"r({id_})" for id_ in own)
    register = 'r("@bokehjs/base").register_models([...new Set(f.flatMap(Object.values))])'
    script.modules[entry] = f"function _(r,m,e){{const f=[{files}];{export}{register}}},\n"
    kept = script.reach([entry, *own, *map(script.id_of, asked)])
    return kept, asked | script.required(kept)


def read(text: str, what: str) -> Script:
    """Take a script apart. Raises ValueError if it is not as Bokeh's bundler writes it; `what` names it then."""
    begin, end = _BEGIN.search(text), _END.search(text)
    if not begin or not end:
        raise ValueError(f"{what} is not a list of modules")
    body = text[begin.end() : end.start()]
    heads = list(_MODULE[begin[1]].finditer(body))
    ends = [head.start() for head in heads[1:]] + [len(body)]
    ids = [head[1] if begin[1] == "{" else str(number) for number, head in enumerate(heads)]
    modules = {id_: body[head.end() : stop] for id_, head, stop in zip(ids, heads, ends, strict=True)}
    aliases = {name: json.dumps(id_) for name, id_ in json.loads(end[2]).items()}
    if not {end[1], *aliases.values()} <= modules.keys() or not all(one.endswith(",\n") for one in modules.values()):
        raise ValueError(f"{what} has modules that cannot be told apart")
    return Script(text[: begin.start()], begin[1], modules, end[1], aliases)
