// A QR code as a drawing. What is in capitals and digits takes fewer squares (ISO/IEC 18004, 7.3.4).

import encodeQR from "qr";
import { drawn } from "./dom.js";

const QUIET = 4; // squares of margin that a reader needs (ISO/IEC 18004, 9.1)

/** A picture of a text; `label`: what a screen reader says of it. */
export function qr(text, label) {
  const rows = encodeQR(text, "raw", { ecc: "low", border: QUIET });
  const size = rows.length;
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  const picture = drawn("svg", { viewBox: `0 0 ${size} ${size}`, class: "qr", role: "img", "aria-label": label, "shape-rendering": "crispEdges" });
  picture.append(drawn("rect", { width: size, height: size, class: "qr-paper" }), drawn("path", { d: path, class: "qr-ink" }));
  return picture;
}
