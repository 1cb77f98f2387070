// What of the page is in its address, so that a link, and Back, restores it.

/** The same without what is empty. */
const without = (values) =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== "" && value !== undefined && value !== null),
  );

/** Write values into the address; an empty one is taken out. */
function remember(values) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === "" || value === undefined || value === null) query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString();
  history.replaceState(history.state, "", `${location.pathname}${text ? `?${text}` : ""}`);
}

export { remember, without };
