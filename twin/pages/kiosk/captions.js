// What a scene's caption says at a time of the kitchen's clock.

/**
 * `since` and `until`: when what it says is true, data seconds, null where nobody knows; `trouble`: whether it is one.
 * @typedef {{headline: string, detail: string, since: number | null, until: number | null, trouble: boolean}} Caption
 */

/**
 * The last caption at or before t, without a time the first. `captions` is empty where the scene's own holds all the
 * time, and null until that is known: then its name has to do.
 * @param {Caption & {name: string, captions: [number, Caption][] | null}} scene
 * @param {number | null} t
 * @returns {Caption}
 */
function captionAt(scene, t) {
  const { name, captions } = scene;
  if (captions === null) return { headline: name, detail: "", since: null, until: null, trouble: false };
  if (!captions.length) return scene;
  return ((t !== null && captions.findLast(([from]) => from <= t)) || captions[0])[1];
}

export { captionAt };
