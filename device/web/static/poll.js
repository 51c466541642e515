// Looks at the status again and again while the page is visible, and tells whoever wants to know.
//
// A listener gets {status} when the answer is fresh, {lost: true} when the page's service does not answer, and
// {waiting: true} before the first answer after the page was hidden. It never gets the same old answer twice as if it
// were new: what cannot be asked is not known.

const TIMEOUT_MS = 2500;
const listeners = [];
let etag = null;
let last = null;
let timer = null;
let round = 0;

export function subscribe(listener) {
  listeners.push(listener);
  if (last) listener(last);
}

export function poll(url, everyMs) {
  const again = () => look(url, everyMs, ++round);
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : again()));
  addEventListener("pageshow", (event) => event.persisted && again());
  if (!document.hidden) again();
}

function tell(news) {
  last = news;
  for (const listener of listeners) listener(news);
}

function rest() {
  round += 1;
  clearTimeout(timer);
  etag = null;
  tell({ waiting: true });
}

async function look(url, everyMs, mine) {
  clearTimeout(timer);
  const news = await ask(url);
  if (mine !== round) return;
  if (news) tell(news);
  timer = setTimeout(() => look(url, everyMs, mine), news?.lost ? 1000 : everyMs);
}

async function ask(url) {
  try {
    const headers = etag ? { "If-None-Match": etag } : {};
    const answer = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.status === 304) return null;
    if (!answer.ok) throw new Error(String(answer.status));
    const status = await answer.json();
    etag = answer.headers.get("ETag");
    return { status };
  } catch {
    etag = null;
    return { lost: true };
  }
}
