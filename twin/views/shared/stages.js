// The signs of the states that an order passes through; their words are Python's (twin/foundation/stages.py).

const STATE_ICONS = {
  created: "receipt",
  cooking: "flame",
  ready: "box",
  out_for_delivery: "car",
  completed: "check",
  cancelled: "close",
  stalled: "alert",
};

export { STATE_ICONS };
