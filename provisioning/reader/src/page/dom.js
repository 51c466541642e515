// Elements, made one way: names and texts, never markup. What comes from a box or a file can only ever be text here.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `attributes`: strings, numbers, true for an attribute without a value, false or null for none; `on` holds
 * listeners; `class` and `text` are what they say. Children are elements, texts, or nothing.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes);
  add(element, children);
  return element;
}

/** A drawing: 24 by 24, strokes in the colour of the text. */
export function icon(...paths) {
  const element = drawn("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  for (const path of paths) element.append(drawn("path", { d: path }));
  return element;
}

/** An element of a drawing. */
export function drawn(name, attributes, text = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

function fill(element, { on = {}, text, ...attributes }) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on") || name === "style") throw new TypeError(`${name} is not set here`);
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  if (text !== undefined) element.textContent = text;
}

function add(element, children) {
  for (const child of children.flat(2)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** A button; `label` is what it says, or what a screen reader says of it where it shows an icon. */
export function button(label, press, { drawing, ...attributes } = {}) {
  const said = drawing ? { "aria-label": label, title: label } : {};
  return h("button", { type: "button", ...said, ...attributes, on: { click: press } }, drawing ?? label);
}

/** Put other children into an element. */
export function show(element, ...children) {
  element.replaceChildren();
  add(element, children);
}
