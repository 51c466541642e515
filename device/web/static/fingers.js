// Fingers on the two buttons: pointer, touch, keys C and R, Space and Enter on the button itself.
//
// A press lasts as long as the finger is down, so down and up are sent when they happen. They are sent one after the
// other: an "up" that overtook its "down" would leave a button pressed. Several fingers on one button are one press.

import { send } from "./ask.js";

const KEYS = { c: "consent", r: "record" };
const TYPING = "input, select, textarea";

export function listen(stage, onPress) {
  const url = stage.dataset.fingerUrl;
  const told = stage.querySelector("#pressed");
  const down = new Map(); // button -> the fingers on it
  let queue = Promise.resolve();
  const drawn = (button) => stage.querySelector(`[data-button="${button}"]`);

  function tell(button, isDown) {
    const key = drawn(button);
    key.classList.toggle("down", isDown);
    key.setAttribute("aria-pressed", String(isDown));
    queue = queue.then(async () => {
      const problem = await send(url, { button, down: isDown });
      told.textContent = problem === null ? "" : `${stage.dataset.failed} ${problem}`;
    });
  }

  function press(button, finger) {
    const fingers = down.get(button) ?? new Set();
    if (fingers.has(finger)) return;
    down.set(button, fingers.add(finger));
    if (fingers.size > 1) return;
    onPress();
    tell(button, true);
  }

  function release(button, finger) {
    const fingers = down.get(button);
    if (fingers?.delete(finger) && fingers.size === 0) tell(button, false);
  }

  function releaseAll() {
    for (const [button, fingers] of down) for (const finger of [...fingers]) release(button, finger);
  }

  for (const button of Object.values(KEYS)) {
    const key = drawn(button);
    key.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      key.focus({ preventScroll: true });
      key.setPointerCapture(event.pointerId);
      press(button, event.pointerId);
    });
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      key.addEventListener(kind, (event) => release(button, event.pointerId));
    }
    key.addEventListener("contextmenu", (event) => event.preventDefault());
    key.addEventListener("blur", () => release(button, "focus"));
    key.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) press(button, "focus");
    });
    key.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") release(button, "focus");
    });
  }

  const buttonOf = (event) => KEYS[event.key.toLowerCase()];
  addEventListener("keydown", (event) => {
    const button = buttonOf(event);
    if (!button || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!event.target.closest?.(TYPING)) press(button, "key");
  });
  addEventListener("keyup", (event) => {
    const button = buttonOf(event);
    if (button) release(button, "key");
  });
  addEventListener("blur", releaseAll);
  document.addEventListener("visibilitychange", () => document.hidden && releaseAll());
  // Nobody waits for a queue on a page that goes away.
  addEventListener("pagehide", () => {
    for (const [button, fingers] of down) {
      if (fingers.size > 0) send(url, { button, down: false }, true);
      fingers.clear();
    }
  });
}
