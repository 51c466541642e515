// A chart drawn: SVG made element by element. Every point, and every session without one, is a link to its recording.

import { drawn } from "../page/dom.js";
import { missing as missingWords, figure, point as pointWords, title } from "./says.js";

const POINT = 5;
const FINGER = 14;

/** The chart of one course; `open(recording)` is called when one of its points is chosen. */
export function drawChart(chart, series, { people, numberOf, open }) {
  const { width, height, plot } = chart;
  const svg = drawn("svg", {
    class: "chart",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "group",
    "aria-label": title(series, people),
  });
  if (chart.change !== null) svg.append(changeOf(chart));
  for (const { value, y } of chart.levels) svg.append(...levelOf(value, y, plot));
  svg.append(drawn("text", { class: "chart-number", x: 0, y: height - 8 }, "Session"));
  for (const { x, text } of chart.ticks)
    svg.append(drawn("text", { class: "chart-number", x, y: height - 8, "text-anchor": "middle" }, text));
  svg.append(drawn("polyline", { class: "chart-line", points: chart.line.map(({ x, y }) => `${x},${y}`).join(" ") }));
  for (const one of chart.missing) svg.append(linkTo(one.recording, missingWords(one, numberOf(one.place)), open, missingOf(one, plot)));
  const last = chart.points.findLast((one) => one.y !== null);
  for (const one of chart.points) {
    if (one.y === null) continue;
    svg.append(
      linkTo(
        one.recording,
        pointWords(one, series, numberOf(one.place)),
        open,
        pointOf(one, { off: one === last && series.track === "off" }),
      ),
    );
  }
  return svg;
}

function changeOf({ change, plot }) {
  return drawn("rect", {
    class: "chart-change",
    x: plot.left,
    y: change.top,
    width: plot.right - plot.left,
    height: change.bottom - change.top,
  });
}

function levelOf(value, y, plot) {
  return [
    drawn("line", { class: "chart-level", x1: plot.left, x2: plot.right, y1: y, y2: y }),
    drawn("text", { class: "chart-number", x: plot.left - 8, y: y + 4, "text-anchor": "end" }, figure(value)),
  ];
}

// A score is a dot; the one that makes a course off track is a diamond, so that it is told without its colour.
function pointOf({ x, y }, { off }) {
  const area = drawn("circle", { class: "chart-finger", cx: x, cy: y, r: FINGER });
  if (!off) return [area, drawn("circle", { class: "chart-point", cx: x, cy: y, r: POINT })];
  const reach = POINT + 3;
  const corners = [
    [0, -reach],
    [reach, 0],
    [0, reach],
    [-reach, 0],
  ]
    .map(([right, down]) => `${x + right},${y + down}`)
    .join(" ");
  return [area, drawn("polygon", { class: "chart-point chart-off", points: corners })];
}

// A session in which this was not measured: an open ring at the foot, crossed out where nothing at all was.
function missingOf({ x, unscored, unopened }, plot) {
  const y = plot.bottom + 12;
  const ring = drawn("circle", { class: "chart-missing", cx: x, cy: y, r: POINT - 1 });
  const area = drawn("circle", { class: "chart-finger", cx: x, cy: y, r: FINGER });
  if (unscored || unopened) return [area, ring];
  return [area, ring, drawn("line", { class: "chart-missing", x1: x - 6, y1: y + 6, x2: x + 6, y2: y - 6 })];
}

function linkTo(recording, words, open, shapes) {
  const link = drawn("a", { href: `#${recording}`, "aria-label": words, class: "chart-link" });
  link.append(drawn("title", {}, words), ...shapes);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    open(recording);
  });
  return link;
}
