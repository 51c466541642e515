// "Make my identity": a post-quantum identity, made here and sealed by a passphrase before it is saved, and its recipient for
// whoever looks after the clinic's folder. Nothing of it is kept or sent; what is saved was opened again first.

import { armor, generateHybridIdentity, identityToRecipient } from "age-encryption";
import { sha256 } from "@noble/hashes/sha2.js";
import { openByPassphrase } from "../age/keyring.js";
import { hex, text, utf8 } from "../bytes.js";
import { ReaderError } from "../errors.js";
import { byPassphrase } from "../review/sealing.js";
import { madeUp } from "../share/passphrase.js";
import { Downloads, streamOf } from "../share/saving.js";
import { problem } from "./desk.js";
import { button, h, show } from "./dom.js";
import { qr } from "./qr.js";

const NAME = /^[a-z0-9][a-z0-9._@+-]{0,63}$/;

/** The part of the first page that makes one. */
export function identityMaker() {
  const login = h("input", { type: "text", id: "identity-login", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const words = h("input", { type: "password", id: "identity-passphrase", autocomplete: "new-password" });
  const again = h("input", { type: "password", id: "identity-again", autocomplete: "new-password" });
  const told = h("p", { class: "said", "aria-live": "polite" });
  const said = h("div", { class: "below", "aria-live": "polite" });
  const go = h("button", { type: "submit", class: "main", text: "Make my identity" });

  function suggest() {
    words.value = again.value = madeUp();
    show(told, "Write this down: ", h("strong", { id: "identity-made-up", text: words.value }));
  }

  async function submit(event) {
    event.preventDefault();
    go.disabled = true;
    show(said, h("p", { class: "busy", text: "Making it, and opening it again…" }));
    await new Promise((painted) => setTimeout(painted, 30)); // the passphrase takes seconds of work, on this very thread
    try {
      const made = await newIdentity(login.value.trim(), words.value, again.value);
      words.value = again.value = "";
      show(told);
      form.hidden = true; // another press would make another one
      show(said, ...shown(made));
    } catch (error) {
      show(said, problem(error));
    }
    go.disabled = false;
  }

  const form = h(
    "form",
    { on: { submit } },
    h("p", { class: "hint", text: "Your identity opens what is recorded for you. It is made on this computer and stays with you: give it to nobody, not to the admin either." }),
    h("label", { for: "identity-login", text: "Your login, as the clinic told you" }),
    login,
    h("label", { for: "identity-passphrase", text: "A passphrase for it, of 12 letters or more" }),
    words,
    h("label", { for: "identity-again", text: "The same again" }),
    again,
    button("Make one up for me", suggest, { class: "link", id: "identity-suggest" }),
    told,
    go,
  );
  return h("details", { class: "card narrow", id: "identity" }, h("summary", { text: "I have no key yet: make my identity" }), form, said);
}

/** A new identity, sealed: `{login, sealed, recipient, id}`. Throws ReaderError: a name or passphrase will not do. */
async function newIdentity(login, passphrase, again) {
  if (!NAME.test(login)) throw new ReaderError("no login", "This is no login.", "It has small letters, digits, and . _ - @ +");
  if (passphrase !== again) throw new ReaderError("not the same", "The two passphrases are not the same.", "Type both again.");
  if ([...passphrase].length < 12) {
    throw new ReaderError("short passphrase", "That passphrase is too short.", "Take 12 letters or more, or have one made up.");
  }
  const secret = await generateHybridIdentity();
  const recipient = await identityToRecipient(secret);
  const sealed = utf8(armor.encode(await byPassphrase(passphrase).encrypt(`${secret}\n`)));
  if (text(await openByPassphrase(sealed, passphrase)) !== `${secret}\n`) {
    throw new ReaderError("not made", "What was made does not open again.", "Use another browser, and do not use this one's.");
  }
  return { login, sealed, recipient, id: hex(sha256(utf8(recipient))).slice(0, 16) };
}

function shown({ login, sealed, recipient, id }) {
  const save = (name, bytes, label, attributes) => button(label, () => new Downloads().save(name, streamOf(bytes)), attributes);
  return [
    h("h2", { text: "1. Keep your identity" }),
    save(`${login}.identity.age`, sealed, "Save my identity", { class: "main", id: "identity-save" }),
    h("p", { class: "hint", text: "Keep the file, and a copy apart. Without it or without its passphrase you open nothing, and nobody can make it again." }),
    h("h2", { text: "2. Give your recipient to the admin" }),
    save(`${login}.recipient`, utf8(`${recipient}\n`), "Save my recipient", { id: "recipient-save" }),
    h("p", { class: "hint", text: "Send the file, or have this picture taken. It opens nothing." }),
    qr(recipient.toUpperCase(), "Your recipient"),
    h("p", {}, "The admin reads these 16 digits to you, by telephone or face to face: ", h("strong", { id: "recipient-id", text: id })),
    h("label", { for: "recipient", text: "Your recipient" }),
    h("textarea", { id: "recipient", rows: 4, readonly: true, text: recipient }),
  ];
}
