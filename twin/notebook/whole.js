// A kernel tells a pane of a change in three or more pieces, which come one by one. Panel gives each to its pane at
// once: one that is drawn, or drawn again, amid a change takes the rest for the beginning of another ("s is not
// iterable"). Here the pieces of a change are handed on together, and those that come before the pane is drawn wait
// until it is.
(() => {
  const EVERY_MS = 20;
  const MOST_MS = 60_000; // a pane that cannot be drawn is left to Panel, which drops what is told to it
  const { PyViz } = /** @type {any} */ (globalThis);
  const manager = PyViz?.comm_manager;
  if (!manager?.register_target || manager.waits) return;
  manager.waits = true;
  const register = manager.register_target;
  /** As Panel's own handler looks for it. */
  const isDrawn = (plot) => {
    const { Bokeh } = /** @type {any} */ (globalThis);
    return !!(PyViz.plot_index?.[plot] || (Bokeh && plot in Bokeh.index && Bokeh.index[plot]));
  };
  /**
   * How many pieces a change has, by its first: header, metadata, content, and two for each buffer; 1: it is no
   * change.
   */
  const piecesOf = ({ content: { data }, metadata }) => {
    if (metadata?.msg_type || typeof data !== "string" || !data.startsWith('{"msgid"')) return 1;
    const header = JSON.parse(data);
    return 3 + 2 * (header.num_buffers ?? 0);
  };
  manager.register_target = function (plot, comm, handle) {
    const begun = performance.now();
    const whole = [];
    let drawn = false;
    let timer = 0;
    let pieces = [];
    let missing = 0;
    const pass = () => {
      drawn ||= isDrawn(plot) || performance.now() - begun > MOST_MS;
      if (!drawn) return;
      clearInterval(timer);
      for (const change of whole.splice(0)) for (const piece of change) handle(piece);
    };
    return register.call(this, plot, comm, (piece) => {
      if (!missing) missing = piecesOf(piece);
      pieces.push(piece);
      if (--missing) return;
      whole.push(pieces);
      pieces = [];
      pass();
      if (!drawn) timer ||= setInterval(pass, EVERY_MS);
    });
  };
})();
