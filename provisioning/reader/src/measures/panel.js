// The panel of measures: what was answered in this session, and on demand the course of this client code through all of theirs
// that this person may know of.

import { openAll } from "../beside/attachments.js";
import { problem } from "../page/desk.js";
import { button, h, show } from "../page/dom.js";
import { coursesOf } from "./courses.js";
import { clientCard } from "./card.js";
import { day, figure } from "./says.js";

/** `library(clinic)` gives the sessions of all recordings of the clinic's boxes (library.js). */
export const measuresPanel = (library) => ({
  id: "measures",
  title: "Measures",
  open: true,
  make: (context) => measures(context, library),
});

function measures(context, library) {
  const place = h("div", { class: "measures", "aria-live": "polite" }, h("p", { class: "busy", text: "Looking for measures…" }));
  const load = async () => {
    try {
      const wanted = (await context.attachments()).filter(({ kind }) => kind === "label" || kind === "measure");
      show(place, ...ofSession(await openAll(wanted, context.keyring), context, library));
    } catch (error) {
      show(place, problem(error, button("Try again", load)));
    }
  };
  load();
  return place;
}

function ofSession({ said, unopened }, context, library) {
  const label = said.find(({ kind }) => kind === "label")?.document ?? null;
  const answered = said.filter(({ kind }) => kind === "measure");
  const closed = unopened.filter(({ kind }) => kind === "measure").length;
  return [
    label && h("p", { class: "facts", text: `Client code ${label.client}${label.session === null ? "" : `, session ${label.session}`}` }),
    answered.length === 0 && closed === 0 && h("p", { class: "note", text: "No measures were attached to this session." }),
    closed > 0 && h("p", { class: "note", text: `${closed} ${closed === 1 ? "measure is" : "measures are"} sealed to others.` }),
    answered.map(({ document }) => answeredOf(document)),
    label && context.clinic?.boxes.length > 0 && across(label.client, context, library),
  ];
}

function answeredOf({ measure, scores, answers, finished, person }) {
  const told = scores.map(({ name, value, least, most, band }) =>
    h(
      "p",
      {},
      h("strong", { text: value === null ? "no score" : figure(value) }),
      ` of ${figure(least)} to ${figure(most)}: ${name}${band === null ? "" : `, ${band}`}`,
    ),
  );
  const lines = answers.map(({ text, value, words, least, most }) => {
    const answer = value === null ? "rather not said" : (words ?? `${value}, from ${least} to ${most}`);
    return h("div", {}, h("dt", { text }), h("dd", { text: answer }));
  });
  return h(
    "article",
    { class: "answered", "data-measure": measure.id },
    h("h3", { text: person > 1 ? `${measure.title}, person ${person}` : measure.title }),
    told,
    h("details", {}, h("summary", { text: `Answers of ${day(finished)}` }), h("dl", {}, lines)),
  );
}

function across(client, context, library) {
  const place = h("div", { "aria-live": "polite" });
  const load = async () => {
    try {
      const { sessions, chosenOf } = await library(context.clinic, { progress: looked(place), signal: context.signal });
      const course = coursesOf(sessions).clients.find((one) => one.client === client);
      const open = (recording) => context.openAt(chosenOf(recording));
      show(place, clientCard(course, { open, here: context.entry?.id }));
    } catch (error) {
      if (!context.signal.aborted) show(place, problem(error, button("Try again", load)));
    }
  };
  show(place, button("Show their course", load, { id: "show-course" }));
  return place;
}

/** Tells in a place how many recordings were looked at. */
export function looked(place) {
  const bar = h("progress", { "aria-label": "Recordings looked at" });
  const words = h("span", {});
  show(place, h("p", { class: "busy" }, bar, words));
  return (done, of) => {
    [bar.max, bar.value] = [of, done];
    words.textContent = ` ${done} of ${of} recordings looked at`;
  };
}
