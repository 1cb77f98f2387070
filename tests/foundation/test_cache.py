"""The cache of pictures: bounded in bytes, whatever is put into it."""

import threading
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.cache import ByteCache, Flights

steps = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 40)), max_size=60)


@given(most=st.integers(1, 100), steps=steps)
def test_it_holds_what_a_plain_model_of_least_recently_used_holds(
    most: int, steps: list[tuple[bool, int, int]]
) -> None:
    cache, model = ByteCache(most), OrderedDict[int, bytes]()
    for writes, key, size in steps:
        if writes:
            cache.put(key, b"x" * size)
            model.pop(key, None)
            if size <= most:
                model[key] = b"x" * size
            while sum(map(len, model.values())) > most:
                model.popitem(last=False)
        else:
            assert cache.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
        assert cache.size == sum(map(len, model.values())) <= most


def test_a_value_larger_than_the_cache_does_not_push_out_the_others() -> None:
    cache = ByteCache(10)
    cache.put("small", b"1234")
    cache.put("large", b"x" * 11)
    assert cache.get("small") == b"1234"
    assert cache.get("large") is None


def test_clearing_forgets_everything() -> None:
    cache = ByteCache(10)
    cache.put("key", b"1234")
    cache.clear()
    assert (cache.size, cache.get("key")) == (0, None)


def test_an_error_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    flights: Flights[int] = Flights()
    started, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def fail() -> int:
        started.set()
        go_on.wait()
        raise OSError("no disk")

    def ask() -> None:
        try:
            flights.once("key", fail)
        except OSError as error:
            errors.append(error)

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    started.wait()
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert [str(error) for error in errors] == ["no disk", "no disk"]
    assert flights.once("key", lambda: 7) == 7


@pytest.mark.parametrize("key", ["a", ("b", 1)])
def test_what_is_done_is_made_anew(key: object) -> None:
    flights: Flights[object] = Flights()
    assert flights.once(key, object) is not flights.once(key, object)
