// The picture of a framing check: asked for again and again, drawn, and gone when it is over or two seconds old.
//
// It is drawn into a canvas and not linked as an image, so that no browser keeps it anywhere.

import { subscribe } from "./poll.js";

const STALE_MS = 2000;
const EVERY_MS = 400;
const figure = document.getElementById("framing");
const canvas = figure?.querySelector("canvas");
let round = 0;
let timer = null;
let stale = null;

function forget() {
  clearTimeout(stale);
  figure.dataset.seen = "false";
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

async function fetchStill() {
  const answer = await fetch(figure.dataset.stillUrl, { cache: "no-store", signal: AbortSignal.timeout(STALE_MS) });
  if (answer.status !== 200) return null;
  const picture = await createImageBitmap(await answer.blob());
  return { picture, age: Number(answer.headers.get("X-Sotto-Age-Ms")) };
}

function draw({ picture, age }, asked) {
  const left = STALE_MS - age - (performance.now() - asked);
  if (left <= 0) return;
  if (canvas.width !== picture.width) canvas.width = picture.width;
  if (canvas.height !== picture.height) canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  figure.dataset.seen = "true";
  clearTimeout(stale);
  stale = setTimeout(forget, left);
}

async function look(mine) {
  const asked = performance.now();
  const still = await fetchStill().catch(() => null);
  if (mine !== round) return;
  if (still) draw(still, asked);
  else forget();
  timer = setTimeout(() => look(mine), EVERY_MS);
}

if (figure) {
  subscribe(({ status }) => {
    const framing = Boolean(status) && !status.stale && status.state === "framing";
    if (framing !== figure.hidden) return; // nothing has changed
    round += 1;
    clearTimeout(timer);
    forget();
    figure.hidden = !framing;
    if (framing) look(round);
  });
}
