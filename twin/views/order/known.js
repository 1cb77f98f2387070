// What was known of an order at a moment of its story: pure, so that it can be compared with the story that a record
// tells which ends at that moment.

/** A fact as it was known at t: itself, what was known instead, or nothing. */
function knownFact(fact, t) {
  const { known, before } = fact;
  const always = known === null && before === null;
  return always || (known !== null && known <= t) ? { ...fact, at: null } : before;
}

/**
 * The story cut at t: whatever came later is left out, and what was expected of it instead is in its place. `cut` says
 * that it is, so that "not there" can be told from "not there yet".
 */
function knownStory(story, t) {
  const past = (time) => (time !== null && time <= t ? time : null);
  const ended = ({ start }) => start <= t;
  const until = (span) => ({ ...span, end: past(span.end) });
  const usual = (span) => ({ ...until(span), usual: span.usual.filter(([from]) => from <= t) });
  const events = story.events.filter((event) => event.t <= t);
  const pings = story.pings.filter((time) => time <= t);
  const road = story.stages.find(({ key }) => key === "out_for_delivery");
  const basket = story.basket <= t;
  return {
    ...story,
    cut: true,
    place: { number: story.place.number, of: null },
    last: Math.max(story.first, ...events.map((event) => event.t), ...pings),
    stages: story.stages.filter(ended).map(usual),
    stalls: story.stalls.filter(ended).map(until),
    ledger: story.ledger.filter(({ known }) => known <= t),
    created: past(story.created),
    arrived: past(story.arrived),
    ready: past(story.ready),
    delivered: past(story.delivered),
    cancelled: past(story.cancelled),
    promise: road && road.start <= t ? story.promise : null,
    arrivals: story.arrivals.filter(({ from }) => from <= t),
    facts: story.facts.map((fact) => knownFact(fact, t)).filter(Boolean),
    items: basket ? story.items : [],
    revenue: basket ? story.revenue : null,
    events,
    pings,
  };
}

/** The times at which more becomes known, in order: between two of them the story stays as it is. */
function turnsOf(story) {
  const times = [
    story.first,
    story.basket,
    ...story.stages.flatMap(({ start, end, usual }) => [start, end, ...usual.map(([from]) => from)]),
    ...story.stalls.flatMap(({ start, end }) => [start, end]),
    ...[story.created, story.arrived, story.ready, story.delivered, story.cancelled],
    ...story.arrivals.map(({ from }) => from),
    ...story.ledger.map(({ known }) => known),
    ...story.facts.map(({ known }) => known),
    ...story.events.map(({ t }) => t),
    ...story.pings,
  ];
  return [...new Set(times.filter((time) => time !== null))].sort((a, b) => a - b);
}

export { knownStory, turnsOf };
