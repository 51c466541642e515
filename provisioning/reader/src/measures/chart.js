// The geometry of one course of scores, in pixels: where each point, line and mark lies. Pure.
//
// Sessions stand side by side in their order, the same distance apart, whether anything was measured in them or not; never
// closer than a finger is wide, so a long course is wider than a phone.

const HEIGHT = 220;
const EDGE = { left: 44, right: 16, top: 20, bottom: 40 };
const INSET = 18;
const FINGER = 28;
const TICK_ROOM = 36;

/** Everything that is drawn of a series over these sessions, as wide as `room` or wider. */
export function chartOf(series, sessions, room = 640) {
  const width = Math.max(room, EDGE.left + EDGE.right + 2 * INSET + FINGER * (sessions.length - 1));
  const across = scaleAcross(sessions.length, width);
  const up = scaleUp(series);
  const points = series.points.map((point) => ({ ...point, x: across(point.place), y: point.value === null ? null : up(point.value) }));
  const scored = points.filter((point) => point.y !== null);
  return {
    width,
    height: HEIGHT,
    plot: { left: EDGE.left, right: width - EDGE.right, top: EDGE.top, bottom: HEIGHT - EDGE.bottom },
    points,
    line: scored.map(({ x, y }) => ({ x, y })),
    change: changeBand(series, scored, up),
    levels: levelsOf(series).map((value) => ({ value, y: up(value) })),
    ticks: ticksOf(sessions, across, width),
    missing: missingOf(series, sessions, across),
  };
}

function scaleAcross(count, width) {
  const [from, to] = [EDGE.left + INSET, width - EDGE.right - INSET];
  return (place) => (count < 2 ? (from + to) / 2 : from + ((to - from) * place) / (count - 1));
}

function scaleUp({ least, most }) {
  const [low, high] = [HEIGHT - EDGE.bottom, EDGE.top];
  return (value) => (most === least ? (low + high) / 2 : low + ((high - low) * (value - least)) / (most - least));
}

// Some three round numbers that a score can be.
function levelsOf({ least, most }) {
  const wanted = (most - least) / 3;
  const power = 10 ** Math.floor(Math.log10(Math.max(wanted, 1e-6)));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= wanted * 0.999);
  const first = Math.ceil(least / step) * step;
  return Array.from({ length: Math.floor((most - first) / step + 1e-9) + 1 }, (_, number) => first + number * step);
}

// From the first score, as far as a change is no more than the wobble of the form: what leaves it has moved.
function changeBand({ known, least, most }, scored, up) {
  if (known === null || scored.length === 0) return null;
  const first = scored[0].value;
  return { top: up(Math.min(most, first + known.change)), bottom: up(Math.max(least, first - known.change)) };
}

// The numbers of the sessions, as many as there is room for; the last always has its own.
function ticksOf(sessions, across, width) {
  const step = Math.ceil((sessions.length * TICK_ROOM) / (width - EDGE.left - EDGE.right));
  return sessions
    .map((session, place) => ({ x: across(place), text: String(session.label?.session ?? place + 1), place }))
    .filter(({ place }) => (sessions.length - 1 - place) % step === 0);
}

// The sessions in which this was not measured; `value` null: it was answered, and too much was left out for a score.
function missingOf(series, sessions, across) {
  const measured = new Set(series.points.filter((point) => point.value !== null).map((point) => point.place));
  const unscored = new Set(series.points.filter((point) => point.value === null).map((point) => point.place));
  return sessions
    .map((session, place) => ({
      recording: session.recording,
      place,
      x: across(place),
      unscored: unscored.has(place),
      unopened: session.unopened > 0,
    }))
    .filter(({ place }) => !measured.has(place));
}
