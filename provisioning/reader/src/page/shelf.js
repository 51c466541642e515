// The shelf: what each box of the kit has, newest first, and a way to open what lies in a file or a folder.

import { FileSource } from "../sources/file.js";
import { BoxSource } from "../sources/box.js";
import { roughly, when } from "../times.js";
import { presets } from "../play/presets.js";
import { button, h, icon, show } from "./dom.js";
import { problem } from "./desk.js";
import { sealedIn } from "./folder.js";

const PLAY = "M8 5v14l11-7z";

/** Show it; `chosen(recording, {back})` once somebody chose, `across()` for the courses of all client codes. */
export function shelf(place, { desk, clinic, chosen, across }) {
  const back = () => desk.show((again) => shelf(again, { desk, clinic, chosen, across }));
  place.append(
    h("div", { class: "heading" },
      h("h1", { tabindex: "-1", text: clinic.person ? `Recordings for ${clinic.person.name}` : "Choose a recording" }),
      h("div", { class: "row" },
        clinic.boxes.length > 0 && button("Measures across sessions", across, { id: "across" }),
        button("Lock", () => desk.lock(), { class: "quiet" })),
    ),
    ...clinic.boxes.map((box) => shelfOf(box, { clinic, chosen, back })),
    fromDisk({ clinic, chosen, back }),
  );
}

function shelfOf(box, { clinic, chosen, back }) {
  const list = h("div", { class: "list" }, h("p", { class: "busy", text: "Asking…" }));
  const load = async () => {
    try {
      const entries = await box.recordings();
      box.warm({ again: true });
      const rows = entries.map((entry) => row(entry, box, { clinic, chosen, back }));
      show(list, rows.length ? h("ul", {}, rows) : h("p", { class: "hint", text: "There is no recording for you." }));
    } catch (error) {
      show(list, problem(error, button("Try again", load)));
    }
  };
  load();
  return h("section", { class: "card", "aria-label": box.name }, h("h2", { text: box.name }), list);
}

function row(entry, box, { clinic, chosen, back }) {
  const started = when(entry.started) || entry.id;
  const open = (preset) => chosen({ ...onBox(entry, box, clinic), preset }, { back });
  const title = h("span", { class: "title", text: started });
  const facts = h("span", { class: "facts", text: factsOf(entry) });
  const quick = presets(entry.duration_us, []).find((one) => one.id === "last-10");
  return h(
    "li",
    { on: { pointerenter: () => box.warm(), pointerdown: () => box.warm(), focusin: () => box.warm() } },
    button("", () => open(null), { class: "open", drawing: h("span", {}, title, facts), disabled: !entry.downloadable, "aria-label": null, title: null }),
    quick && entry.downloadable &&
      button(`${quick.label} of ${started}`, () => open(quick.id), { class: "pill", drawing: h("span", {}, icon(PLAY), quick.label) }),
  );
}

/** A recording of a box's list, as it is opened. */
export function onBox(entry, box, clinic) {
  const title = when(entry.started) || entry.id;
  const document = () => box.manifest(entry.id);
  return { source: new BoxSource(box, entry), keyring: clinic.keyring, clinic, title, document, beside: [], entry, box, preset: null };
}

function factsOf(entry) {
  const parts = [
    roughly(entry.duration_us),
    entry.picture ? "sound and picture" : "sound",
    entry.state === "complete" ? null : entry.state,
    entry.sound === "good" || entry.sound === "unknown" ? null : `sound: ${entry.sound}`,
    entry.bookmarks ? `${entry.bookmarks} bookmark${entry.bookmarks === 1 ? "" : "s"}` : null,
    entry.clock_trusted ? null : "clock not trusted",
    entry.downloadable ? null : "not to be had now",
  ];
  return parts.filter(Boolean).join(" · ");
}

function fromDisk({ clinic, chosen, back }) {
  const said = h("div", { "aria-live": "polite" });
  const choose = async (event) => {
    const { files } = event.target;
    try {
      const found = await sealedIn([...files]);
      show(said);
      if (found.length === 1) open(found[0]);
      else show(said, h("ul", {}, found.map((one) => h("li", {}, button(one.title, () => open(one), { class: "open" })))));
    } catch (error) {
      show(said, problem(error));
    }
    event.target.value = "";
  };
  const open = ({ file, ...found }) =>
    chosen({ source: new FileSource(file), keyring: clinic.keyring, clinic, ...found, entry: null, box: null, preset: null }, { back });
  return h(
    "section",
    { class: "card" },
    h("h2", { text: "From this computer" }),
    h("div", { class: "pickers" },
      h("label", { class: "picker" }, "Open a file", h("input", { type: "file", multiple: true, id: "file", on: { change: choose } })),
      h("label", { class: "picker" }, "Open a folder", h("input", { type: "file", webkitdirectory: true, id: "folder", on: { change: choose } })),
    ),
    said,
  );
}
