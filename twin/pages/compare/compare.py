"""The page of two sides: the layout of their views, the one clock, and what differs between them."""

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn

from twin import api
from twin.analysis.comparison import Comparison, compare, names_of
from twin.analysis.comparison import Side as Compared
from twin.foundation import errand
from twin.foundation.address import Address, notice
from twin.foundation.errors import SignInError, TwinError
from twin.hub import Hub
from twin.pages.compare import address as addresses
from twin.pages.compare.side import Side
from twin.pages.frames import begin_panel
from twin.pages.operations.banner import BannerView
from twin.pages.operations.chrome import ChromeView
from twin.pages.operations.operations import PROGRESS_S, page_frame
from twin.pages.operations.tabs import TabBar
from twin.pages.operations.welcome import WelcomeView
from twin.pages.ranges import dates
from twin.replay.controller import ReplayController
from twin.replay.paired import PairedController
from twin.server import threads
from twin.server.answering import answering_request
from twin.server.process import process
from twin.views.differences.differences import DifferencesView
from twin.views.session.session import TICK_MS, PageLink
from twin.views.shared.component import style_text
from twin.views.shared.stand_in import built
from twin.views.transport.transport import TransportView

log = logging.getLogger(__name__)

TITLE = "Side by side"
BONES = (("head-a", 1), ("head-b", 1), ("differences", 6), ("panel-a", 0), ("panel-b", 0), ("transport", 2))
WITHOUT = ("compare", "report", "tour", "ask", "dashboard")
"""Commands of the page's bar that are about one kitchen."""
ONE_PLACE = (
    ".range:not(.cancel) {{ display: none; }} .rule {{ flex: none; }} .legend::before {{ content: 'Side {} · '; }}"
)
"""The transport's range picker is of one side, and the heads have the choice of both; whose its bars are is said."""


def compare_page() -> pn.Column:
    """Return the page of a new session, on the process's hub."""
    begin_panel()
    query = {key: values[0].decode("utf-8", "replace") for key, values in pn.state.session_args.items() if values}
    mounted = api.mount()
    page_frame(query, mounted, TITLE, BONES, _text("skeleton.css"))
    header = pn.Row(_title(), sizing_mode="stretch_width", margin=0, stylesheets=[_text("header.css")])
    body = pn.Column(sizing_mode="stretch_both", margin=0)
    page = pn.Column(
        header, body, sizing_mode="stretch_both", margin=0, stylesheets=[":host { background: var(--tw-bg); }"]
    )
    welcome = WelcomeView(on_choose=lambda _id: None, on_retry=lambda: pn.state.execute(begin))
    body[:] = [welcome]
    link = PageLink(width=0, height=0, margin=0, sizing_mode="fixed", instance=process.instance)

    def fail(problem: str) -> None:
        welcome.fail(problem)
        link.settled = True
        header.append(link)

    async def begin() -> None:
        """Wait until the source is open, then show the two sides."""
        try:
            visitor = process.visitor_of(answering_request())
            opening = asyncio.wrap_future(process.begin_opening(visitor))
            while not (await asyncio.wait({opening}, timeout=PROGRESS_S))[0]:
                welcome.show_loading(process.opening_step if visitor is None else visitor.step)
            hub = opening.result()
            address = Address(query)
            chosen = await threads.to_source(addresses.read, address, hub)
        except (SignInError, TwinError) as error:
            fail(str(error))
            return
        except IndexError:
            fail("There is no kitchen in this data.")
            return
        await _Compare(hub, chosen, address, link, header, body, mounted).begin()

    pn.state.onload(begin)
    return page


class _Compare:
    """The parts of one session's page and the connections between them."""

    def __init__(
        self,
        hub: Hub,
        chosen: addresses.Chosen,
        address: Address,
        link: PageLink,
        header: pn.Row,
        body: pn.Column,
        mounted: bool,
    ) -> None:
        """`mounted`: whether the page's server serves our routes."""
        self._hub, self._chosen, self._address, self._link = hub, chosen, address, link
        self._compared: tuple[Any, ...] = ()
        self._ticker: Any = None
        lead = ReplayController(settings=hub.settings)
        second = PairedController(lead)
        self.sides = tuple(
            Side(letter, hub, controller, asked, self._changed, mounted)
            for letter, controller, asked in zip("AB", (lead, second), chosen.sides, strict=True)
        )
        self.differences = built(DifferencesView, lead)
        self.transports = [
            built(TransportView, side.controller, dock=True, on_cancel=side.session.cancel) for side in self.sides
        ]
        self.sides[0].views.append(self.transports[0])
        self.sides[1].views.append(self.transports[1])
        self.banner = BannerView()
        self.tabs = TabBar(
            sizing_mode="stretch_width",
            margin=0,
            tab=address.one_of("tab", addresses.TABS) or "map",
            tabs=[["map", "Map", None], ["why", "Why late?", None]],
            label="Panel of both sides",
        )
        self.switch = TabBar(
            sizing_mode="stretch_width",
            margin=0,
            tab=address.one_of("side", SHOWN) or "a",
            label="What is shown: one side, or what differs",
            swipes=True,
        )
        self.chrome = built(ChromeView, lead, without=WITHOUT, user=api.user_url() if mounted else "")
        link.join(lead)  # before it is drawn: it asks for its clock then
        header[:] = [header[0], pn.Spacer(css_classes=["between"], margin=0), self.chrome, link]
        self.replay = self._arrange()
        self._body = body
        self._follow()

    async def begin(self) -> None:
        """Show the page, and load both sides beside each other."""
        self._body[:] = [self.banner, self.replay]
        self._apply_theme()
        self._choose_panel()
        self.banner.remark(notice(self._address.remarks))
        self._ticker = pn.io.PeriodicCallback(callback=self._tick, period=TICK_MS, background=True, log=False)
        if self._link.seen:
            self._ticker.start()
        first, second = self.sides
        await asyncio.gather(first.load(self._chosen.t, self._chosen.speed), second.load())

    def _follow(self) -> None:
        """Connect the parts: each follows the Params of others."""
        self.chrome.param.watch(self._set_dark, "dark")
        self._link.param.watch(self._apply_theme, "was_dark")
        self._link.param.watch(self._on_visibility, "seen")
        self.tabs.param.watch(self._choose_panel, ["tab", "room"])
        self.switch.param.watch(self._choose_panel, "tab")
        for side in self.sides:
            side.controller.param.watch(self._changed, "timeline")
            side.session.page.param.watch(self._settle, "settled")
            side.session.param.watch(lambda event: self.banner.remark(notice(event.new)), "remarks")

    def _arrange(self) -> pn.Column:
        parts = []
        for side, transport in zip(self.sides, self.transports, strict=True):
            of = side.letter.lower()
            letter = pn.pane.HTML(
                f'<b aria-hidden="true">{side.letter}</b>', margin=0, stylesheets=[_text("letter.css")]
            )
            head = pn.Row(
                *(letter, side.kitchen, side.days),
                margin=0,
                sizing_mode="stretch_width",
                css_classes=["head"],
                stylesheets=[_text("head.css")],
            )
            parts += [
                _placed(head, f"head-{of}", "head"),
                _compact(_placed(side.pipeline.__panel__(), f"pipeline-{of}", of, "pipeline")),
                _compact(_placed(side.kpis.__panel__(), f"kpis-{of}", of, "kpis")),
                _placed(side.map.__panel__(), f"panel-{of}", of, "map"),
                _placed(side.why.__panel__(), f"panel-{of}", of, "why"),
                _placed(transport.__panel__(), "transport", f"transport-{of}"),
            ]
            bar = transport.__panel__()
            bar.stylesheets = [*bar.stylesheets, ONE_PLACE.format(side.letter)]
        return pn.Column(
            *parts,
            _placed(self.tabs, "tabs"), _placed(self.switch, "switch", "switch"),
            _placed(self.differences.__panel__(), "differences", "differences"),
            stylesheets=[_text("layout.css")], sizing_mode="stretch_both", margin=0,
        )  # fmt: skip

    # -- what is seen ---------------------------------------------------------------------------------------------------
    def _choose_panel(self, *_: Any) -> None:
        """Show the maps or the ledgers of both sides, and on a phone one side at a time."""
        if self.tabs.tab not in addresses.TABS:  # an address may name anything
            self.tabs.tab = addresses.TABS[0]
            return
        why = self.tabs.tab == "why"
        with pn.io.hold():
            for side in self.sides:
                _switch_class(side.map.__panel__(), "off", why)
                _switch_class(side.why.__panel__(), "off", not why)
                side.why.param.update(active=why)
            for name in SHOWN:
                _switch_class(self.replay, f"show-{name}", self.switch.tab == name)
            self._name_sides()
            for side in self.sides:
                side.session.tick(force=True)
        self._write()

    def _name_sides(self) -> None:
        names = self._short_names()
        tabs: list[list[Any]] = [["a", f"A · {names[0]}", None], ["b", f"B · {names[1]}", None]]
        tabs.append(["differences", "Differences", None])
        if tabs != self.switch.tabs:
            self.switch.tabs = tabs

    def _short_names(self) -> tuple[str, str]:
        """Return what tells the two apart: the kitchens, the dates, or both."""
        (one, other) = self.sides
        same_place, same_dates = one.place.id == other.place.id, _dates(one) == _dates(other)
        if same_place and not same_dates:
            return _dates(one), _dates(other)
        if same_dates and not same_place:
            return one.place.label, other.place.label
        if same_place:
            return f"A, {_dates(one)}", f"B, {_dates(other)}"
        return f"{one.place.label}, {_dates(one)}", f"{other.place.label}, {_dates(other)}"

    def _apply_theme(self, *_: Any) -> None:
        if self._link.was_dark is not None:
            self.chrome.dark = self._link.was_dark

    def _set_dark(self, event: Any) -> None:
        self._link.dark = event.new
        for side in self.sides:
            side.map.dark = event.new

    def _tick(self) -> None:
        with pn.io.hold():  # one message for both
            for side in self.sides:
                side.session.tick()

    def _on_visibility(self, event: Any) -> None:
        for side in self.sides:
            side.session.page.seen = event.new
        if self._ticker is None:
            return
        if not event.new:
            self._ticker.stop()
        elif not self._ticker.running:
            self._tick()
            self._ticker.start()

    def _settle(self, *_: Any) -> None:
        if all(side.session.page.settled for side in self.sides):
            self._link.settled = True

    # -- what it is of --------------------------------------------------------------------------------------------------
    def _changed(self, *_: Any) -> None:
        """A side shows, or asks for, something else."""
        if self._ticker is None:
            return
        first, second = self.sides
        now = tuple((side.place.id, side.window, side.is_shown, side.session.problem) for side in self.sides)
        if now != self._compared:
            self._compared = now
            with pn.io.hold():
                first.offer(second)
                second.offer(first)
                self._name_sides()
                # who is alone brings his own transport
                _switch_class(self.replay, "b-alone", second.is_shown and not first.is_shown)
            self._compare()
        self._write()

    def _compare(self) -> None:
        """Work out what differs, once both sides are there."""
        if all(side.is_shown for side in self.sides):
            self.differences.wait()
            pn.state.execute(partial(self._compute, self._compared))
            return
        problems = [f"Side {side.letter} is not there: {side.session.problem}" for side in self.sides if side.quality()]
        if problems:
            self.differences.fail(" ".join(problems))
        else:
            self.differences.wait()

    async def _compute(self, asked: tuple[Any, ...]) -> None:
        of = [(side.place, side.window) for side in self.sides]
        target = self._hub.settings.delivery_target_s

        def work() -> Comparison:
            first, second = (Compared.read(self._hub.source, *one) for one in of)
            return compare(first, second, target, names_of(*of))

        try:
            with errand.on(page="compare"):
                comparison = await threads.to_source(work)
        except (TwinError, ValueError) as error:
            if asked == self._compared:
                self.differences.fail(str(error))
        except Exception as error:  # whatever it is, the two sides go on
            log.exception("two ranges cannot be compared")
            if asked == self._compared:
                self.differences.fail(f"They cannot be compared ({type(error).__name__}): see the server’s log.")
        else:
            if asked == self._compared:
                self.differences.attempt(self.differences.show_comparison, comparison, self._short_names())

    def _write(self) -> None:
        """Write both sides, the playhead last set and the speed into the page's address."""
        if self._ticker is None or not all(side.is_shown for side in self.sides):
            return
        first, second = self.sides
        anchor = first.controller.anchor
        others = {
            "tab": "" if self.tabs.tab == addresses.TABS[0] else self.tabs.tab,
            "side": "" if self.switch.tab == SHOWN[0] else self.switch.tab,
        }
        both = (first.place, first.window), (second.place, second.window)
        self._link.query = addresses.write(both, anchor.t0, anchor.speed, others)


SHOWN = ("a", "b", "differences")
"""What a phone shows at a time."""


def _dates(side: Side) -> str:
    return dates(side.window, side.place.tz)


def _placed(shown: Any, area: str, *classes: str) -> Any:
    shown.styles = {**shown.styles, "min-width": "0", "min-height": "0", "grid-area": area}
    shown.css_classes = [*shown.css_classes, *classes]
    shown.margin = 0
    return shown


def _compact(shown: Any) -> Any:
    shown.stylesheets = [*shown.stylesheets, _text("panes.css")]
    return shown


def _switch_class(shown: Any, name: str, on: bool) -> None:
    classes = [other for other in shown.css_classes if other != name] + [name] * on
    if classes != shown.css_classes:
        shown.css_classes = classes


def _title() -> pn.pane.HTML:
    return pn.pane.HTML(_text("title.html"), margin=0, stylesheets=[_text("title.css")])


def _text(name: str) -> str:
    return style_text(Path(__file__).with_name(name))
