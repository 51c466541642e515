// The first page: who reads. A kit is unlocked, or a file is opened by a key or a passphrase of its own.

import { Keyring, isAge, isArmored, openByPassphrase } from "../age/keyring.js";
import { text, utf8 } from "../bytes.js";
import { Clinic } from "../clinic.js";
import { ReaderError } from "../errors.js";
import { MOST_KIT_BYTES, readKit } from "../kit.js";
import { forget, keep, kept } from "../keeping.js";
import { button, h, show } from "./dom.js";
import { problem } from "./desk.js";
import { identityMaker } from "./identity.js";

/** Ask for it; `opened(clinic)` once that is unlocked. */
export function start(place, { desk, opened }) {
  const said = h("div", { "aria-live": "polite" });
  const chosen = h("input", { type: "file", id: "kit", accept: ".json,.key,.txt,.age" });
  const passphrase = h("input", { type: "password", id: "passphrase", autocomplete: "off" });
  const remember = h("input", { type: "checkbox", id: "remember" });
  const known = kept();
  const unlock = h("button", { type: "submit", class: "main", text: "Unlock" });

  async function submit(event) {
    event.preventDefault();
    unlock.disabled = true;
    show(said, h("p", { class: "busy", text: "Unlocking…" }));
    await new Promise((painted) => setTimeout(painted, 30)); // the passphrase takes a second of work, on this very thread
    try {
      const bytes = chosen.files[0] ? await read(chosen.files[0]) : known && utf8(known);
      const clinic = await unlocked(bytes, passphrase.value);
      if (remember.checked && clinic.kit) keep(text(bytes));
      passphrase.value = "";
      opened(clinic);
    } catch (error) {
      show(said, problem(error));
      unlock.disabled = false;
      passphrase.select();
    }
  }

  const form = h(
    "form",
    { class: "card narrow", on: { submit } },
    h("h1", { tabindex: "-1", text: "Open what the boxes sealed" }),
    known && h("p", { class: "kept" }, "A kit is kept in this browser. ", button("Forget it", () => (forget(), desk.lock()), { class: "link" })),
    h("label", { for: "kit", text: known ? "Another kit or key" : "Your kit, or your key" }),
    chosen,
    h("label", { for: "passphrase", text: "Passphrase" }),
    passphrase,
    h("div", { class: "row" }, remember, h("label", { for: "remember", text: "Keep the kit in this browser, locked as it is" })),
    unlock,
    said,
    h("p", { class: "hint", text: "Nothing you open leaves this page, and it forgets everything when it is closed." }),
  );
  place.append(form, byPassphrase(opened), identityMaker());
}

/** A copy that was given to a client is opened by its passphrase alone. */
function byPassphrase(opened) {
  const words = h("input", { type: "password", id: "copy-passphrase", autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    if (!words.value) return words.focus();
    const keyring = new Keyring();
    keyring.addPassphrase(words.value);
    words.value = "";
    opened(new Clinic({ keyring, kit: null }));
  };
  return h(
    "details",
    { class: "card narrow" },
    h("summary", { text: "I was given a copy with a passphrase" }),
    h("form", { on: { submit } },
      h("label", { for: "copy-passphrase", text: "Passphrase of the copy" }),
      words,
      h("button", { type: "submit", text: "Go on to choose the file" }),
    ),
  );
}

async function read(file) {
  if (file.size > MOST_KIT_BYTES) throw new ReaderError("not a kit", "This is no kit: it is far too large.", "Choose your .kit.json.");
  return new Uint8Array(await file.arrayBuffer());
}

async function unlocked(bytes, passphrase) {
  if (!bytes) throw new ReaderError("nothing chosen", "No kit was chosen.", "Choose your .kit.json, or your key.");
  const keyring = new Keyring();
  if (isAge(bytes) || isArmored(bytes)) {
    keyring.addIdentities(text(await openByPassphrase(bytes, passphrase)));
    return new Clinic({ keyring, kit: null });
  }
  const words = decoded(bytes);
  if (/^AGE-SECRET-KEY-/m.test(words)) {
    keyring.addIdentities(words);
    return new Clinic({ keyring, kit: null });
  }
  const kit = readKit(bytes);
  keyring.addIdentities(text(await openByPassphrase(utf8(kit.identity), passphrase)));
  return new Clinic({ keyring, kit });
}

function decoded(bytes) {
  try {
    return text(bytes);
  } catch {
    throw new ReaderError("not a kit", "This is neither a kit nor a key.", "Choose your .kit.json, or your key.");
  }
}
