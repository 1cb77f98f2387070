// Has the scripts of Panel and of Bokeh's widgets set up what our pages show, and no more. As they come, both run all
// that they have, some 150 models with tables, pickers and 3D views, before the first panel is drawn; and they need
// the script of Bokeh's tables for it. This runs after Bokeh's own script and before theirs. Where one of Bokeh's
// was lost, theirs run nothing: they would throw, and connection.js has such a page loaded anew.

/** The files of Panel's script that have a model of our pages; what these need runs with them. */
const USED = ["models/browser", "models/column", "models/html", "models/location", "models/reactive_esm"];

const { Bokeh, __failed: failed } = /** @type {any} */ (globalThis); // frame.html notes there which scripts were lost
const register = Bokeh?.register_plugin;

/** Their scripts call this at their end: `modules` are functions that each run a file, `aliases` name the files. */
const registerFew = (modules, entry, aliases, externals) => {
  const first = `${entry}, as far as it is used`;
  modules[first] = (require, _module, exports) => {
    if (failed.length) return;
    const used = USED.filter((name) => name in aliases).map((name) => require(name));
    if (used.length) exports.Panel = Object.assign({}, ...used);
    require("@bokehjs/base").register_models(used.flatMap(Object.values));
  };
  return register(modules, first, aliases, externals);
};

if (Bokeh) Bokeh.register_plugin = registerFew;
