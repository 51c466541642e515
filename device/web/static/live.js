// Keeps the state of the box, the level and the list of recordings up to date, in the words that the server chose.

import { poll, subscribe } from "./poll.js";
import "./ask.js";
import "./framing.js";

const FLOOR_DBFS = -60;
const HOLD_MS = 1500;
const live = document.getElementById("live");
const meter = document.getElementById("meter");
const well = document.getElementById("well");
let hold = { level: 0, until: 0 };
let lastKey = null;

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function paragraphs(parent, parts) {
  const key = JSON.stringify(parts);
  if (parent.dataset.key === key) return;
  parent.dataset.key = key;
  parent.replaceChildren(
    ...parts.map(([strong, plain]) => {
      const paragraph = document.createElement("p");
      if (strong) {
        paragraph.append(Object.assign(document.createElement("strong"), { textContent: strong }), " ");
      }
      paragraph.append(plain);
      return paragraph;
    }),
  );
}

function showSimulated(words) {
  const notice = document.querySelector("[data-say=simulated]");
  setText(notice, words);
  notice.hidden = !words;
}

function showSays(says) {
  live.dataset.kind = says.kind;
  live.dataset.capturing = String(says.capturing);
  for (const element of document.querySelectorAll("[data-say]")) {
    if (element.dataset.say !== "simulated") setText(element, says[element.dataset.say]);
  }
  if (says.simulated !== undefined) showSimulated(says.simulated);
  paragraphs(live.querySelector("[data-details]"), says.details.map((detail) => ["", detail]));
  paragraphs(document.getElementById("wrong"), says.wrong.map((wrong) => [wrong.what, wrong.hint]));
  document.getElementById("sync").hidden = !says.sync;
  well.hidden = !says.well_text;
  well.dataset.well = String(says.well);
  meter.setAttribute("aria-valuetext", says.level);
}

function showLevel(level) {
  const part = level ? Math.min(Math.max(1 - level.peak_dbfs / FLOOR_DBFS, 0), 1) : 0;
  const now = performance.now();
  if (part >= hold.level || now > hold.until) hold = { level: part, until: now + HOLD_MS };
  meter.querySelector(".meter-fill").style.clipPath = `inset(0 ${100 - part * 100}% 0 0)`;
  meter.querySelector(".meter-hold").style.left = `${hold.level * 100}%`;
  meter.setAttribute("aria-valuenow", String(Math.round(FLOOR_DBFS * (1 - part))));
}

// The words for "nothing is known": said by the page itself, for whoever else would say them does not answer.
function unknown(kind, headline, detail) {
  const dash = live.dataset.unknown;
  const blanks = { elapsed: "–", level: dash, devices: dash, tone: dash, light_text: dash, sync: "" };
  const details = detail ? [detail] : [];
  return { kind, headline, details, shown: headline, wrong: [], well_text: "", well_why: "", ...blanks };
}

async function refreshList() {
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const selector of ["#recordings", ".section-head"]) {
    const [old, next] = [document.querySelector(selector), fresh.querySelector(selector)];
    if (old && next && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(next));
  }
}

function showList(status) {
  const { recording, last, sealing, state, stale } = status;
  const key = JSON.stringify([recording?.id, last?.id, last?.sealed, last?.fate, sealing, state, stale]);
  if (lastKey !== null && lastKey !== key) {
    refreshList();
    setTimeout(refreshList, 1500); // what follows the change in the store: a file gets its name, or is erased
  }
  lastKey = key;
}

if (live) {
  const { lost, lostDo, waiting } = live.dataset;
  subscribe((news) => {
    live.querySelector("[data-as-of]").hidden = true;
    const { status } = news;
    if (status) showList(status);
    showSays(status ? status.says : news.lost ? unknown("gone", lost, lostDo) : unknown("gone", waiting, ""));
    showLevel(status && !status.stale ? status.level : null);
  });
  poll(live.dataset.statusUrl, Number(live.dataset.pollMs));
}
