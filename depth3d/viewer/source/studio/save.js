// What can be written, the command that does the same, and the list of results.

import { ask, newest } from "./api.js";
import { announce, find, guarded, make } from "./page.js";

const STATES = { waiting: "Waiting", running: "", done: "Saved", failed: "", cancelled: "Stopped" };

const clock = (seconds) => {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 90 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
};

// Where the two eyes of a result are, the left one first; "half": squeezed to half their width or height.
const EYES = {
  "stereo:sbs": { across: 2, down: 1 },
  "stereo:sbs-half": { across: 2, down: 1, half: true },
  "stereo:tb": { across: 1, down: 2 },
  "stereo:tb-half": { across: 1, down: 2, half: true },
};
const eyesOf = (job) => EYES[job.output] ?? null;

export class Save {
  /** `request()`: the present item, source and options as the server wants them; `play(address)`: show a clip. */
  constructor(catalog, request, play) {
    this.request = request;
    this.play = play;
    this.chosen = new Set();
    this.media = "photo";
    this.boxes = new Map();
    this.states = new Map();
    this.#build(catalog);
    this.updateCommands = newest(() => this.#commands());
    find("save").addEventListener("click", guarded(() => this.#save()));
    find("copy").addEventListener("click", guarded(async () => {
      await navigator.clipboard.writeText(find("commands").textContent);
      announce("Copied");
    }));
  }

  #build(catalog) {
    const groups = catalog.map((group, number) => {
      const count = make("small");
      const chips = group.entries.map((entry) => {
        const box = make("button", { type: "button", "aria-pressed": "false", title: entry.about }, entry.label);
        box.addEventListener("click", () => this.choose(entry.id, !this.chosen.has(entry.id)));
        this.boxes.set(entry.id, { box, entry, count });
        return box;
      });
      const list = make("div", { className: "chips", role: "group", "aria-label": group.title }, ...chips);
      return make("details", { open: number === 0 }, make("summary", {}, `${group.title} `, count), list);
    });
    find("outputs").replaceChildren(...groups);
  }

  choose(id, on) {
    if (!this.boxes.has(id)) return;
    this.chosen[on ? "add" : "delete"](id);
    this.update();
  }

  /** Choose exactly these, as a preset does. */
  chooseOnly(ids) {
    this.chosen = new Set(ids.filter((id) => this.boxes.has(id)));
    this.update();
  }

  setMedia(media) {
    this.media = media;
    for (const { box, entry } of this.boxes.values()) box.hidden = media === "clip" && !entry.clip;
    const usual = media === "clip" ? "stereo:sbs" : "animate:.mp4";
    if (![...this.wanted()].length) this.choose(usual, true);
    this.update();
  }

  wanted() {
    return [...this.chosen].filter((id) => !this.boxes.get(id).box.hidden);
  }

  update() {
    const counts = new Map();
    for (const [id, { box, count }] of this.boxes) {
      const on = this.chosen.has(id) && !box.hidden;
      box.setAttribute("aria-pressed", String(on));
      counts.set(count, (counts.get(count) ?? 0) + Number(on));
    }
    for (const [count, number] of counts) count.textContent = number ? String(number) : "";
    const number = this.wanted().length;
    const ready = number > 0 && this.request() !== null;
    find("save").disabled = !ready;
    find("save").textContent = number > 1 ? `Save ${number} files` : "Save";
    this.updateCommands();
  }

  async #commands() {
    const request = this.request();
    if (!request) return;
    try {
      const { commands, seconds } = await ask("commands", { ...request, outputs: this.wanted() });
      find("commands").textContent = commands.join("\n");
      find("estimate").textContent = commands.length ? `Takes about ${clock(seconds)}.` : "";
    } catch (error) {
      find("commands").textContent = error.message;
      find("estimate").textContent = "";
    }
  }

  async #save() {
    const { jobs } = await ask("jobs", { ...this.request(), outputs: this.wanted() });
    jobs.forEach((job) => this.show(job));
    announce(`Saving ${jobs.length} files`);
  }

  /** Show or update one job in the list. */
  show(job) {
    find("queue").hidden = false;
    let line = document.querySelector(`#jobs [data-number="${job.number}"]`);
    if (!line) {
      line = make("li", { "data-number": job.number }, make("b"), make("span"), make("div", { className: "acts" }));
      find("jobs").prepend(line);
    }
    const before = this.states.get(job.number);
    this.states.set(job.number, job.state);
    line.dataset.state = job.state;
    const [name, text, acts] = line.children;
    name.textContent = job.preview ? job.title : job.files.join(", ") || job.title;
    text.textContent = this.#text(job);
    this.#bar(line, job);
    if (before !== job.state) {
      acts.replaceChildren(...this.#acts(job));
      if (job.state === "done") announce(`${name.textContent} is saved`);
      if (job.state === "done" && job.preview) this.play(`api/jobs/${job.number}/files/0?show=1`, eyesOf(job));
    }
  }

  #text(job) {
    if (job.state === "failed") return job.message;
    if (job.state === "done") return `${STATES.done} in ${clock(job.seconds)}`;
    if (job.state !== "running") return STATES[job.state] + (job.state === "cancelled" && job.resumable ? "; it can go on" : "");
    const left = job.left === null ? "" : `, ${clock(job.left)} left`;
    return `${job.message || "working"}${left}`;
  }

  #bar(line, job) {
    let bar = line.querySelector("progress");
    if (job.state !== "running") return bar?.remove();
    if (!bar) line.append((bar = make("progress", { "aria-label": job.title })));
    if (job.total) [bar.max, bar.value] = [job.total, job.done];
    return undefined;
  }

  #player(job, place) {
    const name = job.preview ? job.title : job.files[place];
    const button = make("button", { type: "button", "aria-label": `Play ${name}` }, "Play");
    button.addEventListener("click", () => this.play(`api/jobs/${job.number}/files/${place}?show=1`, eyesOf(job)));
    return button;
  }

  #acts(job) {
    const act = (label, path) => {
      const button = make("button", { type: "button", "aria-label": `${label} ${job.title}` }, label);
      button.addEventListener("click", guarded(() => ask(`jobs/${job.number}/${path}`)));
      return button;
    };
    if (job.state === "waiting" || job.state === "running") return [act("Stop", "cancel")];
    if (job.state === "cancelled" || job.state === "failed") return [act(job.resumable ? "Go on" : "Again", "again")];
    if (job.preview && job.state === "done") return [this.#player(job, 0)];
    return job.files.map((file, place) => {
      if (/\.(mp4|webm)$/i.test(file)) return this.#player(job, place);
      return make("a", { href: `api/jobs/${job.number}/files/${place}`, download: file, "aria-label": `Download ${file}` }, "Open");
    });
  }
}
