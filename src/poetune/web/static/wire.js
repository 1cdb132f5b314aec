// Requests to the page's own server. A lost answer is asked for again with the same token, so that it counts once.

const PATIENCE = 40_000;

/** 24 letters and digits that no other act has. */
export function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** {ok, status, data}; tries for ever while nobody answers, and calls `lost(true)` meanwhile, `lost(false)` after. */
export async function ask(path, body, lost) {
  for (let wait = 250, failed = false; ; wait = Math.min(wait * 2, 4000)) {
    try {
      const response = await fetch(path, {
        method: body ? "POST" : "GET",
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const text = await response.text();
      if (failed) lost(false);
      return { ok: response.ok, status: response.status, data: read(text) };
    } catch {
      failed = true;
      lost(true);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.trim() };
  }
}
