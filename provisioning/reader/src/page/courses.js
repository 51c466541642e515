// Everybody's courses: the client codes that are off track first, each point a way to its recording; and the recordings that
// nobody's code is on.

import { coursesOf } from "../measures/courses.js";
import { clientCard } from "../measures/card.js";
import { looked } from "../measures/panel.js";
import { SESSIONS_TO_IMPROVE } from "../measures/track.js";
import { when } from "../times.js";
import { button, h, show } from "./dom.js";
import { problem } from "./desk.js";

const RULE =
  "Off track: the last score is worse than the first by what counts as a change for that form, or, from session " +
  `${SESSIONS_TO_IMPROVE} on, an outcome is not better by it. It is a reason to look, and no diagnosis.`;

/** Show them; `chosen(recording)` once somebody chose a point. Gives what ends it. */
export function courses(place, { clinic, library, chosen }) {
  const leaving = new AbortController();
  const list = h("div", { class: "courses", "aria-live": "polite" });
  const load = async () => {
    try {
      const { sessions, chosenOf } = await library(clinic, { progress: looked(list), signal: leaving.signal, again: true });
      const { clients, unlabelled } = coursesOf(sessions);
      const open = (recording) => chosen(chosenOf(recording));
      show(
        list,
        clients.map((one) => clientCard(one, { open })),
        clients.length === 0 && nobody(),
        withoutLabel(unlabelled, open),
      );
    } catch (error) {
      if (!leaving.signal.aborted) show(list, problem(error, button("Try again", load)));
    }
  };
  place.append(h("h1", { tabindex: "-1", text: "Measures across sessions" }), h("p", { class: "hint", text: RULE }), list);
  load();
  return () => leaving.abort();
}

const nobody = () => h("p", { class: "hint", text: "No recording has a label that your key opens." });

function withoutLabel(sessions, open) {
  if (sessions.length === 0) return null;
  const lines = sessions.map(({ recording, started, measures }) =>
    h(
      "li",
      {},
      button(`${when(started) || recording}${measures.length > 0 ? "" : ", without measures"}`, () => open(recording), { class: "open" }),
    ),
  );
  return h(
    "details",
    { class: "card" },
    h("summary", { text: `${sessions.length} without a label that your key opens` }),
    h("ul", {}, lines),
  );
}
