"""What must hold between the numbers of one moment: each relation is a function from a `Scene` to the faults that it finds.

A relation yields `None` for each pair that it has compared and found in order, a sentence for each fault: one that compares
nothing over all scenes is a fault itself. To add one, write a function with `@relation`.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.integration.shown import Scene
from twin.analysis.metrics import SERIES_STEP, TRAILING, metrics_of
from twin.analysis.wording import minutes_text, whole_minutes
from twin.foundation.stages import COMPLETED, OUT_FOR_DELIVERY, READY, STAGES, STATES
from twin.foundation.times import DAY
from twin.foundation.windows import WINDOWS

Faults = Iterator[str | None]
Relation = Callable[[Scene], Faults]

RELATIONS: dict[str, Relation] = {}
OPEN = STAGES[:COMPLETED]
WHOLE_STRETCH = ("outage", "demand_spike")
"""Kinds of moments whose sentence names their length."""


def relation(check: Relation) -> Relation:
    """Add a function to the relations."""
    RELATIONS[check.__name__] = check
    return check


def same(what: str, *values: Any) -> str | None:
    """Return a fault unless all values are equal, to a thousandth."""
    first = values[0]
    for value in values[1:]:
        near = isinstance(first, int | float) and isinstance(value, int | float)
        if not (math.isclose(first, value, abs_tol=2e-3) if near else first == value):
            return f"{what}: {values}"
    return None


def at_most(what: str, part: float, whole: float) -> str | None:
    """Return a fault unless the part is at most the whole."""
    return None if part <= whole + 1e-6 else f"{what}: {part} of {whole}"


def seconds_of(text: str) -> float | None:
    """Return the seconds of the first duration in a text as the page writes it; None without one."""
    found = re.search(r"(\d+) h (\d\d)|(\d+) min (\d+) s|(\d+) min|(\d+) s", text)
    if found is None:
        return None
    factors = (3600, 60, 60, 1, 60, 1)
    return float(sum(int(n) * factor for n, factor in zip(found.groups(), factors, strict=True) if n))


@relation
def a_stage_has_one_number(scene: Scene) -> Faults:
    """Pipeline, tiles, lists, tabs, cards, timeline and API count the same orders in every state."""
    counts = scene.timeline.counts(scene.t)
    api = scene.status.orders_by_stage.model_dump()
    for state in STATES:
        numbers = {"timeline": counts[state], "its list": scene.lists[state][0]}
        if state in STAGES:
            numbers |= {"pipeline": scene.stages[state]["count"], "API": api[state]}
            if scene.stages[state]["told"]:
                numbers["tile"] = scene.value("pipeline", f"stage-{state}-count")
        else:
            numbers |= {"pipeline": scene.stages["completed"][state], "API": getattr(scene.status, state)}
            numbers["tile"] = scene.value("pipeline", f"stage-{state}")
        chip = scene.figure("orders", f"orders-filter-{state}")
        if chip is not None:
            numbers["chip"] = int(re.sub(r"\D", "", chip.text) or 0)
        yield same(f"orders in {state} by {', '.join(numbers)}", *numbers.values())
        yield at_most(f"listed in {state}", scene.lists[state][1], counts[state])


@relation
def the_open_orders_add_up(scene: Scene) -> Faults:
    """Active orders are those of the four stages; kitchen and road are its parts."""
    stages = scene.stages
    told = [stages[key]["count"] for key in OPEN if stages[key]["told"]]
    total = sum(told)
    if not told:
        return
    yield same("active orders", total, scene.value("kpis", "kpi-active-value"))
    yield same("all open orders", sum(stages[key]["count"] for key in OPEN), len(scene.status.active_orders))
    kitchen, road = scene.value("kpis", "kpi-active-kitchen"), scene.value("kpis", "kpi-active-road")
    if kitchen is not None and road is not None:
        yield same("kitchen and road", kitchen + road, total)
        yield same("on the road", road, stages["out_for_delivery"]["count"])
    for key in OPEN:
        bar = scene.value("kpis", f"kpi-active-{key}")
        yield same(f"the bar of {key}", bar, stages[key]["count"])
    every = scene.figure("orders", "orders-filter-all")
    assert every is not None
    yield same("all in the list", int(re.sub(r"\D", "", every.text) or 0), sum(stages[key]["count"] for key in OPEN))


@relation
def drivers_are_orders_on_the_road(scene: Scene) -> Faults:
    """There are no more drivers than orders out for delivery, in the API as on the map."""
    on_road = scene.stages[STAGES[OUT_FOR_DELIVERY]]["count"]
    drivers = scene.timeline.at(scene.t).drivers
    yield same("drivers", len(drivers), len(scene.status.drivers))
    yield at_most("drivers of the orders on the road", len(drivers), on_road)


@relation
def the_oldest_is_the_oldest(scene: Scene) -> Faults:
    """0 <= mean age <= oldest, for the numbers and for the words; the list's first is the oldest."""
    api = {one.stage: one for one in scene.status.stages}
    for key in OPEN:
        figures = scene.stages[key]
        age, oldest = figures["age"], figures["oldest"]
        if age is None:
            yield same(f"nobody in {key}", figures["count"], 0)
            continue
        yield at_most(f"mean age in {key} of the oldest", age, oldest)
        yield at_most(f"age in {key} from 0 on", 0, age)
        yield same(f"oldest of the list of {key}", oldest, scene.t - min(scene.lists[key][2]))
        yield same(f"mean age in {key} by the API", age / 60, api[key].avg_age_min)
        yield same(f"oldest in {key} by the API", oldest / 60, api[key].oldest_min)


@relation
def the_last_hour_is_the_same_everywhere(scene: Scene) -> Faults:
    """Averages, flows, deliveries and orders of the last 60 minutes: pipeline, trends, cards and API."""
    api = {one.stage: one for one in scene.status.stages}
    for number, key in enumerate(OPEN):
        figures, (trend, served, usual) = scene.stages[key], scene.trends[number]
        service = figures["service"]
        yield same(f"{key}: orders that left", figures["served"], served, api[key].served)
        yield same(f"{key}: flow", figures["flow"], api[key].entered)
        yield same(f"{key}: average by the API", service and service / 60, api[key].service_time_min)
        for name, seconds, minutes in (("average", service, trend), ("usual", figures["usual"], usual)):
            if seconds is None or minutes is None:
                yield same(f"{key}: no {name}", seconds, minutes)
                continue
            yield same(f"{key}: {name} in words", minutes_text(seconds), minutes_text(60 * minutes))
    delivery = scene.kpis["delivery"]
    every = delivery["count"] + delivery["long"] + delivery["undated"]
    if scene.stages["completed"]["told"]:
        yield same("deliveries of the hour", scene.stages["completed"]["flow"], every)
    mean = delivery["mean"]
    yield same("delivery time by the API", mean and mean / 60, scene.status.avg_delivery_time_min)
    yield same("orders of the hour by the API", scene.kpis["orders"]["now"], scene.status.throughput_per_hour)


@relation
def a_part_is_at_most_its_whole(scene: Scene) -> Faults:
    """Late, steps and due orders are parts; today holds the last hour."""
    delivery, completed = scene.kpis["delivery"], scene.stages["completed"]
    yield at_most("late of the deliveries", delivery["over"], delivery["count"])
    yield same("the bars of delivery times", sum(delivery["bins"]), delivery["count"])
    if scene.t - scene.timeline.tz.midnight(scene.t) >= TRAILING:
        yield at_most("delivered in the hour, of today", completed["flow"], completed["count"])
        revenue = scene.kpis["revenue"]
        if revenue["hour"] is not None:
            yield at_most("revenue of the hour, of today", revenue["hour"], revenue["today"])
    ordered = [delivery[name] for name in ("p75", "p95") if delivery[name] is not None]
    yield None if ordered == sorted(ordered) else f"percentiles fall: {ordered}"


@relation
def what_was_closed_adds_up(scene: Scene) -> Faults:
    """Completed, cancelled and stalled are all that was closed today; the orders due are what became of them."""
    if scene.stages["completed"]["told"]:
        closed = [
            scene.value("pipeline", name) for name in ("stage-completed-count", "stage-cancelled", "stage-stalled")
        ]
        yield same("closed today", sum(n or 0 for n in closed), scene.value("pipeline", "stage-completed-closed"))
    due = scene.kpis["completion"]
    yield at_most("delivered and cancelled of those due", due["delivered"] + due["cancelled"], due["due"])
    if due["share"] is not None:
        yield same("completion", due["share"], due["delivered"] / due["due"])
        yield same("completion by the API", 100 * due["share"], scene.status.completion_rate_pct)


@relation
def the_range_s_orders_are_the_closed_and_the_active(scene: Scene) -> Faults:
    """Created in a range of this day, and those from before it: all that were closed today, and all that are active."""
    so_far = {part["key"]: part["text"] for part in scene.sent["transport"]["so_far"]["parts"]}
    tz, stages = scene.timeline.tz, scene.stages
    if tz.midnight(scene.t) > scene.timeline.window.start:
        yield None if "earlier" not in so_far else f"a part of what was closed on other days: {so_far['earlier']!r}"
        return
    numbers = [int(re.sub(r"\D", "", so_far.get(key, "0"))) for key in ("orders", "earlier")]
    counts = [stages[key]["count"] for key in STAGES] + [stages["completed"][name] for name in ("cancelled", "stalled")]
    yield same("created, from before", sum(numbers), sum(counts))


@relation
def no_part_is_over_a_hundred_percent(scene: Scene) -> Faults:
    """A share of late minutes, delivered, completed ... is at most all of it, in every sentence and figure."""
    listed = list(scene.sent["moments"]["moments"] or [])
    listed += [one for block in scene.sent["alert"]["known"] for _, troubles, _ in block["changes"] for one in troubles]
    for text in [one[name] for one in listed for name in ("sentence", "why")] + [scene.text("kpis", "kpi-completion")]:
        shares = [float(share) for share in re.findall(r"([\d.]+) % (?!vs)", text)]
        for share in shares:
            yield at_most(f"share in {text!r}", share, 100)


@relation
def a_number_has_its_noun(scene: Scene) -> Faults:
    """What was read as a count of something else: minutes say so, drivers are named, and what is due is a part of a whole."""
    worded = {
        ("kpis", "kpi-delivery-time-over"): r"\d+ min over|\d h \d\d over",
        ("kpis", "kpi-delivery-time-target"): r"target \d+ min|none delivered in the hour|not in the data",
        ("kpis", "kpi-delivery-time-usual"): r"· usual \d+ min",
        ("kpis", "kpi-completion-due"): r"of [\d,]+",
        ("pipeline", "drivers-gap"): r"drivers (?:[\d,]+/h behind|catch up [\d,]+/h|keep up)",
        ("pipeline", "drivers-road"): r"[\d,]+ drivers?",
        ("pipeline", "drivers-waiting"): r"[\d,]+ drivers? at kitchen",
    }
    for (view, name), pattern in worded.items():
        text = scene.text(view, name)
        if text:
            yield None if re.fullmatch(pattern, text) else f"{name} reads {text!r}"


@relation
def every_figure_says_its_window(scene: Scene) -> Faults:
    """Each number of a tile or card has one window of the vocabulary, and the words beside it or its title say it."""
    for view in ("pipeline", "kpis"):
        for one in scene.figures[view]:
            if one.value is None or one.id.endswith(("-left-out", "-target")) or "-bin-" in one.id:
                continue
            yield None if one.window in WINDOWS else f"{one.id} {one.text!r} has no window: {one.window!r}"
    for stage in OPEN:
        tile = scene.text("pipeline", f"stage-{stage}")
        for name, word in (("age", "now"), ("service", "last 60 min")):
            text = scene.text("pipeline", f"stage-{stage}-{name}")
            yield None if not text or word in text else f"{name} of {stage} does not say {word!r}: {tile!r}"
    for card, word in (
        ("orders-hour", "last 60 min"),
        ("delivery-time", "last 60 min"),
        ("active", "now"),
        ("revenue", "last 60 min"),
    ):
        text = scene.text("kpis", f"kpi-{card}")
        yield None if word in text or "left out" in text else f"the card {card} does not say {word!r}: {text!r}"
    due = scene.figure("kpis", "kpi-completion-value")
    assert due is not None
    yield None if due.title.startswith("Since ") else f"completion does not say since when: {due.title!r}"


@relation
def durations_are_written_in_one_way(scene: Scene) -> Faults:
    """Whole minutes, seconds below one, hours with two digits: no tenths, by no panel."""
    for view, figures in scene.figures.items():
        for one in figures:
            for text in (one.text, one.title):
                odd = re.search(r"\d\.\d+ min\b|\bmin ago\b.*\d\.\d|\b\d+ h \d(?!\d)|\b(6\d|[7-9]\d) s\b", text)
                if odd and not (view == "transport" and "on average" in text):
                    yield f"{view} {one.id} writes {odd.group()!r}"
                    continue
            yield None


@relation
def the_words_are_the_numbers(scene: Scene) -> Faults:
    """What a tile or card writes is its number, rounded as every number is."""
    for view in ("pipeline", "kpis"):
        for one in scene.figures[view]:
            timed = re.search(r"-(service|usual|oldest|age)$", one.id) or one.id == "kpi-delivery-time-value"
            if one.value is None or not timed or one.hidden or one.id.startswith("kpi-orders"):
                continue
            if not one.text or not seconds_of(one.text):
                continue
            yield None if minutes_text(one.value) in one.text else f"{one.id}: {one.text!r} for {one.value} s"


@relation
def one_order_has_one_story(scene: Scene) -> Faults:
    """The selected order: its stage, its times in list and panel, and its stages that add up to its whole."""
    story = scene.sent["order"]["story"]
    if not story or "stages" not in story:
        return
    now = scene.t
    spans = {span["key"]: span for span in story["stages"]}
    state = scene.text("order", "order-state").replace("Delivered", "Completed")
    taking = {}
    for key, span in spans.items():
        lane = scene.text("order", f"lane-{key}")
        end = span["end"] if span["end"] is not None and span["end"] <= now else None
        if span["start"] > now:
            continue
        shown = seconds_of(lane)
        assert shown is not None, lane
        taking[key] = shown
        yield same(
            f"{key} in its lane", shown, float(math.floor(now if end is None else end) - math.floor(span["start"]))
        )
        open_now = end is None
        usual = scene.stages[key]["usual"]
        if open_now and usual is not None and state:
            yield None if f"usual {minutes_text(usual)}" in lane else f"usual in {key}: {lane!r}, pipeline {usual} s"
    if story["delivered"] is not None and story["delivered"] <= now and story["created"] == story["first"]:
        whole = seconds_of(scene.text("order", "fact-delivery-time"))
        if not story["stalls"] and story["cancelled"] is None:
            yield same("the stages of an order and its whole", sum(taking.values()), whole)
    for words in (scene.text("order", "order-event"), *(event["detail"] for event in story["events"])):
        yield f"a wait beside the stage's: {words!r}" if "waited" in words.lower() else None


@relation
def moments_are_told_in_one_way(scene: Scene) -> Faults:
    """List, tab, timeline and alert have the same moments; a stretch is as long as its two clocks say."""
    listed = scene.sent["moments"]["moments"] or []
    yield same("moments of the timeline", len(scene.sent["transport"]["moments"]), len(listed))
    troubles = [one for one in listed if one["trouble"]]
    yield same("troubles of the alert", scene.sent["alert"]["moments"], troubles)
    shown = [one for one in scene.figures.get("moments", ()) if one.id == "moment"]
    yield same("moments in the list", len(shown), len(listed))
    tz = scene.timeline.tz
    for one, drawn in zip(listed, shown, strict=True):
        stretch = 60 * (math.floor(one["end"] / 60) - math.floor(one["start"] / 60))
        if "so far" in drawn.text:  # as it was known at the playhead
            yield from _lasting(scene, drawn.text)
            continue
        yield _as_long_as_its_clocks(drawn.text) if stretch < DAY else None
        sentence = re.search(r"\b(?:in|for) (\d+) min\b", one["sentence"]) if one["kind"] in WHOLE_STRETCH else None
        if sentence is not None:
            yield same(f"minutes of {one['when']} in its sentence", 60 * int(sentence[1]), stretch)
        clock = f"{tz.clock(one['start'])}–"
        yield None if clock in one["when"] else f"{one['when']} does not begin at {clock}"


@relation
def a_sentence_and_the_page_have_one_usual(scene: Scene) -> Faults:
    """A moment's usual is what the pipeline and the delivery card show when it is worst; what was known, what they show then."""
    listed = [(one, one["at"]) for one in scene.sent["moments"]["moments"] or []]
    changes = [change for block in scene.sent["alert"]["known"] for change in block["changes"]]
    for one, t in listed + [(trouble, look) for look, troubles, _ in changes for trouble in troubles]:
        told = re.search(r"against (\d+) min usually", one["sentence"].partition("delivery time")[0])
        usual = scene.baseline.stage_time(one["stage"], t)
        if told is not None and usual is not None and not one["sentence"].startswith(("Packing", "So far packing")):
            yield same(f"usual of {one['when']} {one['sentence']!r}", 60 * int(told[1]), 60 * whole_minutes(usual))
        told = re.search(r"(?:delivery time|delivered took) \d+ min against (\d+) min usually", one["sentence"])
        usual = scene.baseline.delivery_time(t // SERIES_STEP * SERIES_STEP)
        if told is not None and usual is not None:
            yield same(f"usual of {one['when']} {one['sentence']!r}", 60 * int(told[1]), 60 * whole_minutes(usual))


_STILL = {
    "not started yet": "created",
    "still cooking": "cooking",
    "still being packed": "ready",
    "still waiting": "ready",
    "still on the road": "out_for_delivery",
}


@relation
def a_sentence_says_who_is_still_in_it(scene: Scene) -> Faults:
    """Of the orders that a sentence averages, those that go on are in the stage then, and no more than all with the delivered."""
    for block in scene.sent["alert"]["known"]:
        for look, troubles, _ in block["changes"]:
            for one in troubles:
                sentence = one["sentence"]
                still = re.search(r"(all|\d+) of them (not started yet|still [a-z ]+)", sentence)
                if still is None:
                    yield None if "still" not in sentence else f"still of how many: {sentence!r}"
                    continue
                named = re.search(r"for (\d+) order", sentence) or re.search(r"(\d+)", sentence)
                assert named is not None
                of = int(named[1])
                going_on = of if still[1] == "all" else int(still[1])
                delivered = re.search(r"of the (\d+) delivered", sentence)
                yield at_most(f"still in it of {sentence!r}", going_on + int(delivered[1] if delivered else 0), of)
                yield at_most(
                    f"now there by {sentence!r}", going_on, scene.timeline.counts(look)[_STILL[still[2].strip()]]
                )


@relation
def the_alert_is_of_this_moment(scene: Scene) -> Faults:
    """What it says of now is the pipeline's; it has lasted as long as its clock and the page's say."""
    alert = scene.text("alert", "alert-status")
    yield from _lasting(scene, alert)
    began = re.compile(r"since (\w+ \d\d:\d\d) · .*? so far", re.IGNORECASE)
    mine = began.search(alert)
    titles = {trouble["title"] for trouble in _going_on(scene) if trouble["title"] in alert}
    items = [one.text for one in scene.figures.get("moments", ()) if one.id == "moment"]
    listed = {found[1] for one in items if any(title in one for title in titles) and (found := began.search(one))}
    if mine is not None and listed:
        yield None if mine[1] in listed else f"the alert begins at {mine[1]}, the list at {listed}"
    now = re.search(r"Now ([\d,]+) (meal|order)s? (waiting to be started|cooking|waiting|on the road)", alert)
    stages = {
        "waiting to be started": "created",
        "cooking": "cooking",
        "waiting": "ready",
        "on the road": "out_for_delivery",
    }
    if now is not None:
        told = int(now[1].replace(",", ""))
        yield same("the alert's orders now", told, scene.stages[stages[now[3]]]["count"])


def _as_long_as_its_clocks(text: str) -> str | None:
    """Return a fault unless "Thu 18:10–18:40 · 30 min" is as long as its two clocks say, whoever knew when it was over."""
    told = re.search(r"(\d\d):(\d\d)–(?:[^:]* )?(\d\d):(\d\d) · (\d+ h \d\d|\d+ min|\d+ s)", text)
    if told is None:
        return f"no stretch in {text!r}"
    begin, end = (60 * int(told[i]) + int(told[i + 1]) for i in (1, 3))
    return same(f"the stretch of {text!r}", told[5], minutes_text(60 * ((end - begin) % 1440)))


def _going_on(scene: Scene) -> list[dict[str, Any]]:
    """Return what was known to go on at the last look before the scene."""
    changes = [change for block in scene.sent["alert"]["known"] for change in block["changes"] if change[0] <= scene.t]
    return [trouble for trouble in changes[-1][1] if trouble["going_on"]] if changes else []


def _lasting(scene: Scene, text: str) -> Faults:
    """Compare "since Thu 18:10 · 29 min so far" with the page's clock."""
    told = re.search(r"since \w+ (\d\d):(\d\d) · (.*?) so far", text, re.IGNORECASE)
    if told is not None:
        began = 3600 * int(told[1]) + 60 * int(told[2])
        passed = (math.floor(float(scene.timeline.tz.local(scene.t)) / 60) * 60 - began) % 86_400
        yield same(f"how long it has lasted in {text!r}", told[3], minutes_text(passed))


@relation
def the_busiest_hour_is_one_and_the_busiest(scene: Scene) -> Faults:
    """No day has two busiest hours, and no hour of that day has more orders."""
    began = np.sort(scene.timeline.orders.began)
    tz, window, seen = scene.timeline.tz, scene.timeline.window, set()
    for one in scene.sent["moments"]["moments"] or []:
        if one["title"] != "Busiest hour":
            continue
        day = tz.day(one["start"])
        yield f"two busiest hours on one day: {one['when']}" if day in seen else None
        seen.add(day)
        low, high = max(window.start, tz.start_of(day)), min(window.end, tz.start_of(day + 1))
        inside = began[(began >= low) & (began < high)]
        minutes = np.arange(low, high - TRAILING + 1, 60.0)
        most = int((inside.searchsorted(minutes + TRAILING) - inside.searchsorted(minutes)).max())
        told = int(re.match(r"\d+", one["sentence"]).group())  # type: ignore[union-attr]
        yield same("orders of the busiest hour", told, most)


@relation
def the_ribbon_is_the_pipeline_on_average(scene: Scene) -> Faults:
    """A bar of the ribbon is the mean of what the pipeline counts in it; its colour begins and ends with the moment."""
    supply = scene.sent["transport"]["supply"]
    if "waiting" not in supply:
        return
    bars = np.linspace(0, len(supply["waiting"]) - 1, 5).astype(int).tolist()
    for i in bars:
        begin, end = supply["begin"][i], supply["end"][i]
        at = np.linspace(begin, end, 601)[:-1] + (end - begin) / 1200
        membership = scene.timeline.membership
        for name, stage in (("waiting", READY), ("road", OUT_FOR_DELIVERY)):
            counted = float(membership.in_stage(stage, at).mean())
            near = abs(counted - supply[name][i]) <= 0.051 + 0.02 * counted
            yield None if near else f"{name} of the ribbon {supply[name][i]}, counted {counted} from {begin} to {end}"
    drivers = ("driver_shortage", "drivers_late", "food_waiting")
    told = sorted(
        (one["start"], one["end"]) for one in scene.sent["moments"]["moments"] or [] if one["kind"] in drivers
    )
    yield same("when drivers are short", sorted((one[0], one[1]) for one in supply["short"]), told)


@relation
def a_picture_has_the_pages_numbers(scene: Scene) -> Faults:
    """The stages and cards of a picture for a report are those of the page."""
    for key, told in zip(STAGES, scene.picture["pipeline"], strict=True):
        yield same(f"{key} in a picture", told["count"], scene.text("pipeline", f"stage-{key}-count"))
        count = scene.stages[key]["count"]
        if scene.stages[key]["told"]:
            yield same(f"orders in {key} in a picture", int(re.sub(r"\D", "", told["count"]) or -1), count)
    every = [one.text for one in scene.figures["kpis"]]
    for card in scene.picture["kpis"]:
        yield None if card["value"] in every else f"the card {card['heading']} of a picture: {card['value']}"


@relation
def a_tip_has_the_ribbons_numbers(scene: Scene) -> Faults:
    """Where one points at the timeline it says what the ribbon draws there, which is the pipeline's on average."""
    supply = scene.sent["transport"]["supply"]
    for bar, words in scene.tips:
        numbers = re.search(r"([\d.]+) meals waiting · ([\d.]+) drivers", words)
        assert numbers is not None, words
        for name, text in zip(("waiting", "road"), numbers.groups(), strict=True):
            near = abs(float(text) - supply[name][bar]) <= 0.0501
            yield None if near else f"{name} by the tip {text}, by the ribbon {supply[name][bar]}"


@relation
def index_and_timeline_agree(scene: Scene) -> Faults:
    """The orders of the hour, counted one by one."""
    created = scene.timeline.orders.created
    now = scene.kpis["orders"]["now"]
    if now is not None:
        yield same("orders of the hour", now, int(np.sum((created > scene.t - TRAILING) & (created <= scene.t))))
    yield same("deliveries recorded", metrics_of(scene.timeline).delivers, scene.kpis["delivery"]["recorded"])
