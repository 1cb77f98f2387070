"""The cache of pictures: bounded in bytes, whatever is put into it."""

import gc
import threading
import time
import weakref
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.foundation.cache import Budget, ByteCache, Owner, SingleFlight, one_each
from twin.foundation.errors import CancelledError
from twin.foundation.progress import Task

steps = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 40)), max_size=60)


@given(most=st.integers(1, 100), steps=steps)
def test_it_holds_what_a_plain_model_of_least_recently_used_holds(
    most: int, steps: list[tuple[bool, int, int]]
) -> None:
    cache, model = ByteCache[bytes](most), OrderedDict[int, bytes]()
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
    cache = ByteCache[bytes](10)
    cache.put("small", b"1234")
    cache.put("large", b"x" * 11)
    assert cache.get("small") == b"1234"
    assert cache.get("large") is None


def test_clearing_forgets_everything() -> None:
    cache = ByteCache[bytes](10)
    cache.put("key", b"1234")
    cache.clear()
    assert (cache.size, cache.get("key")) == (0, None)


def test_who_waits_and_gives_up_is_gone_at_once() -> None:
    """Else a person who changes again and again between two kitchens leaves a thread behind each time."""
    flights: SingleFlight[int] = SingleFlight()
    started, go_on = threading.Event(), threading.Event()
    task = Task()
    got: list[int | type[BaseException]] = []

    def make() -> int:
        started.set()
        assert go_on.wait(60)
        return 7

    def wait() -> None:
        with task.as_current():
            try:
                got.append(flights.run("key", lambda: 8))
            except CancelledError:
                got.append(CancelledError)

    makes = threading.Thread(target=lambda: got.append(flights.run("key", make)))
    waits = threading.Thread(target=wait)
    makes.start()
    assert started.wait(20)
    waits.start()
    task.cancel()
    waits.join(20)
    try:
        assert got == [CancelledError]
        assert makes.is_alive(), "it goes on for the others"
    finally:
        go_on.set()
        makes.join(20)
    assert got == [CancelledError, 7]


def test_an_error_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    flights: SingleFlight[int] = SingleFlight()
    started, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def fail() -> int:
        started.set()
        go_on.wait()
        raise OSError("no disk")

    def ask() -> None:
        try:
            flights.run("key", fail)
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
    assert flights.run("key", lambda: 7) == 7


@pytest.mark.parametrize("key", ["a", ("b", 1)])
def test_what_is_done_is_made_anew(key: object) -> None:
    flights: SingleFlight[object] = SingleFlight()
    assert flights.run(key, object) is not flights.run(key, object)


def test_only_one_of_many_makes_what_all_want_and_nothing_is_left_behind() -> None:
    flights: SingleFlight[object] = SingleFlight()
    made: list[object] = []
    inside, waiting = threading.Event(), threading.Barrier(9)

    def make() -> object:
        inside.set()
        time.sleep(0.1)
        made.append(object())
        return made[-1]

    def ask() -> None:
        waiting.wait()
        got.append(flights.run("key", make))

    got: list[object] = []
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    waiting.wait()
    inside.wait()
    assert len(flights) == 1
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(got) == 8
    assert set(map(id, got)) == {id(made[0])}
    assert len(flights) == 0


def test_who_gives_up_does_so_for_himself_alone() -> None:
    """The user whose click began a loading goes away; the others who wait for the same kitchen still get it."""
    flights: SingleFlight[int] = SingleFlight()
    started, go_on = threading.Event(), threading.Event()
    got: list[object] = []

    def give_up() -> int:
        started.set()
        go_on.wait()
        raise CancelledError("Nobody waits for this any more.")

    def lead() -> None:
        try:
            flights.run("key", give_up)
        except CancelledError as error:
            got.append(error)

    first, second = (
        threading.Thread(target=lead),
        threading.Thread(target=lambda: got.append(flights.run("key", lambda: 7))),
    )
    first.start()
    started.wait()
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert {type(one) for one in got} == {CancelledError, int}
    assert len(flights) == 0


def test_a_cache_loads_once_and_tries_again_after_a_failure() -> None:
    cache = ByteCache[bytes](10)
    tries: list[int] = []

    def make() -> bytes:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no disk")
        return b"1234"

    with pytest.raises(OSError, match="no disk"):
        cache.load("key", make)
    assert cache.load("key", make) == cache.load("key", make) == b"1234"
    assert len(tries) == 2


def test_a_cache_may_be_bounded_by_number() -> None:
    cache = ByteCache[str](2, one_each)
    for key in ("a", "b", "c"):
        cache.put(key, key)
    assert ("a" in cache, "b" in cache, "c" in cache, len(cache)) == (False, True, True, 2)


def test_what_is_derived_of_an_object_is_made_once_and_goes_with_it() -> None:
    class Index:
        def __init__(self, of: "Owned") -> None:
            self.of = of.name

    class Owned(Owner):
        def __init__(self, name: str) -> None:
            self.name = name

    one, other = Owned("one"), Owned("other")
    assert one.cached(Index) is one.cached(Index)
    assert (one.cached(Index).of, other.cached(Index).of) == ("one", "other")
    gone = weakref.ref(one.cached(Index))
    del one
    gc.collect()
    assert gone() is None


uses = st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 4), st.integers(0, 40)), max_size=60)


@given(most=st.integers(1, 100), uses=uses)
def test_caches_that_share_a_budget_hold_what_one_model_of_all_uses_holds(
    most: int, uses: list[tuple[bool, int, int, int]]
) -> None:
    """Whatever was used least recently goes, whichever cache has it, but never what was used last."""
    budget = Budget(lambda: most)
    caches, model = [ByteCache[bytes](60, budget=budget) for _ in range(3)], OrderedDict[tuple[int, int], bytes]()
    for writes, number, key, size in uses:
        if writes:
            caches[number].put(key, b"x" * size)
            model.pop((number, key), None)
            model[number, key] = b"x" * size
            own = [one for one in model if one[0] == number]
            while sum(len(model[one]) for one in own) > 60:
                del model[own.pop(0)]
            while sum(map(len, model.values())) > most and len(model) > 1:
                model.popitem(last=False)
        else:
            assert caches[number].get(key) == model.get((number, key))
            if (number, key) in model:
                model.move_to_end((number, key))
        assert [len(cache) for cache in caches] == [sum(one == number for one, _ in model) for number in range(3)]
        assert budget.size == sum(map(len, model.values()))


def test_a_cache_that_is_gone_leaves_its_share_to_the_others() -> None:
    budget = Budget(lambda: 10)
    gone, stays = ByteCache[bytes](10, budget=budget), ByteCache[bytes](10, budget=budget)
    gone.put("a", b"x" * 8)
    stays.put("b", b"x" * 2)
    del gone
    gc.collect()
    stays.put("c", b"x" * 8)
    assert (budget.size, "b" in stays) == (10, True)


def test_threads_that_fill_caches_of_one_budget_stay_within_it() -> None:
    budget = Budget(lambda: 1000)
    caches = [ByteCache[bytes](1000, budget=budget) for _ in range(4)]

    def fill(number: int) -> None:
        for turn in range(500):
            caches[(number + turn) % 4].put(turn % 37, b"x" * (turn % 90))
            caches[turn % 4].get(number)

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.size == sum(cache.size for cache in caches) <= 1000
    for cache in caches:
        cache.clear()
    assert budget.size == 0
