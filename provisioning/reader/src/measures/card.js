// One client code with its courses, off track first; each chart is as wide as there is room.

import { h, show } from "../page/dom.js";
import { chartOf } from "./chart.js";
import { drawChart } from "./draw.js";
import { TRACK, caveat, title, why, without } from "./says.js";

/** `open(recording)` shows one; `here` is the one that is shown already, if any. */
export function clientCard({ client, sessions, series, track, without: missing }, { open }) {
  const people = new Set(series.map((one) => one.person)).size;
  const told = without(missing, sessions.length);
  return h(
    "section",
    { class: "card course", "data-client": client, "data-track": track },
    h("div", { class: "heading" }, h("h2", { text: client }), h("span", { class: "track", "data-track": track, text: TRACK[track] })),
    told && h("p", { class: "note", text: told }),
    series.length === 0 && h("p", { class: "hint", text: "Nothing was measured that your key opens." }),
    series.map((one) => courseOf(one, sessions, { people, open })),
  );
}

function courseOf(series, sessions, { people, open }) {
  const numberOf = (place) => sessions[place].label.session ?? place + 1;
  const drawing = h("div", { class: "chart-room" });
  let drawn = 0;
  new ResizeObserver(() => {
    const room = drawing.clientWidth;
    if (room === 0 || room === drawn) return;
    drawn = room;
    show(drawing, drawChart(chartOf(series, sessions, room), series, { people, numberOf, open }));
    drawing.scrollLeft = drawing.scrollWidth; // the last sessions first
  }).observe(drawing);
  return h(
    "div",
    { class: "series", "data-track": series.track },
    h("h3", { text: title(series, people) }),
    h(
      "p",
      { class: "why" },
      h("span", { class: "track", "data-track": series.track, text: TRACK[series.track] }),
      ` ${why(series)} ${caveat(series.known)}`,
    ),
    drawing,
  );
}
