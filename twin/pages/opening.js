// Says why a page does not come alive. A classic script in a file of its own, the first of the page: it runs where
// modules, scripts in the page or WebSockets are refused. Where not even this one runs, opening.css shows the words of
// opening.html.
(() => {
  const LATE_MS = 10_000; // a page that is not alive by then says what it waits for
  const PATIENT_MS = 60_000; // what is under way for so long will not come
  const LOOK_MS = 500;
  const ASK_MS = 5000;
  const TELL_MS = 50_000; // a wall screen's outer page then tries another frame

  /** @type {any} */
  const page = window;
  const violations = [];
  const failed = [];
  const sockets = { made: 0, open: 0, refused: 0 };
  let told = "";
  let asked = null;

  const Native = window.WebSocket;
  const Watched = new Proxy(Native, {
    construct(target, given) {
      const socket = Reflect.construct(target, given);
      sockets.made++;
      let opened = false;
      socket.addEventListener("open", () => {
        opened = true;
        sockets.open++;
      });
      socket.addEventListener("close", () => {
        if (!opened) sockets.refused++;
      });
      return socket;
    },
  });
  window.WebSocket = Watched;

  const onViolation = (event) => {
    if (event.disposition === "enforce") violations.push(event);
  };
  const onError = (event) => {
    if (event.target instanceof HTMLScriptElement) failed.push(event.target.src);
  };
  document.addEventListener("securitypolicyviolation", onViolation);
  window.addEventListener("error", onError, true);

  const bar = () => document.getElementById("twin-opening");
  const isWall = () => bar()?.dataset.page === "wall";
  const connected = () => page.Bokeh?.documents?.length > 0;
  const alive = () => (isWall() ? page.__kiosk && window.origin !== "null" : connected() && Boolean(page.__twin));

  /** Whether the server lets a page from here connect; null while it is asked, "silent" where it does not answer. */
  function mayConnect() {
    if (asked === null) {
      asked = { answer: null };
      const stop = new AbortController();
      setTimeout(() => stop.abort(), ASK_MS);
      fetch(`${bar().dataset.connection}?origin=${encodeURIComponent(location.origin)}`, { signal: stop.signal })
        .then((response) => (response.ok ? response.json() : { allowed: "silent" }))
        .then(({ allowed }) => (asked.answer = allowed))
        .catch(() => (asked.answer = "silent"))
        .finally(() => setTimeout(() => (asked = null), ASK_MS));
    }
    return asked.answer;
  }

  const policy = (what) =>
    `A Content-Security-Policy that is not this server’s own blocks ${what}: have the proxy pass on the server’s ` +
    "policy, or allow what docs/hosting.md lists.";
  const LOADING = "Still loading …";
  const SILENT = "The server does not answer any more: start it, then load this page again.";

  /** One sentence: the likely cause and what to do; LOADING while something is still under way. */
  function cause() {
    const underway = performance.now() < PATIENT_MS;
    if (window.origin === "null")
      return (
        "This page is in a frame whose sandbox cuts it off from its server: " +
        "add allow-same-origin to the frame’s sandbox."
      );
    if (violations.length) {
      const { effectiveDirective, blockedURI } = violations[0];
      return policy(`${blockedURI || "something"} (${effectiveDirective})`);
    }
    if (document.readyState !== "complete" && underway) return LOADING;
    if (failed.length || !page.Bokeh) {
      const there = mayConnect();
      if (there === null) return told || LOADING;
      if (there === "silent") return SILENT;
      const name = failed.length ? new URL(failed[0]).pathname : "static/js/bokeh.min.js";
      const remedy = "have the proxy pass on everything below this page’s folder";
      return `The script ${name} did not come from the server: ${remedy}.`;
    }
    if (!sockets.made) return policy("the scripts in this page (script-src, inline)");
    if (!sockets.open) {
      if (!sockets.refused && underway) return LOADING;
      const allowed = mayConnect();
      if (allowed === "silent") return SILENT;
      if (allowed === false)
        return (
          `The server accepts no connection from pages of ${location.host}: ` +
          `start it with TWIN_HOSTS=${location.host}.`
        );
      if (allowed === true)
        return (
          "A proxy between this browser and the server refuses WebSockets: " +
          "have it pass on Upgrade (docs/hosting.md)."
        );
      return told || LOADING;
    }
    if (connected() && !underway) return "The page’s module did not come: have the proxy pass on the folder assets.";
    return LOADING;
  }

  function look() {
    const shown = bar();
    if (!shown) return; // the page is still being read
    if (alive()) {
      clearInterval(timer);
      document.removeEventListener("securitypolicyviolation", onViolation);
      window.removeEventListener("error", onError, true);
      if (window.WebSocket === Watched) window.WebSocket = Native;
      shown.remove();
      return;
    }
    const late = performance.now() > LATE_MS;
    if (late) told = cause();
    if (shown.textContent !== told) shown.textContent = told;
    shown.dataset.state = late ? "said" : "waiting";
    // that the server is silent, connection.js says too, and brings the page back
    shown.classList.toggle("known", late && told !== LOADING && told !== SILENT);
    if (late && told !== LOADING && window.parent !== window && performance.now() < TELL_MS && window.origin !== "null")
      window.parent.postMessage({ twin: "beat", problem: told, ready: false }, location.origin);
  }
  const timer = setInterval(look, LOOK_MS);
})();
