// Reads documents, one JSON string in a line each, and says of each whether the reader takes it.
//
//   node parse.mjs review|measure|label|note < DOCUMENTS

import { parseLabel, parseMeasure, parseNote } from "../../../provisioning/reader/src/beside/documents.js";
import { parseReview } from "../../../provisioning/reader/src/review/document.js";
import { ShapeError } from "../../../provisioning/reader/src/shape.js";

const parse = { review: parseReview, measure: parseMeasure, label: parseLabel, note: parseNote }[process.argv[2]];
const said = [];
for await (const part of process.stdin) said.push(part);
const lines = Buffer.concat(said).toString("utf8").split("\n").filter(Boolean);
const takes = (text) => {
  try {
    parse(new TextEncoder().encode(text));
    return true;
  } catch (problem) {
    if (problem instanceof ShapeError) return false;
    throw problem;
  }
};
process.stdout.write(JSON.stringify(lines.map((line) => takes(JSON.parse(line)))));
