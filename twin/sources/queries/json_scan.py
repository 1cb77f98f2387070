"""Reads JSON texts byte by byte, in compiled code: whether each is one object, and whether a name may stand in it twice."""

import numba
import numpy as np

from twin.sources.queries.json_bodies import MOST_DEPTH, MOST_DIGITS

MOST_EXPONENT = 308
"""Decimal exponent of the largest double, 1.797…e308."""
MOST_NAMES = 256
"""Names of objects inside each other that are compared at once; bodies with more are read in Python."""
LARGEST = 17_976_931_348_623_157
"""Its first digits."""

_SPACE, _QUOTE, _COMMA, _MINUS, _PLUS, _POINT, _COLON, _BACKSLASH = (ord(one) for one in ' ",-+.:\\')
_ZERO, _NINE, _OPEN_ARRAY, _CLOSE_ARRAY, _OPEN_OBJECT, _CLOSE_OBJECT = (ord(one) for one in "09[]{}")
_VALUE, _FIRST_VALUE, _NAME, _FIRST_NAME, _AFTER = range(5)
"""What may come next: a value; a value or the array's end; a name; a name or the object's end; a separator or an end."""
_DIGIT = np.array([_ZERO <= byte <= _NINE for byte in range(256)])
_PLAIN = np.array([byte >= 32 and byte != _QUOTE and byte != _BACKSLASH for byte in range(256)])
_ESCAPED = np.array([chr(byte) in '"\\/bfnrt' for byte in range(256)])
"""Bytes of a number; of a string between quotes and escapes; and after a backslash, but for u."""
_TRUE, _FALSE, _NULL = (np.frombuffer(word, np.uint8) for word in (b"true", b"false", b"null"))


@numba.njit(cache=True, nogil=True)
def look_for_repeats(data, bounds, found):  # type: ignore[no-untyped-def]
    names, firsts = np.empty(MOST_NAMES, np.uint64), np.empty(MOST_DEPTH + 1, np.int64)
    for i in range(len(found)):
        found[i] = _may_repeat(data, bounds[i], bounds[i + 1], names, firsts)


@numba.njit(cache=True, nogil=True)
def _may_repeat(data, at, end, names, firsts):  # type: ignore[no-untyped-def]
    """Compare the hashes of names within each open object: `names` has those of all, `firsts` where those of each begin."""
    depth, held = -1, 0
    while at < end:
        c = data[at]
        if c == _OPEN_OBJECT:
            depth += 1
            firsts[depth] = held
        elif c == _CLOSE_OBJECT:
            held = firsts[depth]
            depth -= 1
        elif c == _QUOTE:
            name = np.uint64(14695981039346656037)  # FNV-1a
            escaped = False
            at += 1
            while data[at] != _QUOTE:
                if data[at] == _BACKSLASH:
                    escaped = True
                    at += 1
                name = (name ^ np.uint64(data[at])) * np.uint64(1099511628211)
                at += 1
            behind = _after_space(data, at + 1, end)
            if behind < end and data[behind] == _COLON:
                if escaped or held == MOST_NAMES:
                    return True
                for i in range(firsts[depth], held):
                    if names[i] == name:
                        return True
                names[held] = name
                held += 1
        at += 1
    return False


@numba.njit(cache=True, nogil=True)
def judge(data, bounds, found):  # type: ignore[no-untyped-def]
    for i in range(len(found)):
        found[i] = _is_object(data, bounds[i], bounds[i + 1])


@numba.njit(cache=True, nogil=True)
def _is_object(data, at, end):  # type: ignore[no-untyped-def]
    at = _after_space(data, at, end)
    if at == end or data[at] != _OPEN_OBJECT:
        return False
    at += 1
    depth, objects, state = (
        1,
        np.uint64(1),
        _FIRST_NAME,
    )  # a bit for each open bracket, the innermost last: 1 for an object
    one = np.uint64(1)
    while depth:
        at = _after_space(data, at, end)
        if at == end:
            return False
        c = data[at]
        in_object = objects & one == one
        if c == (_CLOSE_OBJECT if in_object else _CLOSE_ARRAY) and state != _VALUE and state != _NAME:
            at += 1
            depth -= 1
            objects >>= one
            state = _AFTER
        elif state == _AFTER:
            if c != _COMMA:
                return False
            at += 1
            state = _NAME if in_object else _VALUE
        elif state in (_NAME, _FIRST_NAME):
            if c != _QUOTE:
                return False
            at = _after_string(data, at + 1, end)
            if at < 0:
                return False
            at = _after_space(data, at, end)
            if at == end or data[at] != _COLON:
                return False
            at += 1
            state = _VALUE
        elif c in (_OPEN_OBJECT, _OPEN_ARRAY):
            if depth == MOST_DEPTH:
                return False
            at += 1
            depth += 1
            objects = (objects << one) | (one if c == _OPEN_OBJECT else np.uint64(0))
            state = _FIRST_NAME if c == _OPEN_OBJECT else _FIRST_VALUE
        else:
            if c == _QUOTE:
                at = _after_string(data, at + 1, end)
            elif c == _MINUS or _ZERO <= c <= _NINE:
                at = _after_number(data, at, end)
            else:
                at = _after_word(data, at, end)
            if at < 0:
                return False
            state = _AFTER
    return _after_space(data, at, end) == end


@numba.njit(cache=True, nogil=True)
def _after_space(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and data[at] <= _SPACE and (data[at] == _SPACE or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _after_string(data, at, end):  # type: ignore[no-untyped-def]
    """Return where the string that begins before `at` ends, -1 if it is none. Bytes beyond ASCII are UTF-8 already."""
    while True:
        while at < end and _PLAIN[data[at]]:
            at += 1
        if at == end:
            return -1
        if data[at] == _QUOTE:
            return at + 1
        if data[at] != _BACKSLASH or at + 1 == end:
            return -1
        c = data[at + 1]
        at += 2
        if c == 117:  # u
            unit = _unit(data, at, end)
            at += 4
            if 0xD800 <= unit < 0xDC00:  # the first half of a pair
                if at + 2 > end or data[at] != _BACKSLASH or data[at + 1] != 117:
                    return -1
                unit = _unit(data, at + 2, end)
                if not 0xDC00 <= unit < 0xE000:
                    return -1
                at += 6
            elif unit < 0 or 0xDC00 <= unit < 0xE000:
                return -1
        elif not _ESCAPED[c]:
            return -1


@numba.njit(cache=True, nogil=True)
def _unit(data, at, end):  # type: ignore[no-untyped-def]
    """Return the number of four hexadecimal digits, -1 if they are none."""
    if at + 4 > end:
        return -1
    unit = 0
    for i in range(at, at + 4):
        c = int(data[i])
        if _ZERO <= c <= _NINE:
            digit = c - _ZERO
        elif 97 <= (c | 32) <= 102:
            digit = (c | 32) - 87
        else:
            return -1
        unit = unit * 16 + digit
    return unit


@numba.njit(cache=True, nogil=True)
def _after_number(data, at, end):  # type: ignore[no-untyped-def]
    """Return where a number ends, -1 if it is none, or longer or larger than programs read."""
    if data[at] == _MINUS:
        at += 1
    first = at
    at = _after_digits(data, at, end)
    whole = at - first
    if whole == 0 or whole > MOST_DIGITS or (whole > 1 and data[first] == _ZERO):
        return -1
    if at < end and data[at] == _POINT:
        point = at + 1
        at = _after_digits(data, point, end)
        if at == point or at - point > MOST_DIGITS:
            return -1
    if at == end or (data[at] | 32) != 101:  # e
        return at
    last = at
    at += 1
    negative = at < end and data[at] == _MINUS
    if at < end and (data[at] == _MINUS or data[at] == _PLUS):
        at += 1
    digits = at
    at = _after_digits(data, at, end)
    if at == digits or at - digits > 4:
        return -1
    exponent = whole - 1
    power = 0
    for i in range(digits, at):
        power = power * 10 + int(data[i]) - _ZERO
    if negative or exponent + power < MOST_EXPONENT:
        return at
    leading, counted = 0, 0  # the first 17 digits
    for i in range(first, last):
        if data[i] != _POINT and counted < 17:
            leading = leading * 10 + int(data[i]) - _ZERO
            counted += 1
    for _ in range(counted, 17):
        leading *= 10
    return at if exponent + power == MOST_EXPONENT and leading <= LARGEST else -1


@numba.njit(cache=True, nogil=True)
def _after_digits(data, at, end):  # type: ignore[no-untyped-def]
    while at < end and _DIGIT[data[at]]:
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _after_word(data, at, end):  # type: ignore[no-untyped-def]
    """Return where true, false or null ends, -1 if it is none of them."""
    word = _TRUE if data[at] == 116 else _FALSE if data[at] == 102 else _NULL
    if at + len(word) > end:
        return -1
    for i in range(len(word)):
        if data[at + i] != word[i]:
            return -1
    return at + len(word)
