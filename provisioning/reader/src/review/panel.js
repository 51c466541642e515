// The panel of notes: what was said before, what is being written, and who is to read it. A draft outlives the way to another
// recording and back; it is in memory alone, and the browser asks before it closes a page that has one.

import { button, h } from "../page/dom.js";
import { isTyping } from "../page/keyboard.js";
import { EMPTY, isEmpty } from "./draft.js";
import { current } from "./current.js";
import { earlier } from "./earlier.js";
import { saving } from "./saving.js";
import { writing } from "./writing.js";

/** The drafts of this visit, by recording. */
export class Drafts {
  #drafts = new Map();

  constructor(page = window) {
    page.addEventListener("beforeunload", (event) => {
      if ([...this.#drafts.values()].some((draft) => !isEmpty(draft))) event.preventDefault();
    });
  }

  of(recording) {
    return this.#drafts.get(recording) ?? EMPTY;
  }

  keep(recording, draft) {
    this.#drafts.set(recording, draft);
  }
}

/** The panel of one recording. Without a kit nobody is known who could read, and nobody whose notes they would be. */
export const notesPanel = (drafts) => ({
  id: "notes",
  title: "Notes",
  open: true,
  make: (context) => notes(context, drafts),
});

function notes(context, drafts) {
  const { clinic, player, signal } = context;
  const before = earlier(context);
  const id = recordingOf(context);
  if (!clinic?.kit || id === null) return h("div", {}, before.place);
  const holder = { draft: drafts.of(id), change: (draft) => drafts.keep(id, (holder.draft = draft)) };
  const { rubric, tags } = clinic.kit;
  const made = writing(holder, { player, tags, rubric });
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      event.preventDefault();
      made.add();
    },
    { signal },
  );
  const add = button("Note at this moment", () => made.add(), { class: "main", id: "add-note", "aria-keyshortcuts": "n" });
  const saved = () => {
    holder.change(EMPTY);
    made.draw();
    before.again();
  };
  const keys = "N begins a note at the present moment; the recording goes on. Esc leaves it.";
  return h(
    "div",
    { class: "review" },
    before.place,
    current(context),
    h("div", { class: "row" }, add, h("span", { class: "hint", text: keys })),
    made.place,
    saving({ context, id, holder, saved }),
  );
}

/** Which recording it is: what its signed manifest says, or else the box or the folder. */
function recordingOf({ facts, entry, title }) {
  const id = facts?.id ?? entry?.id ?? title;
  return /^[0-9]{6}-[a-z0-9]{10}$/.test(id) ? id : null;
}
