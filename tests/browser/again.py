"""Another session in a page that is open: what it takes to open one is nearly all to run Bokeh's and Panel's scripts.

A session is left as by closing its tab, and joined as the page's own HTML joins it: by the scripts that stand in its body.
What the page had beside its session (the attributes of its root, its address, its size, what it remembers) is as in an empty one.
"""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

SIZE = {"width": 1440, "height": 900}

PREPARED = """(() => {
  const sockets = (globalThis.__sockets = []);
  globalThis.WebSocket = class extends WebSocket {
    constructor(...given) { super(...given); sockets.push(this); }
  };
  // Bokeh's plots never leave the window's viewport, Panel's BrowserInfo never its media query: each would keep its session
  const listened = (globalThis.__listened = []);
  for (const target of [globalThis.visualViewport, MediaQueryList.prototype]) {
    const add = target.addEventListener;
    target.addEventListener = function (type, listener, options) {
      listened.push(() => this.removeEventListener(type, listener));
      add.call(this, type, listener, options);
    };
  }
})()"""
LEAVE = """() => {
  for (const socket of globalThis.__sockets.splice(0)) {
    socket.onmessage = socket.onclose = socket.onerror = null;
    socket.send = () => {};
    socket.close(1000);
  }
  for (const leave of globalThis.__listened.splice(0)) leave();
  for (const one of globalThis.Bokeh?.documents.splice(0) ?? []) one.clear({ sync: false });
  for (const shared of Object.values(globalThis.__twin ?? {})) {
    if (shared instanceof Map) shared.clear();
    if (Array.isArray(shared)) shared.length = 0;
  }
  const root = document.documentElement;
  for (const { name } of [...root.attributes]) root.removeAttribute(name);
  document.body.replaceChildren();
  localStorage.clear();
  sessionStorage.clear();
}"""
JOIN = """async (address) => {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  const html = new DOMParser().parseFromString(await answer.text(), "text/html");
  history.replaceState(null, "", address);
  document.title = html.title;
  for (const { name, value } of html.documentElement.attributes) document.documentElement.setAttribute(name, value);
  document.body.replaceChildren(...html.body.children);
  for (const parsed of document.body.querySelectorAll("script")) { // what a parser has read for another document does not run
    const script = document.createElement("script");
    for (const { name, value } of parsed.attributes) script.setAttribute(name, value);
    script.textContent = parsed.textContent;
    parsed.replaceWith(script);
  }
}"""


def prepare(context: BrowserContext) -> None:
    """Let the pages of a context be left and joined."""
    context.add_init_script(PREPARED)


def visit(page: Page, address: str) -> None:
    """Open an address of views alone (`pn.serve`): in place of another of that server, whose scripts go on, or as any page."""
    here, there = urlsplit(page.url), urlsplit(address)
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        leave(page)
        page.evaluate(JOIN, address)
    else:
        page.goto(address)


def leave(page: Page) -> None:
    """Close the page's session, and leave nothing of it but the scripts."""
    page.evaluate(LEAVE)
    page.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
    if page.viewport_size != SIZE:
        page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    page.mouse.move(0, 0)
