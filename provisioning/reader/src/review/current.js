// What a therapist works on at present: the latest growth edge and the latest plan, wherever in their last sessions somebody
// wrote them down.

import { attachmentsOf, openAll } from "../beside/attachments.js";
import { problem } from "../page/desk.js";
import { button, h, show } from "../page/dom.js";
import { when } from "../times.js";
import { dayOf, nameOf } from "./earlier.js";

const MOST_SESSIONS = 20;

/** Looks for them on a press; null where there is no box that could be asked, or nobody whose they would be. */
export function current(context) {
  if (!context.box || !context.facts?.therapist) return null;
  const place = h("div", { class: "current", "aria-live": "polite" });
  const look = async () => {
    show(place, h("p", { class: "busy", text: "Looking through the last sessions…" }));
    try {
      show(place, ...lines(await found(context), context));
    } catch (error) {
      if (!context.signal.aborted) show(place, problem(error, button("Try again", look)));
    }
  };
  show(place, button("Growth edge and plan so far", look, { id: "show-current", class: "pill" }));
  return place;
}

/** `{growth_edge, plan}`: of each the latest review that has one, or null. Sessions before them are not looked at. */
async function found({ box, keyring, facts, signal }) {
  const entries = (await box.recordings()).filter((entry) => entry.therapist === facts.therapist && entry.state !== "open");
  const latest = { growth_edge: null, plan: null };
  for (const entry of entries.slice(0, MOST_SESSIONS)) {
    signal.throwIfAborted();
    const reviews = (await attachmentsOf({ box, entry, beside: [] })).filter(({ kind }) => kind === "review");
    const { said } = await openAll(reviews, keyring);
    for (const { document } of said.sort((one, other) => (one.document.at < other.document.at ? 1 : -1))) {
      for (const key of ["growth_edge", "plan"]) if (document[key] !== null) latest[key] ??= document;
    }
    if (latest.growth_edge && latest.plan) break;
  }
  return latest;
}

function lines({ growth_edge: edge, plan }, context) {
  if (!edge && !plan)
    return [h("p", { class: "hint", text: `Nobody wrote one down in their last ${MOST_SESSIONS} sessions, or not for you.` })];
  return [
    edge && line("Growth edge", edge.growth_edge, edge, context),
    plan && line("Plan", plan.plan.text, plan, context, plan.plan.next_date && `looked at again on ${dayOf(plan.plan.next_date)}`),
  ];
}

function line(title, text, { by, at }, { clinic }, more = null) {
  const from = `${nameOf(by, clinic)}, ${when(at)}${more === null ? "" : `, ${more}`}`;
  return h("p", { class: "text" }, h("strong", { text: `${title}: ` }), text, " ", h("span", { class: "hint", text: `(${from})` }));
}
