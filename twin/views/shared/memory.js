// What a browser remembers for its user.

/**
 * A small memory of the browser's; it may be denied (private windows, notebooks in frames), then nothing is
 * remembered.
 */
const memory = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      /* then not */
    }
  },
};

export { memory };
