// Links to pages of others about what is seen: the operator sets their addresses, and nothing is loaded from them.

/**
 * The address of a link about a kitchen and a range; what comes from the data is percent-encoded.
 * @param {string} template an https address with {location}, {start} and {end}
 * @param {{location: string, start: string, end: string}} values
 */
const addressOf = (template, values) =>
  template.replace(/\{(location|start|end)\}/g, (_, name) => encodeURIComponent(values[name]));

export { addressOf };
