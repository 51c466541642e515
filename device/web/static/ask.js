// Sends what the page may ask without leaving the page. Without JavaScript the same forms work by themselves.

const TIMEOUT_MS = 2500;
const live = document.getElementById("live");

export async function send(url, body, keepalive = false) {
  const headers = { "Content-Type": "application/json", "X-Sotto-Page": "1" };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const posted = { method: "POST", headers, body: JSON.stringify(body), keepalive, signal };
  const answer = await fetch(url, posted).catch(() => null);
  if (answer?.ok) return null;
  const told = await answer?.json().catch(() => null);
  return told ? `${told.what} ${told.hint}` : "";
}

function bodyOf(form) {
  const people = new FormData(form).get("people");
  return people ? { people: Number(people) } : {};
}

// A framing check can be stopped, too; where nothing is known, nothing is forbidden.
function mayAsk(what) {
  const { capturing, kind } = live.dataset;
  return capturing !== "false" || kind === "gone" || (kind === "framing" && what === "stop");
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  const asks = form.closest("#asks");
  const answer = asks.querySelector("[data-answer]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.ask !== "people" && !mayAsk(form.dataset.ask)) {
      answer.textContent = asks.dataset.nothing;
      return;
    }
    const problem = await send(form.action, bodyOf(form));
    answer.textContent = problem === null ? form.dataset.asked : problem || asks.dataset.failed;
  });
}
