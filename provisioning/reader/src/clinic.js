// What somebody unlocked: their keys, and with a kit their clinic. From here on the page can send to the boxes of the kit
// alone: the browser itself is told so, by a policy that can only ever become stricter (CSP 3, section 3.3).

import { Box } from "./box/connection.js";
import { origins } from "./kit.js";

export class Clinic {
  /** `kit`: null where there are only keys, and nobody to talk to. */
  constructor({ keyring, kit }) {
    this.keyring = keyring;
    this.kit = kit;
    this.boxes = kit ? kit.boxes.map((box) => new Box(box, kit.person.login, keyring)) : [];
    narrow(kit ? origins(kit) : []);
  }

  get person() {
    return this.kit?.person ?? null;
  }

  /** Whether a manifest was signed by a box of this clinic; null where there is no kit that could tell. */
  knows(fingerprint) {
    return this.kit ? this.boxes.some((box) => box.deviceKey === fingerprint) || this.former(fingerprint) !== null : null;
  }

  /** Which box that was, in words, where it is the key of one that was replaced; else null. */
  former(fingerprint) {
    if (!this.kit || this.boxes.some((box) => box.deviceKey === fingerprint)) return null;
    const found = this.kit.boxes.find((box) => box.former_keys.includes(fingerprint));
    if (found) return `the box that stood in ${found.name} before`;
    return this.kit.former_keys.includes(fingerprint) ? "a box that your clinic has no more" : null;
  }
}

function narrow(addresses) {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = `connect-src ${addresses.join(" ") || "'none'"}`;
  document.head.append(policy);
}
