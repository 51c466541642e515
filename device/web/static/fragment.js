// Keeps a part of a page as the server has it now: asked for again and again while the page is visible, and only where
// it has changed. Without JavaScript the page shows it as it was when it was loaded.

const TIMEOUT_MS = 2500;

async function look(part, etag) {
  const headers = etag ? { "If-None-Match": etag } : {};
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(part.dataset.fragmentUrl, { headers, cache: "no-store", signal }).catch(() => null);
  if (!answer?.ok) return answer?.status === 304 ? etag : null;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  part.replaceChildren(...fresh.body.childNodes);
  return answer.headers.get("ETag");
}

function keep(part) {
  let etag = null;
  let timer = null;
  const again = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    etag = await look(part, etag);
    timer = setTimeout(again, Number(part.dataset.everyMs));
  };
  document.addEventListener("visibilitychange", again);
  again();
}

for (const part of document.querySelectorAll("[data-fragment-url]")) keep(part);
