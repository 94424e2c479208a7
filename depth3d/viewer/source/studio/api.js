// Requests to the server beside this page; every address is relative, so that the secret part stays in it.

/** POST JSON and return JSON; an error of the server becomes an Error with its one line. */
export async function ask(path, body = {}, method = "POST") {
  const request = method === "GET" ? {} : { method, body: JSON.stringify(body) };
  const answer = await fetch(`api/${path}`, request).catch(() => {
    throw new Error("The studio does not answer: was it closed in the terminal?");
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error ?? `error ${answer.status}`);
  return content;
}

/** Send a file, as it is, and return its item. */
export async function upload(file, batch) {
  const query = new URLSearchParams({ name: file.name, batch });
  const answer = await fetch(`api/upload?${query}`, { method: "POST", body: file });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error ?? `${file.name}: error ${answer.status}`);
  return content;
}

/** Only the newest call's answer counts: for sliders. While one is under way, only the last wish is kept. */
export function newest(send) {
  let busy = false;
  let waiting = null;
  return async function call(...wish) {
    if (busy) {
      waiting = wish;
      return;
    }
    busy = true;
    try {
      await send(...wish);
    } finally {
      busy = false;
      if (waiting) {
        const next = waiting;
        waiting = null;
        call(...next);
      }
    }
  };
}

export function listen(handlers) {
  const source = new EventSource("api/events");
  source.addEventListener("message", (message) => {
    const event = JSON.parse(message.data);
    handlers[event.kind]?.(event);
  });
  return source;
}
