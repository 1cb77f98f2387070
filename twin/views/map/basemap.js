// The base map: tiles of ours by default; one from elsewhere is tried before it is shown.

import { guarded } from "../shared/registry.js";
import { WORLD } from "./camera.js";

const PROBE_MS = 6000;
const TILES_MS = 20_000; // a tile that takes longer will be seen when the map is moved

class BaseMap {
  /** `changed()` is called when the credit to show has changed. */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.problem = "";
    this.pv = this.tiles = null;
    this.following = 0;
    this.gone = false;
  }
  remove() {
    this.gone = true;
    clearInterval(this.following);
  }
  get map() {
    return this.model.base.maps?.[this.model.base.chosen];
  }
  address(map) {
    return map.url
      .replace("{theme}", this.model.dark ? "dark" : "light")
      .replace("{dense}", devicePixelRatio > 1.3 ? "@2x" : "");
  }
  /**
   * Show the chosen base map. One from elsewhere is tried first: Bokeh asks a server that cannot be reached again at
   * every paint.
   */
  show = guarded(async () => {
    const { chosen } = this.model.base;
    const { map, tiles } = this;
    this.problem = "";
    this.changed();
    if (!tiles) return;
    if (map?.link && !(await this.reachable(map))) {
      if (this.gone || this.model.base.chosen !== chosen) return;
      this.problem = `${map.label} cannot be reached.`;
      tiles.setv({ visible: false }, { sync: false });
      return this.changed();
    }
    if (this.gone || this.model.base.chosen !== chosen) return;
    if (map?.url) {
      const url = this.address(map);
      if (tiles.tile_source.url !== url) tiles.tile_source.setv({ url, max_zoom: map.max_zoom }, { sync: false });
    }
    tiles.setv({ visible: !!map?.url }, { sync: false });
    this.pv.request_repaint(); // its names may be others
    this.follow();
  });
  /**
   * Repaint until all tiles are shown: Bokeh does not, for one that it had begun to fetch ahead when it came into
   * view.
   */
  follow() {
    if (!this.tiles.visible) return;
    const since = performance.now();
    let shown = -1;
    clearInterval(this.following);
    this.following = setInterval(
      guarded(() => {
        const all = [...this.tiles.tile_source.tiles.values()];
        const loaded = all.filter((tile) => tile.loaded).length;
        if (loaded !== shown) {
          shown = loaded;
          this.pv.request_repaint();
        } else if (all.every((tile) => tile.loaded || tile.finished) || performance.now() - since > TILES_MS) {
          clearInterval(this.following);
          this.forget();
        }
      }),
      250,
    );
  }
  /** Fetch again what did not come while the server was away: Bokeh asks for a tile once. */
  refetch() {
    if (!this.tiles) return;
    const { tiles } = this.tiles.tile_source;
    for (const [key, tile] of tiles) if (!tile.loaded) tiles.delete(key);
    this.follow();
  }
  /** Let go of tiles that are done: Bokeh's view keeps every one that it ever drew, to tell whether it has finished. */
  forget() {
    const view = this.pv.renderer_views.get(this.tiles);
    if (view?._tiles) view._tiles = view._tiles.filter((tile) => !tile.finished);
  }
  reachable(map) {
    const [kx, ky] = this.model.scene.kitchen ?? [0, 0];
    const z = 10;
    const n = 2 ** z;
    const column = Math.floor(((kx / WORLD + 1) / 2) * n);
    const row = Math.floor(((1 - ky / WORLD) / 2) * n);
    return new Promise((tell) => {
      const picture = new Image();
      picture.onload = () => tell(true);
      picture.onerror = () => tell(false);
      setTimeout(() => tell(false), PROBE_MS);
      picture.src = map.url.replace("{Z}", z).replace("{X}", column).replace("{Y}", row);
    });
  }
}

export { BaseMap };
