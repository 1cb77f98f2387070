"""Models that are made and written with less work than Bokeh takes, held against Bokeh's own."""

import json
import re
from typing import Any

import numpy as np
import pytest
from bokeh.core.has_props import HasProps
from bokeh.core.serialization import Serializer
from bokeh.document import Document
from bokeh.model import Model
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, LinearColorMapper, Plot, Range1d, Row, Spacer
from bokeh.plotting import figure

from twin.views.map import drawing
from twin.views.shared.lean import lean_copy, lean_kind


def written(model: Model) -> str:
    """Return what is written of a model, with ids that are numbered."""
    text = json.dumps(Serializer(deferred=False).serialize(model).content)
    for number, made in enumerate(dict.fromkeys(re.findall(r'"id": "(p[0-9]+|[0-9a-f-]{36})"', text))):
        text = text.replace(made, f"#{number}")
    return text


def _scatter() -> figure:
    """A figure with much of what figures have: columns, fields, mappers, tools, a legend, two axes, lists that were changed."""
    made = figure(x_axis_type="datetime", title="Orders", tools="pan,wheel_zoom", x_range=(0, 1))
    source = ColumnDataSource({"x": np.arange(3.0), "y": [1, None, float("nan")], "kind": ["a", "b", "a"]})
    mapper = LinearColorMapper(palette=["red", "blue"], low=0, high=2)
    made.scatter("x", "y", source=source, color={"field": "x", "transform": mapper}, size=9, legend_label="orders")
    made.line([0, 1], [2, 3], line_dash="dashed", alpha=0.5)
    made.extra_y_ranges = {"late": Range1d(0, 9)}
    made.add_tools(HoverTool(tooltips=[("kind", "@kind")], mode="vline"))
    made.tags.append("told")
    made.xaxis.visible = False
    made.x_range.js_on_change("start", CustomJS(args={"source": source}, code="0"))
    return made


def _map() -> figure:
    return drawing.draw()["map"]


@pytest.mark.parametrize("draw", [_scatter, _map, figure, lambda: Row(_scatter(), figure())])
def test_a_copy_is_written_as_what_it_is_copied_from(draw: Any) -> None:
    drawn = draw()
    copies = lean_copy(drawn), lean_copy(lean_copy(drawn))
    for copied in copies:
        assert written(copied) == written(drawn)
        ids = {one.id for one in copied.references()}
        assert len(ids) == len(drawn.references())
        assert not ids & {one.id for one in drawn.references()}
    assert not {one.id for one in copies[0].references()} & {one.id for one in copies[1].references()}


def test_copies_change_without_each_other_and_say_so() -> None:
    one: Any = lean_copy(_scatter())
    other = lean_copy(_scatter())
    before = written(other)
    document, sent = Document(), list[str]()
    document.add_root(one)
    document.on_change(lambda event: sent.append(event.attr))  # type: ignore[attr-defined]
    one.title.text = "Another"
    one.renderers[0].data_source.data = {"x": [1], "y": [2], "kind": ["c"]}
    one.tags.append("more")
    one.x_range.start = 0.5
    assert sent == ["text", "data", "tags", "start"]
    assert written(one) != before == written(other)


def test_a_model_that_begins_with_values_is_written_as_bokehs() -> None:
    values: dict[str, Any] = {"width": 300, "visible": True, "tags": ["one"], "stylesheets": [":host{}"]}
    for kind, more in (
        (Row, {"children": [Spacer(width=1)]}),
        (Plot, {"plot_width": 400, "title": None}),
        (Spacer, {}),
    ):
        given = {name: value for name, value in (values | more).items() if name in kind.properties()}
        assert written(lean_kind(kind)(**given)) == written(kind(**given))


def test_bokeh_looks_at_every_property_and_ours_at_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    look = HasProps.query_properties_with_values
    monkeypatch.setattr(
        HasProps,
        "query_properties_with_values",
        lambda model, *given, **more: looked.append(type(model).__name__) or look(model, *given, **more),
    )
    drawn = _scatter()
    ours = lean_copy(drawn)
    looked.clear()
    written(ours)
    assert looked == []
    written(drawn)
    assert len(looked) > 20
