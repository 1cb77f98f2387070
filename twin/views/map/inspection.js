// What a map shows, for those who look at it from outside: tests, benchmarks, and whoever opens the browser's console
// (`[...__twin.motion.values()][0].positions()`). Nothing is worked out before it is asked for.

import { toLat, toLon } from "./camera.js";

/** What is drawn now, and what it cost. */
function inspectionOf(map) {
  const { model, motion, ghost, picture, clusters, camera, asked, crowd, names } = map;
  return {
    /** Every driver drawn: the order's row, Web Mercator metres, degrees, 0 on time, 1 at risk, 2 late. */
    positions() {
      const [kx, ky] = model.scene.kitchen ?? [0, 0];
      return motion.active.map((trip) => ({
        order: trip.order,
        x: kx + trip.px,
        y: ky + trip.py,
        lon: toLon(kx + trip.px),
        lat: toLat(ky + trip.py),
        tone: trip.tone,
        inferred: trip.inferred,
        merged: !!trip.cluster,
      }));
    },
    /** The pixel of the map at a place, Web Mercator metres. */
    screen: (x, y) => {
      const [kx, ky] = model.scene.kitchen;
      return [picture.X(x - kx), picture.Y(y - ky)];
    },
    /** The names on the base map: text, kind, middle (x, y, pixels), angle, width, size. */
    names: () => names.written,
    clusters: () => clusters.list.map(({ sx, sy, n, r }) => ({ x: sx, y: sy, n, r })),
    /** Every driver of the other day: the order's row in its timeline, Web Mercator metres. */
    /** How many drivers are drawn, if the map is seen at all. */
    seen: () => (map.root.checkVisibility() ? motion.active.length : 0),
    ghosts() {
      const [kx, ky] = model.scene.kitchen ?? [0, 0];
      return ghost.drivers.map((trip) => ({ order: trip.order, x: kx + trip.px, y: ky + trip.py }));
    },
    ghostTime: () => ghost.motion.t,
    faded: () => motion.faded.map((trip) => trip.order),
    pins: () => map.pins.map((pin) => pin.order),
    figure: () => map.pv,
    time: () => motion.t,
    frame: () => crowd.frame && { ...crowd.frame, cells: Array.from(crowd.frame.cells) },
    get held() {
      return motion.held && [motion.held.from, motion.held.to];
    },
    /** Whether there is no place to draw, for a reason that the map says. */
    get nowhere() {
      return map.root.classList.contains("nowhere");
    },
    get frames() {
      return map.frames;
    },
    get paints() {
      return map.paints;
    },
    get asks() {
      return motion.asks;
    },
    get pushes() {
      return motion.pushes;
    },
    get looking() {
      return camera.view;
    },
    get gliding() {
      return !!camera.glide;
    },
    get fitting() {
      return camera.fitting;
    },
    get density() {
      const { density } = asked;
      return density && { kind: density.kind, until: density.until, drawn: !!density.picture };
    },
    get crowd() {
      return motion.held?.crowd ?? 0;
    },
    get within() {
      return motion.held?.within ?? null;
    },
    get onRoad() {
      return motion.onRoad;
    },
    get framesShown() {
      return crowd.shown;
    },
    get frameAt() {
      return crowd.frame?.t;
    },
  };
}

export { inspectionOf };
