"""Classes of Bokeh models that every session makes anew, with the work left out that is the same for all of them.

Bokeh makes a container for each property that could have one, compares each value with a default that it computes anew, and looks
through all properties again when it writes a document or looks for the models in it. Here a class finds out its defaults once,
and only what was set is looked at. What is written is the same: tests compare the documents (`tests/views/test_component.py`).
"""

import functools
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from bokeh.core.has_props import HasProps, Local
from bokeh.core.property.descriptors import PropertyDescriptor
from bokeh.model import Model

M = TypeVar("M", bound=Model)


def lean(kind: type[M]) -> type[M]:
    """Have a class make and write its models with less work; returns it."""
    methods = {"__init__": _begin, "properties_with_values": _written, "properties_with_refs": _referring}
    for name, method in methods.items():
        setattr(kind, name, method)
    return kind


@functools.cache
def lean_kind(kind: type[M]) -> type[M]:
    """Return a class whose models take less work and are written as those of `kind`, which stays as it is."""
    names = ("__qualified_model__", "__view_model__", "__view_module__")
    # a `Local` class does not take the place of the other in Bokeh's register
    made = type(kind.__name__, (kind, Local), {name: getattr(kind, name) for name in names})
    return lean(cast(type[M], made))


def lean_copy(model: M) -> M:
    """Return a copy of a model and of all models in it, with ids of their own: a model belongs to one document."""
    copies: dict[str, Model] = {}

    def copied(value: Any) -> Any:
        match value:
            case Model():
                if value.id not in copies:
                    kind: Any = lean_kind(type(value))
                    made: Model = kind.__new__(kind)
                    copies[value.id] = made
                    names = value.properties_with_values(include_defaults=False)
                    _empty(made)
                    for name in names:
                        found, _ = _properties(kind)[name]
                        found._set_value(made, found.property.wrap(copied(_held(value, name))))
                return copies[value.id]
            case list() | tuple():
                return [copied(one) for one in value] if isinstance(value, list) else tuple(map(copied, value))
            case dict():
                return {key: copied(one) for key, one in value.items()}
            case _ if is_dataclass(value) and not isinstance(value, type):  # a field with the model that maps it
                return replace(value, **{one.name: copied(getattr(value, one.name)) for one in fields(value)})
            case _:
                return value

    return cast(M, copied(model))


@functools.cache
def _properties(kind: type[Model]) -> dict[str, tuple[PropertyDescriptor[Any], Any]]:
    """Return the descriptor and the default of each property, without aliases; the defaults are to be compared with only."""
    found = {name: kind.lookup(name) for name in kind.properties(_with_props=True)}
    return {name: (one, one.class_default(kind)) for name, one in found.items() if isinstance(one, PropertyDescriptor)}


@functools.cache
def _with_models(kind: type[Model]) -> tuple[str, ...]:
    """Return the properties whose default is a model, which every model has of its own."""
    return tuple(name for name, (_, default) in _properties(kind).items() if isinstance(default, Model))


@functools.cache
def _with_references(kind: type[Model]) -> tuple[str, ...]:
    return tuple(name for name, (found, _) in _properties(kind).items() if found.has_ref)


def _held(model: Model, name: str) -> Any:
    """Return a value that is written, as the model holds it."""
    return model._property_values[name] if name in model._property_values else model._unstable_default_values[name]


def _is_held(model: Model, name: str) -> bool:
    return name in model._property_values or isinstance(model._unstable_default_values.get(name), Model)


def _empty(model: Model) -> None:
    super(HasProps, model).__init__()
    model._property_values, model._unstable_default_values, model._unstable_themed_values = {}, {}, {}
    model._initialized = True


def _begin(model: Model, **values: Any) -> None:
    _empty(model)
    known = _properties(type(model))
    for name, value in values.items():
        if name not in known:
            setattr(model, name, value)
            continue
        descriptor, default = known[name]
        prepared = descriptor.property.prepare_value(model, name, value)
        if not descriptor.property.matches(prepared, default):
            descriptor._set_value(model, prepared)
    for name in _with_models(type(model)):
        if name not in values:
            known[name][0]._get(model)


def _written(model: Model, *, include_defaults: bool = True, include_undefined: bool = False) -> dict[str, Any]:
    if include_defaults or include_undefined or model.themed_values() is not None:
        return HasProps.properties_with_values(
            model, include_defaults=include_defaults, include_undefined=include_undefined
        )
    return {
        name: found.get_value(model)
        for name, (found, _) in _properties(type(model)).items()
        if _is_held(model, name) and found.serialized
    }


def _referring(model: Model) -> Iterable[str]:
    """Return the properties in which Bokeh looks for other models."""
    return [name for name in _with_references(type(model)) if _is_held(model, name)]
