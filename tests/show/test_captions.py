"""A tour's caption tells a trouble when it was known, with the figures of then, and nothing before."""

from dataclasses import replace
from pathlib import Path

import pytest

import twin
from twin.notebook.door import Twin
from twin.show.captions import Caption, captions_as_known
from twin.show.deriving import derive
from twin.show.options import Options
from twin.show.scene import Scene


@pytest.fixture(scope="module")
def source(demo: Path) -> Twin:
    return twin.open(demo)


@pytest.fixture(scope="module")
def trouble(source: Twin) -> Scene:
    """A scene of a shortage that begins before it."""
    found = derive(source, Options(locations=("ChIJARA-WRHDQIYR_dt-PARrtas",), scene_s=80)).scenes
    scene = next(scene for scene in found if "short" in scene.headline)
    return replace(scene, t=scene.t - 2400, duration=scene.duration + 40)


def test_a_caption_says_what_was_known_at_its_time(source: Twin, trouble: Scene) -> None:
    timeline = source.timeline(trouble.location, trouble.start, trouble.end)
    captions = captions_as_known(source, timeline, trouble)
    times = [t for t, _ in captions]
    assert times == sorted(times)
    assert times[0] == trouble.t
    assert times[-1] <= trouble.at(trouble.duration)
    sentence, told, said = "", {}, set()
    for t, one in captions[1:]:
        moments = source.troubles_at(timeline, t).moments
        if moments:
            going_on = "So far " if moments[0].end >= t else ""
            sentence = f"{going_on}{moments[0].why}" if moments[0].why else moments[0].sentence
            began = (timeline.orders.began >= moments[0].start) & (timeline.orders.began < moments[0].end)
            late = source.ledger(timeline).account(began & (timeline.orders.delivered <= t))
            assert moments[0].why == (late.sentence if late.late else ""), "as the tab Why late? says it"
            said.add(bool(late.late))
        assert one.detail == sentence
        assert one.headline.startswith(trouble.name + ", ")
        assert ("short" in one.headline) == one.trouble == bool(sentence)
        assert one.until is None or one.until < t
        told[bool(sentence)] = one.headline
    assert captions[0][1] == Caption("Houston Westheimer, Friday")  # it has not begun
    assert told[True] == trouble.headline
    assert said == {False, True}, "first nothing was delivered, then late"
    assert trouble.detail not in [one.detail for _, one in captions]


def test_a_caption_that_somebody_wrote_stays(source: Twin, trouble: Scene) -> None:
    timeline = source.timeline(trouble.location, trouble.start, trouble.end)
    written = Scene(trouble.location, "Home", trouble.start, trouble.end, trouble.t, 60.0, 30.0, "Come and see", "Us")
    assert captions_as_known(source, timeline, written) == []
