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

export { rowsOf };
