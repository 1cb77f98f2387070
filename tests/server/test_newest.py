"""Questions of one session: the newest is answered, those that it superseded are not."""

import asyncio
import logging

import pytest

from twin.server.newest import Newest


def test_of_many_questions_the_one_under_way_and_the_newest_are_answered() -> None:
    answered: list[int] = []

    async def main() -> None:
        questions, go_on = Newest(), asyncio.Event()

        async def answer(number: int) -> None:
            await go_on.wait()
            answered.append(number)

        asked = [asyncio.ensure_future(questions.ask(lambda n=n: answer(n))) for n in range(600)]  # type: ignore[misc]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*asked)
        await questions.ask(lambda: answer(1000))

    asyncio.run(main())
    assert answered == [0, 599, 1000]


def test_one_that_fails_does_not_keep_the_next_from_being_answered(caplog: pytest.LogCaptureFixture) -> None:
    answered: list[str] = []

    async def main() -> None:
        questions, go_on = Newest(), asyncio.Event()

        async def fail() -> None:
            await go_on.wait()
            raise ValueError("no such layer")

        async def answer() -> None:
            answered.append("next")

        first = asyncio.ensure_future(questions.ask(fail))
        await asyncio.sleep(0)
        await questions.ask(answer)
        go_on.set()
        await first

    with caplog.at_level(logging.ERROR, "twin.server.newest"):
        asyncio.run(main())
    assert answered == ["next"]
    assert "no such layer" in caplog.text
