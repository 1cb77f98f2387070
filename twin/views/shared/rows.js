// Rows as they come from the server: a column for each name (rows.py).

/**
 * The rows of columns, each an object with a value for each name.
 * @param {Record<string, any[]>} columns
 * @returns {any[]}
 */
function rowsOf(columns) {
  const names = Object.keys(columns);
  return (columns[names[0]] ?? []).map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

/** The first position in ascending `times` whose value is over t: how many are at or before it. */
function upperBound(times, t) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Where an order's row is after others were inserted at these rows, ascending (rows.py): none (-1) stays none.
 * @param {number} row
 * @param {number[]} inserted
 */
function movedRow(row, inserted) {
  if (row < 0) return row;
  for (const one of inserted) {
    if (one > row) break;
    row++;
  }
  return row;
}

export { movedRow, rowsOf, upperBound };
