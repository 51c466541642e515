// Where notes are written while a recording plays: each at its moment, and below them what the whole of it comes to.

import { button, h, icon, show } from "../page/dom.js";
import { clock } from "../times.js";
import { MOST_TEXT_LETTERS } from "./document.js";
import { begun, changed, dropped, toggled } from "./draft.js";

const CROSS = "M6 6l12 12M18 6L6 18";

/** The place for writing. `desk` holds the draft: `{draft, change(draft)}`; `add()` begins a note at the present moment. */
export function writing(holder, { player, tags, rubric }) {
  const list = h("ul", { class: "notes" });
  const rest = h("div", {});
  const drawNotes = (focusOn = null) => {
    show(
      list,
      holder.draft.notes.map((note) => noteRow(note, { holder, player, tags, draw: drawNotes })),
    );
    if (focusOn !== null) list.querySelector(`[data-number="${focusOn}"] textarea`)?.focus();
  };
  const add = (atUs = player.nowUs) => {
    const { draft, number } = begun(holder.draft, atUs);
    if (number === null) return;
    holder.change(draft);
    drawNotes(number);
  };
  const draw = () => {
    drawNotes();
    show(rest, whole(holder), rubric && rated(holder, rubric));
  };
  draw();
  return { place: h("div", {}, list, rest), add, draw };
}

function noteRow({ number, at_us: atUs, until_us: untilUs, text, tags: chosen }, { holder, player, tags, draw }) {
  const change = (what) => holder.change(changed(holder.draft, number, what));
  const written = h("textarea", {
    rows: 2,
    maxlength: MOST_TEXT_LETTERS,
    "aria-label": `Note at ${atUs === null ? "no moment" : clock(atUs)}`,
    on: { input: ({ target }) => change({ text: target.value }), keydown: leave },
  });
  written.value = text;
  const tagged = (tag) => () => {
    holder.change(toggled(holder.draft, number, tag));
    draw(number);
  };
  const moment =
    atUs === null
      ? h("span", { class: "moment", text: "all of it" })
      : button(clock(atUs), () => player.seek(atUs), { class: "moment", title: "Go there" });
  const end =
    atUs !== null &&
    button(untilUs === null ? "until now" : `until ${clock(untilUs)}`, () => (change({ until_us: player.nowUs }), draw()), {
      class: "pill small",
    });
  const drop = button("Drop this note", () => (holder.change(dropped(holder.draft, number)), draw()), {
    drawing: icon(CROSS),
    class: "round small",
  });
  return h(
    "li",
    { "data-number": number },
    h("div", { class: "row" }, moment, end, h("span", { class: "spring" }), drop),
    written,
    tags.length > 0 &&
      h(
        "div",
        { class: "tags", role: "group", "aria-label": "Tags" },
        tags.map((tag) => button(tag, tagged(tag), { class: "pill small", "aria-pressed": String(chosen.includes(tag)) })),
      ),
  );
}

// Back to the recording's own keys, without the mouse.
function leave(event) {
  const done = event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
  if (!done) return;
  event.preventDefault();
  document.getElementById("timeline").focus();
}

function whole(holder) {
  return h(
    "div",
    { class: "whole" },
    field("Growth edge: what the therapist works on now", area(holder, "growth_edge")),
    field("Plan: what is practised until the next time", area(holder, "plan")),
    field("Looked at again on", day(holder)),
  );
}

function area(holder, key) {
  const written = h("textarea", {
    id: `review-${key}`,
    rows: 2,
    maxlength: MOST_TEXT_LETTERS,
    on: { input: ({ target }) => holder.change({ ...holder.draft, [key]: target.value }), keydown: leave },
  });
  written.value = holder.draft[key];
  return written;
}

function day(holder) {
  const chosen = h("input", {
    type: "date",
    id: "review-next_date",
    on: { input: ({ target }) => holder.change({ ...holder.draft, next_date: target.value }) },
  });
  chosen.value = holder.draft.next_date;
  return chosen;
}

function rated(holder, { title, items }) {
  const choose =
    (id) =>
    ({ target }) => {
      const value = target.value === "" ? null : Number(target.value);
      holder.change({ ...holder.draft, ratings: { ...holder.draft.ratings, [id]: value } });
    };
  const lines = items.map(({ id, text, least, most }) => {
    const values = Array.from({ length: most - least + 1 }, (_, step) => least + step);
    const select = h(
      "select",
      { id: `rating-${id}`, on: { change: choose(id) } },
      h("option", { value: "", text: "not rated" }),
      values.map((value) => h("option", { value, text: String(value) })),
    );
    select.value = String(holder.draft.ratings[id] ?? "");
    return field(text, select);
  });
  return h("details", { class: "rubric" }, h("summary", { text: title }), lines);
}

function field(label, input) {
  return h("div", { class: "labelled" }, h("label", { for: input.id, text: label }), input);
}
