// What a scene's caption says at a time of the kitchen's clock.

/**
 * The last caption at or before t, without a time the first. `captions` is empty where the scene's own holds all the
 * time, and null until that is known: then its name has to do.
 * @param {{name: string, headline: string, detail: string, captions: [number, string, string][] | null}} scene
 * @param {number | null} t
 */
function captionAt({ name, headline, detail, captions }, t) {
  if (captions === null) return { headline: name, detail: "" };
  if (!captions.length) return { headline, detail };
  const [, told, words] = (t !== null && captions.findLast(([from]) => from <= t)) || captions[0];
  return { headline: told, detail: words };
}

export { captionAt };
