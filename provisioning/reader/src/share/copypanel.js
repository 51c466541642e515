// The panel for a client's copy: one file sealed by a passphrase, this very reader, and the note of who agreed to it.

import { utf8 } from "../bytes.js";
import { h } from "../page/dom.js";
import { byPassphrase, sealStream } from "../review/sealing.js";
import { soundChoice } from "./clippanel.js";
import { madeUp } from "./passphrase.js";
import { COPY_NAME, READER_NAME, REVOCABLE, agreed, releaseFiles } from "./release.js";
import { Downloads, canChooseFolder, chosenFolder, streamOf } from "./saving.js";
import { soundOnly } from "./sound.js";
import { wholePlaintext } from "./whole.js";
import { isWithdrawn, notToBeHandedOn } from "./withdrawn.js";
import { workplace } from "./working.js";

export const copyPanel = {
  id: "copy",
  title: "Copy for the client",
  open: false,
  make: (context) => (isWithdrawn(context) ? notToBeHandedOn() : copy(context)),
};

function copy({ recording, clinic, facts, title, desk, signal }) {
  const fields = {
    who: field("who", "Who agreed to it", { placeholder: "client A-17, in writing" }),
    on: field("on", "On which day", { type: "date" }),
    by: field("by", "Who hands it out", { value: clinic?.person?.name ?? "" }),
    revocable: field("revocable", "How it is taken back", { value: REVOCABLE, long: true }),
  };
  const only = soundChoice(recording, "copy-sound");
  const { said, begin } = workplace(signal);
  const work =
    (place) =>
    async ({ progress, signal: stop }) => {
      const release = agreed(
        Object.fromEntries(Object.entries(fields).map(([name, { input }]) => [name, input.value.replace(/\s+/g, " ")])),
      );
      const to = await place();
      if (to === null) return null;
      const passphrase = madeUp();
      const options = { progress, signal: stop };
      const plaintext = only.checked ? soundOnly(recording, options) : wholePlaintext(recording, options);
      const files = { [COPY_NAME]: await to.save(COPY_NAME, await sealStream(plaintext, byPassphrase(passphrase))) };
      files[READER_NAME] = await to.save(READER_NAME, streamOf(utf8(desk.page)));
      const about = { recording: facts?.id ?? title, soundOnly: only.checked || !recording.hasPicture, span: null, at: now(), files };
      for (const { name, bytes } of releaseFiles(release, about)) await to.save(name, streamOf(bytes));
      return shown(passphrase);
    };
  const folder = canChooseFolder() && begin("Write it to a folder or stick", work(chosenFolder), { class: "main", id: "copy-folder" });
  return h(
    "div",
    { class: "share" },
    h(
      "div",
      { class: "fields" },
      Object.values(fields).map(({ place }) => place),
    ),
    only.place,
    h(
      "div",
      { class: "row" },
      folder,
      begin(
        "Save its four files as downloads",
        work(async () => new Downloads()),
        { id: "copy-download" },
      ),
    ),
    said,
  );
}

function field(id, label, { value = "", long = false, ...attributes }) {
  const input = long
    ? h("textarea", { id: `copy-${id}`, rows: 2 })
    : h("input", { type: "text", id: `copy-${id}`, autocomplete: "off", ...attributes });
  input.value = value;
  return { input, place: h("div", { class: long ? "labelled long" : "labelled" }, h("label", { for: input.id, text: label }), input) };
}

function shown(passphrase) {
  return h(
    "div",
    { class: "note grave" },
    h("p", {}, "The copy is written. Its passphrase is ", h("output", { class: "passphrase", text: passphrase })),
    h("p", { text: "Write it down now, and hand it over apart from the copy: it is shown this once, and nobody can make another." }),
  );
}

const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
