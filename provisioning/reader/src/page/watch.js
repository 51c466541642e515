// A recording, opened: what it is, its picture and its sound, and beside it whatever belongs to the moment.

import { openRecording } from "../recording/recording.js";
import { judge } from "../recording/judging.js";
import { Player } from "../play/player.js";
import { Sound } from "../play/sound.js";
import { Levels } from "../play/levels.js";
import { MOST_BYTES, survey } from "../play/survey.js";
import { FIRST_BATCH } from "../play/feed.js";
import { presets } from "../play/presets.js";
import { attachmentsOf } from "../beside/attachments.js";
import { entryFor } from "../recording/places.js";
import { clock, roughly } from "../times.js";
import { button, h, show } from "./dom.js";
import { problem } from "./desk.js";
import { transport } from "./transport.js";
import { timeline } from "./timeline.js";
import { keyboard } from "./keyboard.js";

const HAS_SOMETHING_TO_PLAY = 3; // HTMLMediaElement.HAVE_FUTURE_DATA
const MOST_WAITED_MS = 10_000;

/** Open and show what was chosen; gives what ends it. */
export function watch(place, { desk, chosen, openAt, panels }) {
  const video = h("video", { playsinline: true, "aria-label": "The recording", tabindex: "-1" });
  const said = h("div", { class: "said", "aria-live": "polite" }, h("p", { class: "busy", text: "Opening…" }));
  const body = h("div", { class: "watch" });
  place.append(h("h1", { tabindex: "-1", text: chosen.title }), said, body);
  const ends = [];
  let gone = false;

  const open = async () => {
    try {
      const opening = openRecording(chosen.source, chosen.keyring);
      opening.then((recording) => bring(recording, chosen.preset)).catch(() => null); // it is told of below
      const [recording, judged] = await Promise.all([opening, judge(opening, chosen)]);
      if (!gone) ends.push(...fill(body, { desk, chosen, openAt, panels, recording, judged, video, said }));
    } catch (error) {
      if (!gone) show(said, problem(error, chosen.box && button("Try again", () => open())));
    }
  };
  open();
  return () => {
    gone = true;
    for (const end of ends) end();
  };
}

/** Have what is to be heard first brought while the manifest is still under way. */
function bring(recording, wanted) {
  const preset = presets(recording.durationUs, []).find((one) => one.id === wanted);
  const entry = entryFor(recording, preset?.fromUs ?? 0);
  if (entry) recording.fetch(entry.chunk, Math.min(entry.chunk + FIRST_BATCH, recording.fragmentsEnd));
}

function fill(body, { desk, chosen, openAt, panels, recording, judged, video, said }) {
  const player = new Player(video, recording);
  const sound = new Sound(video, judged.facts?.report?.loudness_lufs ?? null);
  const levels = new Levels();
  const bookmarksUs = (judged.facts?.bookmarks_us ?? []).filter((us) => us <= recording.durationUs);
  const parts = presets(recording.durationUs, bookmarksUs);
  player.addEventListener("fragment", ({ detail }) => levels.add(detail));
  tell(player, said, judged);
  const preset = parts.find((one) => one.id === chosen.preset);
  if (preset) player.play(preset.fromUs, preset.toUs, preset.name); // before anything is drawn: it takes its time to come
  else player.seek(0);
  const leaving = new AbortController();
  const heard = firstHeard(player, video);
  const attachments = attachmentsAfter(heard, chosen);
  const context = { ...chosen, desk, openAt, recording, player, facts: judged.facts, bookmarksUs, attachments, signal: leaving.signal };
  show(
    body,
    h("div", { class: "stage" },
      facts(recording, judged),
      recording.hasPicture ? h("div", { class: "picture" }, video) : h("div", { class: "sound" }, video),
      timeline(player, levels, { bookmarksUs, gaps: recording.index?.gaps ?? [], rateHz: recording.index?.rateHz ?? 48_000 }),
      overview({ recording, levels, box: chosen.box, signal: leaving.signal, heard }),
      transport(player, sound),
      h("div", { class: "presets", role: "group", "aria-label": "Parts of the session" },
        parts.map((one) => button(one.label, () => player.play(one.fromUs, one.toUs, one.name), { class: "pill", "data-preset": one.id })))),
    h("div", { class: "panels" }, panels.map((panel) => panelOf(panel, context))),
  );
  const unbind = keyboard(player, { bookmarksUs });
  return [() => leaving.abort(), unbind, () => levels.close(), () => sound.close(), () => player.close()];
}

/** What lies beside it, asked for once for all panels, or `again`; never before there is something to hear. */
function attachmentsAfter(heard, chosen) {
  let found = null;
  return ({ again = false } = {}) => {
    if (again || found === null) found = heard.then(() => attachmentsOf(chosen));
    found.catch(() => (found = null)); // whoever asked is told, and may ask again
    return found;
  };
}

/** When the first of it can be played, or cannot be, or it takes too long to wait for. */
function firstHeard(player, video) {
  return new Promise((resolve) => {
    if (video.readyState >= HAS_SOMETHING_TO_PLAY) resolve();
    video.addEventListener("canplay", resolve, { once: true });
    player.addEventListener("problem", resolve, { once: true });
    setTimeout(resolve, MOST_WAITED_MS);
  });
}

function panelOf(panel, context) {
  const made = panel.make(context);
  return made && h("details", { class: "card panel", "data-panel": panel.id, open: panel.open ?? false }, h("summary", { text: panel.title }), made);
}

/** What is worth knowing, and in its place what goes wrong as long as it is. */
function tell(player, said, judged) {
  let wrong = false;
  show(said, remarks(judged));
  player.addEventListener("problem", ({ detail }) => {
    wrong = true;
    show(said, problem(detail.error, past(player, detail)));
  });
  player.addEventListener("state", () => {
    if (wrong && !player.problem) show(said, remarks(judged)); // and no oftener: it is read out each time
    wrong = player.problem !== null;
  });
}

/** The levels of all of it: by themselves where that moves nothing, and from a box if somebody wants them. */
function overview({ recording, levels, box, signal, heard }) {
  const look = () => survey(recording, levels, signal).catch(() => null); // what is damaged is told where it is played
  if (!box) {
    heard.then(look);
    return null;
  }
  const megabytes = Math.ceil(Math.min(MOST_BYTES, recording.sizeBytes) / 1e6);
  const ask = button(`Draw the levels of all of it (${megabytes} MB)`, () => (ask.remove(), look()), { class: "link", id: "survey" });
  return ask;
}

/** What is worth knowing before one relies on it. */
function remarks({ notes }) {
  return notes.map((note) => h("p", { class: `note ${note.grave ? "grave" : ""}`, text: note.text }));
}

function facts(recording, { signer }) {
  const parts = [roughly(recording.durationUs), recording.complete ? "complete" : "interrupted", signer];
  return h("p", { class: "facts", text: parts.filter(Boolean).join(" · ") });
}

/** What is damaged is left out only if somebody says so. */
function past(player, { atUs, error }) {
  if (error.kind !== "damaged") return null;
  const onUs = atUs + 2_000_000;
  return onUs < player.durationUs && button(`Go on behind it, at ${clock(onUs)}`, () => player.play(onUs));
}
