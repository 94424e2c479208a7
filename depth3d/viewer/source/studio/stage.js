// The picture in 3D: moves along the renderer's own camera path, looks around with the pointer, shows two eyes.

import { Lens, loadLayers } from "../src/layers.js";
import { contain, Screen } from "../src/screen.js";

const WIGGLE = 0.22; // seconds for each eye
const CLICK = 5; // pixels that a click may move
const EASE = 0.12;
const STEREO = ["anaglyph", "sbs", "wiggle"];

export class Stage {
  /** `canvas`; `settings`: the live values; `picked(x, y)`: a click in the picture, 0..1 from its upper left. */
  constructor(canvas, settings, picked) {
    this.canvas = canvas;
    this.settings = settings;
    this.picked = picked;
    this.screen = null;
    this.mode = "photo";
    this.playing = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.cameras = null;
    this.phase = 0;
    this.look = { x: 0, y: 0, targetX: 0, targetY: 0, active: false };
    this.needed = true;
    this.last = performance.now();
    this.#listen();
    new ResizeObserver(() => (this.needed = true)).observe(canvas);
    requestAnimationFrame((now) => this.#frame(now));
  }

  async show(scene) {
    const lens = new Lens(scene);
    const layers = await loadLayers(scene, lens);
    if (this.screen) this.screen.change(lens, layers);
    else this.screen = new Screen(this.canvas, lens, layers);
    this.maxStep = scene.maxStep;
    this.needed = true;
  }

  async changeDepth(dataUri) {
    await this.screen?.layers.changeDepth(dataUri, this.maxStep);
    this.needed = true;
  }

  setMode(mode) {
    this.mode = mode;
    this.needed = true;
  }

  #frame(now) {
    requestAnimationFrame((next) => this.#frame(next));
    const seconds = Math.max(0, Math.min((now - this.last) / 1000, 0.1));
    this.last = now;
    if (!this.screen || document.hidden || !this.canvas.clientWidth || !this.canvas.clientHeight) return;
    const { look, settings } = this;
    const step = 1 - Math.exp(-seconds / EASE);
    const [dx, dy] = [look.targetX - look.x, look.targetY - look.y];
    look.x += dx * step;
    look.y += dy * step;
    const moving = Math.abs(dx) + Math.abs(dy) > 1e-3;
    if (this.playing && !look.active && !moving) this.phase = (this.phase + seconds / settings.seconds) % 1;
    const runs = this.playing && (this.mode === "photo" || this.mode === "depth" || this.mode === "wiggle");
    if (!runs && !moving && !this.needed) return;
    this.needed = false;
    this.#draw(now, look.active || moving || Math.abs(look.x) + Math.abs(look.y) > 0.01);
  }

  #draw(now, looking) {
    const { settings, mode, look } = this;
    if (STEREO.includes(mode)) {
      const eye = mode === "wiggle" ? (Math.floor(now / 1000 / WIGGLE) % 2 ? 1 : -1) : 0;
      const view = { mode: mode === "wiggle" ? "photo" : mode, x: eye, y: 0 };
      this.screen.draw({ ...view, amount: settings.parallax, focus: settings.convergence });
    } else if (looking || !this.cameras) {
      this.screen.draw({ mode, x: look.x, y: look.y, amount: settings.amount, focus: settings.focus });
    } else {
      const place = this.phase * this.cameras.length;
      const [a, b] = [this.cameras[Math.floor(place)], this.cameras[Math.ceil(place) % this.cameras.length]];
      const part = place - Math.floor(place);
      this.screen.draw({ mode, x: 0, y: 0, amount: 0, focus: 0.5, camera: a.map((v, i) => v + (b[i] - v) * part) });
    }
  }

  #listen() {
    const { canvas, look } = this;
    let start = null;
    canvas.addEventListener("pointerdown", (event) => {
      start = { x: event.clientX, y: event.clientY };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!start) return;
      const [dx, dy] = [event.clientX - start.x, event.clientY - start.y];
      if (!look.active && Math.hypot(dx, dy) < CLICK) return;
      look.active = true;
      look.targetX = Math.max(-1, Math.min(1, (2 * dx) / canvas.clientWidth * 1.5));
      look.targetY = Math.max(-1, Math.min(1, (-2 * dy) / canvas.clientHeight * 1.5));
    });
    const end = (event) => {
      if (start && !look.active && event.type === "pointerup") this.#pick(event);
      start = null;
      look.active = false;
      look.targetX = look.targetY = 0;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: [-0.25, 0], ArrowRight: [0.25, 0], ArrowUp: [0, 0.25], ArrowDown: [0, -0.25] }[event.key];
      if (!turn) return;
      look.targetX = Math.max(-1, Math.min(1, look.targetX + turn[0]));
      look.targetY = Math.max(-1, Math.min(1, look.targetY + turn[1]));
      event.preventDefault();
    });
  }

  #pick(event) {
    if (!this.screen || this.mode === "sbs") return;
    const frame = this.canvas.getBoundingClientRect();
    const box = contain(0, frame.width, frame.height, this.screen.lens.aspect);
    const x = (event.clientX - frame.left - box.x) / box.width;
    const y = (event.clientY - frame.top - (frame.height - box.y - box.height)) / box.height;
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) this.picked(x, y);
  }
}
