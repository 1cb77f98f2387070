"""Tab inside of an argument: `t.kitchen("<tab>`, `k.curve("<tab>`, `k.order("<tab>`, in IPython and so in Jupyter.

IPython completes the keys of a mapping by itself (`t["<tab>`), but not what a function takes. A class says it with
`_arguments_of_`.
"""

import re
import sys
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

CALL = re.compile(r"""([A-Za-z_]\w*)\.([A-Za-z_]\w*)\(\s*(?:\w+\s*=\s*)?(["'])([^"']*)$""")
"""A method of a variable with the begin of its first argument, or of one that is named."""


@runtime_checkable
class Completing(Protocol):
    """What says which texts its methods take first."""

    def _arguments_of_(self, method: str) -> list[str]:
        """Return the texts that a method takes as its first argument; empty if any will do."""


def install() -> None:
    """Have IPython complete arguments, if the code runs in it. It may be called again."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    completer = getattr(shell, "Completer", None)
    if completer is not None and arguments not in getattr(completer, "custom_matchers", [arguments]):
        completer.custom_matchers.append(arguments)


def candidates(names: dict[str, Any], text: str) -> tuple[str, list[str]]:
    """Return what is written of the argument at the end of a `text`, and what can be meant by it, with variables `names`."""
    found = CALL.search(text)
    thing = None if found is None else names.get(found[1])
    if found is None or not isinstance(thing, Completing) or isinstance(thing, type):
        return "", []
    begun = found[4].casefold()
    return found[4], [one for one in thing._arguments_of_(found[2]) if one.casefold().startswith(begun)]


def arguments(context: "CompletionContext") -> "SimpleMatcherResult":
    """Return the completions of an argument: a matcher of IPython."""
    from IPython.core.completer import SimpleCompletion  # noqa: PLC0415  # it calls only if it is there

    shell = sys.modules["IPython"].get_ipython()
    begun, found = candidates(shell.user_ns, context.text_until_cursor)
    return {
        "completions": [SimpleCompletion(one, type="argument") for one in found],
        "matched_fragment": begun,
        "suppress": bool(found),
    }


arguments.matcher_api_version = 2  # type: ignore[attr-defined]  # what IPython's `context_matcher` sets
