// Clips: the frame slider, shots with their own strength, a short preview.

import { ask, newest } from "./api.js";
import { busy, find, guarded, make, toast } from "./page.js";

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;

export class Clip {
  /** `settings`: the live values; `frameChanged()`: another frame is ready; `save`: its list of outputs. */
  constructor(settings, frameChanged, save) {
    this.settings = settings;
    this.save = save;
    this.item = null;
    this.shots = null;
    const show = newest(async (time) => {
      const { item } = this;
      await ask(`items/${item.key}/frame`, { time });
      if (item === this.item) await frameChanged();
    });
    const slider = find("time");
    slider.addEventListener("input", () => {
      this.#label();
      document.documentElement.dataset.picture = "old"; // until that of the new frame is there
      show(Number(slider.value)).catch((error) => toast(error.message));
    });
    find("preview").addEventListener("click", guarded(() => this.#preview()));
    find("find-shots").addEventListener("click", guarded(() => this.#findShots()));
  }

  /** Open a clip at its beginning; its first frame is then like a photo. */
  async open(item) {
    this.item = item;
    this.shots = null;
    find("shots").replaceChildren();
    find("find-shots").hidden = false;
    const slider = find("time");
    [slider.max, slider.step, slider.value] = [Math.max(0, item.seconds - 1 / item.rate), 1 / item.rate, 0];
    this.#label();
    await ask(`items/${item.key}/frame`, { time: 0 });
  }

  /** Seconds of the frame that is shown. */
  get time() {
    return Number(find("time").value);
  }

  #label() {
    find("time-value").textContent = `${clock(Number(find("time").value))} of ${clock(this.item.seconds)}`;
  }

  async #preview() {
    const outputs = this.save.wanted().slice(0, 1);
    const request = { ...this.save.request(), outputs, preview: true, time: Number(find("time").value) };
    const { jobs } = await ask("jobs", request);
    jobs.forEach((job) => this.save.show(job));
  }

  async #findShots() {
    busy("Looking for cuts");
    try {
      const { shots } = await ask(`items/${this.item.key}/shots`);
      const { parallax, convergence } = this.settings;
      this.shots = shots.map((shot) => ({ ...shot, parallax, convergence }));
    } finally {
      busy("");
    }
    find("find-shots").hidden = true;
    find("shots").replaceChildren(...this.shots.map((shot, number) => this.#line(shot, number + 1)));
    this.save.update();
  }

  #line(shot, number) {
    const go = make("button", { type: "button", "aria-label": `Show shot ${number}` }, make("img", { src: shot.picture ?? "", alt: "" }));
    go.addEventListener("click", () => {
      find("time").value = (shot.start + shot.end) / 2;
      find("time").dispatchEvent(new Event("input"));
    });
    const slider = (name, max, step) => {
      const input = make("input", { type: "range", min: 0, max, step, value: shot[name], "aria-label": `${name} of shot ${number}` });
      input.addEventListener("input", () => (shot[name] = Number(input.value)));
      return make("label", {}, name === "parallax" ? "Parallax" : "On screen", input);
    };
    const time = make("span", {}, `${clock(shot.start)} to ${clock(shot.end)}`);
    return make("li", {}, go, time, slider("parallax", 6, 0.1), slider("convergence", 1, 0.01));
  }
}
