"""Classes of Bokeh models that a session makes many of, with the work left out that is the same for every one of them.

Bokeh makes a container for each property that could have one, compares each value with a default that it computes anew, and looks
through all properties again when it writes a document or looks for the models in it. Here a class finds out its defaults once,
and only what was set is looked at. What is written is the same: `tests/views/test_component.py` compares the documents.
"""

import functools
from typing import Any, TypeVar

from bokeh.core.has_props import HasProps
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.model import Model

M = TypeVar("M", bound=type[Model])


def lean(kind: M) -> M:
    """Have a class make and write its models with less work; returns it. No default of its properties may be a model."""
    for name, method in (
        ("__init__", _begin), ("properties_with_values", _written), ("properties_with_refs", _referring),
    ):  # fmt: skip
        setattr(kind, name, method)
    return kind


@functools.cache
def _properties(kind: type[Model]) -> dict[str, tuple[PropertyDescriptor[Any], Any]]:
    """Return the descriptor and the default of each property; the defaults are to be compared with only."""
    found = {name: kind.lookup(name) for name in kind.properties(_with_props=True)}
    return {name: (descriptor, descriptor.class_default(kind)) for name, descriptor in found.items()}


def _begin(model: Model, **values: Any) -> None:
    super(HasProps, model).__init__()
    model._property_values, model._unstable_default_values, model._unstable_themed_values = {}, {}, {}
    known = _properties(type(model))
    for name, value in values.items():
        descriptor, default = known[name]
        prepared = descriptor.property.prepare_value(model, name, value)
        if not descriptor.property.matches(prepared, default):
            descriptor._set_value(model, prepared)
    model._initialized = True


def _written(model: Model, *, include_defaults: bool = True, include_undefined: bool = False) -> dict[str, Any]:
    if include_defaults or include_undefined or model.themed_values() is not None:
        return HasProps.properties_with_values(
            model, include_defaults=include_defaults, include_undefined=include_undefined
        )
    held = model._property_values
    return {
        name: held[name] for name, (found, _) in _properties(type(model)).items() if name in held and found.serialized
    }


def _referring(model: Model) -> list[str]:
    """Return the properties in which Bokeh looks for other models."""
    return [name for name in _with_refs(type(model)) if name in model._property_values]


@functools.cache
def _with_refs(kind: type[Model]) -> list[str]:
    return [name for name, (found, _) in _properties(kind).items() if found.has_ref]
