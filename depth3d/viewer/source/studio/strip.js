// Files: dropping, choosing, the strip of thumbnails.

import { ask, upload } from "./api.js";
import { busy, find, guarded, make, toast } from "./page.js";

const KINDS = { clip: "Clip", depth: "Depth" };

// Folders too: every file in them, depth maps included.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  const visit = async (entry) => {
    if (entry.isFile) found.push(await new Promise((done, failed) => entry.file(done, failed)));
    else {
      const reader = entry.createReader();
      for (let some = [null]; some.length; ) {
        some = await new Promise((done, failed) => reader.readEntries(done, failed));
        for (const each of some) await visit(each);
      }
    }
  };
  for (const entry of entries) await visit(entry);
  return found.filter((file) => !file.name.startsWith("."));
}

export class Strip {
  /** `open(item)`: show it; `closed(key)`: it has gone. */
  constructor(open, closed) {
    this.items = new Map();
    this.open = open;
    this.closed = closed;
    this.current = null;
    this.#listen();
  }

  add(item) {
    if (this.items.has(item.key)) return;
    this.items.set(item.key, item);
    const picture = make("img", { src: `api/items/${item.key}/thumbnail`, alt: "" });
    const label = `${item.name}${item.problem ? `: ${item.problem}` : ""}`;
    const show = make("button", { type: "button", title: label, "aria-label": `Show ${item.name}` }, picture);
    show.addEventListener("click", () => (item.problem ? toast(item.problem) : this.choose(item.key)));
    const close = make("button", { type: "button", className: "remove", "aria-label": `Close ${item.name}` }, "×");
    close.addEventListener("click", guarded(() => ask(`items/${item.key}`, {}, "DELETE")));
    const kind = KINDS[item.kind] ? [make("span", { className: "kind" }, KINDS[item.kind])] : [];
    find("items").append(make("li", { "data-key": item.key }, show, close, ...kind));
  }

  remove(key) {
    this.items.delete(key);
    document.querySelector(`#items [data-key="${CSS.escape(key)}"]`)?.remove();
    this.closed(key);
  }

  choose(key) {
    this.current = key;
    for (const line of find("items").children) {
      line.firstChild.setAttribute("aria-current", String(line.dataset.key === key));
    }
    this.open(this.items.get(key));
  }

  /** Depth files that are open, for the list of depth sources. */
  get depthFiles() {
    return [...this.items.values()].filter((item) => item.kind === "depth");
  }

  async take(files) {
    const batch = crypto.getRandomValues(new Uint32Array(2)).join("");
    // Depth maps first: a photo that comes after them finds its own.
    const ordered = [...files].sort((a, b) => Number(/depth|disp/i.test(b.name)) - Number(/depth|disp/i.test(a.name)));
    let first = null;
    for (const [number, file] of ordered.entries()) {
      busy(ordered.length > 1 ? `Opening ${number + 1} of ${ordered.length}` : `Opening ${file.name}`);
      try {
        const item = await upload(file, batch);
        this.add(item);
        if (item.kind !== "depth") first ??= item.key;
      } catch (error) {
        toast(error.message);
      }
    }
    busy("");
    if (first) this.choose(first);
  }

  #listen() {
    const page = document.documentElement;
    let inside = 0;
    const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    window.addEventListener("dragenter", (event) => {
      if (!isFiles(event)) return;
      inside += 1;
      page.dataset.dragging = "yes";
      event.preventDefault();
    });
    window.addEventListener("dragleave", () => {
      inside = Math.max(0, inside - 1);
      if (!inside) page.dataset.dragging = "no";
    });
    window.addEventListener("dragover", (event) => isFiles(event) && event.preventDefault());
    window.addEventListener("drop", async (event) => {
      event.preventDefault();
      inside = 0;
      page.dataset.dragging = "no";
      this.take(await filesOf(event.dataTransfer));
    });
    window.addEventListener("paste", (event) => {
      if (event.clipboardData?.files.length) this.take(event.clipboardData.files);
    });
    const input = find("files");
    for (const id of ["add", "choose"]) find(id).addEventListener("click", () => input.click());
    input.addEventListener("change", async () => {
      await this.take(input.files);
      input.value = "";
    });
  }
}
