// The sessions of each client code, in their order, and the course of every score through them; off track first.
//
// A session here is a recording with what could be opened beside it:
//   {recording, box, started, label, measures, unopened}
// `label` and `measures` as beside/documents.js gives them; `label` is null where there is none that this person can
// open; `unopened` counts measures that are there and could not be opened.

import { knownOf, trackOf } from "./track.js";

const ORDER = ["off", "unsure", "on"];

/** Every client code with its sessions and courses; and the sessions that no label gives to anybody. */
export function coursesOf(sessions) {
  const byClient = new Map();
  for (const session of sessions) {
    const client = session.label?.client;
    if (client === undefined) continue;
    if (!byClient.has(client)) byClient.set(client, []);
    byClient.get(client).push(session);
  }
  const clients = [...byClient].map(([client, theirs]) => clientOf(client, inOrder(theirs)));
  clients.sort((one, other) => rank(one) - rank(other) || compare(one.client, other.client));
  return { clients, unlabelled: inOrder(sessions.filter((session) => session.label === null)) };
}

function clientOf(client, sessions) {
  const series = [...seriesOf(sessions)].sort(
    (one, other) => rank(one) - rank(other) || about(one) - about(other) || compare(one.key, other.key),
  );
  const tracks = series.map((one) => one.track);
  const track = ORDER.find((wanted) => wanted !== "unsure" && tracks.includes(wanted)) ?? "unsure";
  return { client, sessions, series, track, without: sessions.filter((session) => isWithout(session)).length };
}

/** Whether nothing was measured in a session: what could not be opened is something. */
export function isWithout(session) {
  return session.measures.length === 0 && session.unopened === 0;
}

// One course for each score of each form and each person in the room. Forms that differ in a word are two: what was asked
// otherwise cannot be compared.
function* seriesOf(sessions) {
  const found = new Map();
  sessions.forEach((session, place) => {
    for (const measured of inTime(session.measures)) {
      for (const score of measured.scores) {
        const key = [measured.measure.id, measured.measure.digest, score.id, measured.person].join("/");
        if (!found.has(key)) found.set(key, { key, measure: measured.measure, person: measured.person, score, points: [] });
        found.get(key).points.push(pointOf(session, place, measured, score));
      }
    }
  });
  for (const series of found.values()) yield judged(series, sessions);
}

function pointOf(session, place, measured, score) {
  const { value, band, missing } = score;
  return { recording: session.recording, place, at: measured.finished, value, band, missing };
}

function judged({ key, measure, person, score, points }, sessions) {
  const { least, most } = score;
  const known = knownOf(measure.id, score.id, most - least);
  const scored = points.filter((point) => point.value !== null);
  const last = scored.length === 0 ? null : sessions[scored.at(-1).place];
  const session = last === null ? 0 : (last.label.session ?? scored.at(-1).place + 1);
  const verdict = trackOf(
    scored.map((point) => point.value),
    { known, session, least, most },
  );
  const name = score.name;
  return { key, measure, person, name, least, most, points, known, session, ...verdict };
}

// A box counts its own recordings, so its order holds with a wrong clock, too; between boxes there is only the clock.
function inOrder(sessions) {
  const oneBox = new Set(sessions.map((session) => session.box)).size < 2;
  const byId = (one, other) => compare(one.recording, other.recording);
  return [...sessions].sort((one, other) => (oneBox ? 0 : compare(one.started, other.started)) || byId(one, other));
}

function inTime(measures) {
  return [...measures].sort((one, other) => compare(one.finished, other.finished));
}

function rank({ track }) {
  return ORDER.indexOf(track);
}

// How somebody is comes before how the hour was.
function about({ known }) {
  return ["outcome", "alliance", undefined].indexOf(known?.about);
}

function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}
