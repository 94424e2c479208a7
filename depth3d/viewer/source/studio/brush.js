// The brush: strokes over the depth map, undo and redo, the repaired depth while one paints.

import { ask, newest } from "./api.js";
import { find, guarded, make, toast } from "./page.js";

const TOOLS = [
  ["nearer", "Nearer", "#ffd24d", "Brings the surface under the stroke nearer"],
  ["farther", "Farther", "#6aa5ff", "Moves the surface under the stroke away"],
  ["same", "Same depth as here", "#5fd38a", "Gives what it passes the depth where the stroke begins"],
  ["plane", "Flat plane", "#c792ff", "Makes the surface flat"],
  ["cut", "Cut here", "#ff6b5e", "Separates what lies on the two sides of the stroke"],
];
const COLORS = Object.fromEntries(TOOLS.map(([kind, , color]) => [kind, color]));
const MOST_POINTS = 2000;
const SETTLE = 900; // milliseconds without a stroke until the layers are built anew

export class Brush {
  /** `pane`: the depth map; `wish()`: the item and its depth source; `repaired(dataUri)`, `settled()`: what to show. */
  constructor(pane, wish, repaired, settled) {
    this.pane = pane;
    this.wish = wish;
    this.settled = settled;
    this.tool = null;
    this.strokes = [];
    this.undone = [];
    this.line = null;
    this.timer = 0;
    this.#build();
    this.#listen();
    pane.overlay = (context, width, height) => this.#draw(context, width, height);
    this.send = newest(async () => {
      const { item, ...source } = this.wish();
      const { strokes } = this;
      try {
        const { depth } = await ask(`items/${item}/strokes`, { ...source, strokes });
        if (strokes === this.strokes) await repaired(depth);
      } catch (error) {
        toast(error.message);
      }
    });
  }

  get painting() {
    return this.tool !== null;
  }

  open(strokes) {
    this.strokes = strokes;
    this.undone = [];
    clearTimeout(this.timer);
    this.#buttons();
  }

  #build() {
    this.tools = TOOLS.map(([kind, label, , about]) => {
      const button = make("button", { type: "button", title: about, "aria-pressed": "false", "data-tool": kind }, label);
      button.addEventListener("click", () => this.#choose(this.tool === kind ? null : kind));
      return button;
    });
    const slider = (id, label, max, value) => {
      const input = make("input", { id, type: "range", min: 1, max, step: 1, value });
      return make("label", { className: "slider", for: id }, label, input);
    };
    const act = (id, label, action) => {
      const button = make("button", { type: "button", id }, label);
      button.addEventListener("click", guarded(action));
      return button;
    };
    find("brushes").replaceChildren(
      make("h3", {}, "Repair the depth: paint on the map"),
      make("div", { className: "tools", role: "group", "aria-label": "Brush" }, ...this.tools),
      slider("brush-size", "Width of the brush", 40, 10),
      slider("brush-strength", "Strength", 50, 15),
      make("div", { className: "row" }, act("undo", "Undo", () => this.#step(this.strokes, this.undone)),
        act("redo", "Redo", () => this.#step(this.undone, this.strokes)), act("clear", "Clear", () => this.#change([]))),
      act("keep", "Keep the strokes beside the photo", () => this.#keep()),
    );
    this.#buttons();
  }

  #choose(kind) {
    this.tool = kind;
    for (const button of this.tools) button.setAttribute("aria-pressed", String(button.dataset.tool === kind));
    this.pane.blend = kind === null ? 0 : 0.45;
    this.pane.draw();
  }

  #buttons() {
    find("undo").disabled = find("clear").disabled = find("keep").disabled = !this.strokes.length;
    find("redo").disabled = !this.undone.length;
  }

  #step(from, to) {
    if (!from.length) return;
    const last = from[from.length - 1];
    if (from === this.strokes) [this.strokes, this.undone] = [from.slice(0, -1), [...to, last]];
    else [this.undone, this.strokes] = [from.slice(0, -1), [...to, last]];
    this.#changed();
  }

  #change(strokes) {
    this.strokes = strokes;
    this.undone = [];
    this.#changed();
  }

  #changed() {
    this.#buttons();
    this.pane.draw();
    this.send();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settled(), SETTLE);
  }

  async #keep() {
    const { item, ...source } = this.wish();
    const { files, folder } = await ask(`items/${item}/keep`, source);
    toast(`${files[0]} is in ${folder}: every command finds it there.`);
  }

  #listen() {
    const { canvas } = this.pane;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.tool || !this.pane.map) return;
      canvas.setPointerCapture(event.pointerId);
      const radius = Number(find("brush-size").value) / 500;
      this.line = { kind: this.tool, points: [], radius, value: Number(find("brush-strength").value) / 100 };
      this.#extend(event);
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => this.line && this.#extend(event));
    canvas.addEventListener("pointerup", () => {
      const { line } = this;
      this.line = null;
      if (line?.points.length) this.#change([...this.strokes, line]);
    });
    canvas.addEventListener("pointercancel", () => {
      this.line = null;
      this.pane.draw();
    });
    window.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
      if (event.shiftKey) this.#step(this.undone, this.strokes);
      else this.#step(this.strokes, this.undone);
      event.preventDefault();
    });
  }

  #extend(event) {
    const { x, y } = this.pane.place(event);
    const point = [x, y].map((value) => Math.max(0, Math.min(1, value)));
    const last = this.line.points.at(-1);
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.003) return;
    if (this.line.points.length < MOST_POINTS) this.line.points.push(point);
    this.pane.draw();
  }

  #draw(context, width, height) {
    if (document.documentElement.dataset.tab !== "depth") return;
    context.lineCap = context.lineJoin = "round";
    for (const { kind, points, radius } of [...this.strokes, ...(this.line ? [this.line] : [])]) {
      context.strokeStyle = COLORS[kind] ?? "#fff";
      context.globalAlpha = 0.75;
      context.lineWidth = kind === "cut" ? 2 : Math.max(2, 2 * radius * Math.max(width, height));
      context.beginPath();
      points.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x * width, y * height));
      if (points.length === 1) context.lineTo(points[0][0] * width + 0.01, points[0][1] * height);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
