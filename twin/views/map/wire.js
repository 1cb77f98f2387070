// The columns of what comes as one buffer, read by the header that comes with it (wire.py).

const KINDS = { "<f8": Float64Array, "<f4": Float32Array, "<i4": Int32Array };

/**
 * A message with columns: `packed` holds them one after the other, `layout` says [name, dtype, length] of each.
 * `packed` is text (base64) where no bytes arrive.
 * @typedef {{layout: [string, string, number][], packed: Uint8Array | string}} Packed
 */

/**
 * The columns of a message by name.
 * @param {Packed} message
 * @returns {Record<string, Float64Array | Float32Array | Int32Array>}
 */
function unpack({ layout, packed: given }) {
  const columns = {};
  const packed = typeof given === "string" ? bytesOf(given) : given;
  let at = packed.byteOffset;
  for (const [name, dtype, length] of layout) {
    const Kind = KINDS[dtype];
    const end = at + length * Kind.BYTES_PER_ELEMENT;
    // a copy: a column may begin where its kind cannot, and subarray() of Bokeh's own classes begins at the wrong place
    columns[name] = new Kind(packed.buffer.slice(at, end));
    at = end;
  }
  return columns;
}

/** The bytes of one of Bokeh's arrays, or of base64, as a plain array. */
const bytesOf = (packed) =>
  typeof packed === "string"
    ? Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))
    : new Uint8Array(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength));

export { bytesOf, unpack };
