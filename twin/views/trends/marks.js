// A Bokeh figure held in a slot of ours: found when it is laid out, coloured by the page's tokens, and marks placed
// over it.

import { guarded } from "../shared/registry.js";
import { token } from "../shared/tokens.js";

const LOOK_EVERY_MS = 60;

/**
 * The figure of `name` in `slot`. `onPlaced` is called whenever its scales or its place may have changed; until the
 * figure is laid out `frame` is null.
 */
class Held {
  constructor(model, component, name, slot, onPlaced) {
    this.model = model;
    this.component = component;
    this.name = name;
    this.slot = slot;
    this.onPlaced = onPlaced;
    this.pv = null;
    this.timer = 0;
    this.gone = false;
    this.repainted = guarded(() => {
      if (!this.gone) this.onPlaced();
    });
    model.on(name, () => this.seek());
    this.seek();
  }
  /** Mount the figure once it is there, and take hold of its view once that has a size. */
  seek() {
    clearTimeout(this.timer);
    if (this.gone || this.pv || !this.model[this.name]) return;
    const node = this.model.get_child(this.name);
    if (node && node.parentNode !== this.slot) {
      this.slot.replaceChildren(node);
      this.component.render_children();
    }
    const found = this.component.get_child_view(this.component.model.data[this.name]);
    if (found?.frame?.bbox?.width > 1) {
      this.pv = found;
      found.repainted.connect(this.repainted);
      this.recolour();
      this.onPlaced();
    } else if (this.model.active)
      this.timer = setTimeout(
        guarded(() => this.seek()),
        LOOK_EVERY_MS,
      );
  }
  get frame() {
    return this.pv?.frame?.bbox ?? null;
  }
  /** Position within the slot of a value on the x axis, pixels. */
  x(value) {
    const { start, end } = this.pv.model.x_range;
    const { left, width } = this.frame;
    return left + ((value - start) / (end - start)) * width;
  }
  /** The value on the x axis at a position within the slot. */
  valueAt(px) {
    const { start, end } = this.pv.model.x_range;
    const { left, width } = this.frame;
    return start + (Math.min(Math.max(px - left, 0), width) / width) * (end - start);
  }
  source(renderer) {
    return this.pv?.model.renderers.find((r) => r.name === renderer)?.data_source ?? null;
  }
  /** Give every part the theme's colour; parts note theirs as tags "property=token". The server is not told. */
  recolour() {
    if (!this.pv) return;
    for (const part of this.pv.model.references())
      for (const tag of part.tags ?? []) {
        const [property, name] = String(tag).split("=");
        const colour = name && token(this.slot, name);
        if (colour)
          part.setv(
            { [property]: property.startsWith("major_") || property.startsWith("grid_") ? colour : { value: colour } },
            { sync: false },
          );
      }
  }
  remove() {
    this.gone = true;
    clearTimeout(this.timer);
    this.pv?.repainted.disconnect(this.repainted);
  }
}

export { Held };
