// Signing in with a passkey, and adding one. Without it, or where the browser knows none, the page shows neither.

const fromText = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

async function tell(path, said) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Sotto-Page": "1" },
    body: JSON.stringify(said),
  });
  const heard = await answer.json();
  if (!answer.ok) {
    throw new Error(`${heard.what} ${heard.hint}`);
  }
  return heard;
}

function ofCredential(credential) {
  const response = { clientDataJSON: toText(credential.response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) {
      response[part] = toText(credential.response[part]);
    }
  }
  return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response };
}

async function prove(box) {
  const asked = await tell("/passkeys/ask", {});
  const credential = await navigator.credentials.get({
    publicKey: { ...asked, challenge: fromText(asked.challenge), allowCredentials: [] },
  });
  const heard = await tell("/passkeys/prove", { said: ofCredential(credential), next: box.dataset.next });
  location.assign(heard.go);
}

async function add(form) {
  const asked = await tell("/passkeys/begin", { password: form.elements.old.value });
  const credential = await navigator.credentials.create({
    publicKey: {
      ...asked,
      challenge: fromText(asked.challenge),
      user: { ...asked.user, id: fromText(asked.user.id) },
      excludeCredentials: (asked.excludeCredentials ?? []).map((one) => ({ ...one, id: fromText(one.id) })),
    },
  });
  const heard = await tell("/passkeys/add", { said: ofCredential(credential), name: form.elements.name.value });
  location.assign(heard.go);
}

// What the browser itself says of a failure is not for people; what the page says is.
function offer(box, event, from, action) {
  if (!box || !window.PublicKeyCredential) {
    return;
  }
  box.hidden = false;
  const answer = box.querySelector("[data-answer]");
  from(box).addEventListener(event, async (happened) => {
    happened.preventDefault();
    answer.textContent = "";
    try {
      await action(box);
    } catch (problem) {
      answer.textContent = problem instanceof DOMException ? box.dataset.failed : problem.message;
    }
  });
}

offer(document.querySelector("#passkey"), "click", (box) => box.querySelector("button"), prove);
offer(document.querySelector("#add-passkey"), "submit", (box) => box, add);
