// The session as a line: where it stands, how loud it is as far as that is known, bookmarks, gaps, and the part that is
// played. It is a slider to keyboards and screen readers.

import { SECOND_US, clock, spoken } from "../times.js";
import { h } from "./dom.js";

const STEP_US = 5 * SECOND_US;
const LEAP_US = 60 * SECOND_US;
const HEIGHT = 64;

export function timeline(player, levels, { bookmarksUs, gaps, rateHz }) {
  const canvas = h("canvas", { height: HEIGHT, "aria-hidden": "true" });
  const line = h("div", { class: "timeline", role: "slider", tabindex: "0", "aria-label": "Where in the session", "aria-valuemin": 0, id: "timeline" }, canvas);
  const gapsUs = gaps.map(({ start, samples }) => ({ fromUs: (start * SECOND_US) / rateHz, toUs: ((start + samples) * SECOND_US) / rateHz }));
  const marks = { bookmarksUs, gapsUs };
  let asked = false;
  const draw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      if (canvas.isConnected) paint(canvas, player, levels, marks);
    });
  };
  const tell = () => {
    line.setAttribute("aria-valuemax", Math.round(player.durationUs / SECOND_US));
    line.setAttribute("aria-valuenow", Math.round(player.nowUs / SECOND_US));
    line.setAttribute("aria-valuetext", `${spoken(player.nowUs)} of ${spoken(player.durationUs)}`);
    draw();
  };
  const at = (event) => {
    const { left, width } = line.getBoundingClientRect();
    return ((event.clientX - left) / width) * player.durationUs;
  };
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    player.seek(at(event));
  });
  line.addEventListener("pointermove", (event) => {
    line.title = clock(at(event));
    if (line.hasPointerCapture(event.pointerId)) player.seek(at(event));
  });
  line.addEventListener("keydown", (event) => {
    const to = KEYS[event.key]?.(player);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    player.seek(to);
  });
  for (const name of ["moved", "slice", "state"]) player.addEventListener(name, tell);
  levels.addEventListener("more", draw);
  new ResizeObserver(draw).observe(line);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  tell();
  return line;
}

const KEYS = {
  ArrowLeft: (player) => player.nowUs - STEP_US,
  ArrowRight: (player) => player.nowUs + STEP_US,
  ArrowDown: (player) => player.nowUs - STEP_US,
  ArrowUp: (player) => player.nowUs + STEP_US,
  PageDown: (player) => player.nowUs - LEAP_US,
  PageUp: (player) => player.nowUs + LEAP_US,
  Home: () => 0,
  End: (player) => player.durationUs,
};

function paint(canvas, player, levels, { bookmarksUs, gapsUs }) {
  const [width, scale] = [canvas.parentElement.clientWidth, devicePixelRatio || 1];
  Object.assign(canvas, { width: width * scale, height: HEIGHT * scale });
  const draw = canvas.getContext("2d");
  draw.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name);
  const x = (us) => (us / Math.max(1, player.durationUs)) * width;
  const block = (fill, fromUs, toUs, top = 0, height = HEIGHT, least = 1) => {
    draw.fillStyle = fill;
    draw.fillRect(x(fromUs), top, Math.max(least, x(toUs) - x(fromUs)), height);
  };
  if (player.slice) block(colour("--part"), player.slice.fromUs, player.slice.toUs);
  block(colour("--line"), 0, player.durationUs, HEIGHT / 2 - 1, 2);
  for (const { startUs, endUs, level } of levels.known()) {
    const tall = Math.max(2, level * (HEIGHT - 12));
    block(colour(startUs < player.nowUs ? "--heard" : "--level"), startUs, endUs, (HEIGHT - tall) / 2, tall);
  }
  for (const { fromUs, toUs } of gapsUs) block(colour("--gap"), fromUs, toUs, 0, HEIGHT, 2);
  for (const us of bookmarksUs) {
    draw.fillStyle = colour("--mark");
    draw.beginPath();
    draw.moveTo(x(us) - 5, 0);
    draw.lineTo(x(us) + 5, 0);
    draw.lineTo(x(us), 9);
    draw.fill();
  }
  draw.fillStyle = colour("--here");
  draw.fillRect(Math.min(x(player.nowUs), width - 2), 0, 2, HEIGHT);
}
