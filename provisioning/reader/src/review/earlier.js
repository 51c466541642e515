// What was said of a recording before: reviews and notes that lie beside it and open with the keys of whoever reads.

import { openAll } from "../beside/attachments.js";
import { problem } from "../page/desk.js";
import { button, h, show } from "../page/dom.js";
import { clock, when } from "../times.js";

/** Look, and show it; the element, and `again()` for when something was put there. */
export function earlier(context) {
  const place = h("div", { class: "earlier", "aria-live": "polite" }, h("p", { class: "busy", text: "Looking what lies beside it…" }));
  const look = async (options) => {
    try {
      const found = (await context.attachments(options)).filter(({ kind }) => kind === "review" || kind === "note");
      const { said, unopened } = await openAll(found, context.keyring);
      show(
        place,
        said.map((one) => entryOf(one, context)),
        unopened.length > 0 && sealedToOthers(unopened),
      );
    } catch (error) {
      show(place, problem(error, button("Try again", again)));
    }
  };
  const again = () => look({ again: true });
  look();
  return { place, again };
}

/** What stands in the latest reviews: growth edge and plan are worth more at the top than in their place. */
function entryOf({ kind, document, name }, { clinic, player }) {
  const head = h("p", { class: "facts", text: `${nameOf(document.by, clinic)}, ${when(document.at)}` });
  if (kind === "note")
    return h("article", { class: "said-before", "data-name": name }, head, h("p", { class: "text", text: document.text }));
  return h(
    "article",
    { class: "said-before", "data-name": name },
    head,
    document.growth_edge && told("Growth edge", document.growth_edge),
    document.plan && told("Plan", document.plan.text, document.plan.next_date && `looked at again on ${dayOf(document.plan.next_date)}`),
    document.ratings && ratingsOf(document.ratings, clinic),
    document.notes.length > 0 &&
      h(
        "ul",
        {},
        document.notes.map((note) => noteOf(note, player)),
      ),
  );
}

function told(title, text, more = null) {
  return h("p", { class: "text" }, h("strong", { text: `${title}: ` }), text, more && h("span", { class: "hint", text: ` (${more})` }));
}

function noteOf({ at_us: atUs, until_us: untilUs, text, tags }, player) {
  const to = untilUs === null ? "" : `–${clock(untilUs)}`;
  const moment =
    atUs === null
      ? h("span", { class: "moment", text: "all of it" })
      : button(`${clock(atUs)}${to}`, () => player.play(atUs), { class: "moment" });
  return h(
    "li",
    {},
    moment,
    h("span", { class: "text", text }),
    tags.filter((tag) => tag !== text).map((tag) => h("span", { class: "tag", text: tag })),
  );
}

function ratingsOf({ rubric, items }, clinic) {
  const known = clinic?.kit?.rubric?.id === rubric ? clinic.kit.rubric : null;
  const line = ([id, value]) => `${known?.items.find((item) => item.id === id)?.text ?? id}: ${value ?? "not rated"}`;
  return h(
    "details",
    {},
    h("summary", { text: `Ratings (${known?.title ?? rubric})` }),
    h(
      "ul",
      {},
      Object.entries(items).map((one) => h("li", { text: line(one) })),
    ),
  );
}

function sealedToOthers(unopened) {
  const strange = unopened.filter(({ problem: why }) => why.kind !== "wrong key");
  const others = unopened.length - strange.length;
  return [
    others > 0 && h("p", { class: "hint", text: `${others} more ${others === 1 ? "is" : "are"} sealed to others.` }),
    strange.map(({ problem: why }) => problem(why)),
  ];
}

/** Who has that mark, as far as the kit knows. */
export function nameOf(mark, clinic) {
  const kit = clinic?.kit;
  if (!kit) return `mark ${mark}`;
  return kit.person.mark === mark
    ? kit.person.name
    : (kit.people.find((one) => one.mark === mark)?.name ?? `somebody who is not in your kit (mark ${mark})`);
}

/** A day of the calendar, as people write it. */
export function dayOf(day) {
  return new Date(`${day}T12:00:00`).toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
}
