// The studio's page: one photo or clip at a time, its settings, and what is written.

import { ask, listen, newest } from "./api.js";
import { Brush } from "./brush.js";
import { Clip } from "./clip.js";
import { wireComfort } from "./comfort.js";
import { DepthPane } from "./depthpane.js";
import { busy, find, guarded, make, toast, wireSlider, wireTabs } from "./page.js";
import { play, stopPlaying, wirePlayer } from "./player.js";
import { Save } from "./save.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";

const VIEWS = ["photo", "anaglyph", "sbs", "wiggle", "depth"];
const PATH_NAMES = { auto: "Automatic" };

const settings = { path: "circle", amount: 2, focus: 0.5, seconds: 6, parallax: 2, convergence: 0.5 };
const photo = { item: null, facts: null, turn: 0 };
const page = document.documentElement;
const parts = {};

async function start() {
  wireTheme();
  const depth = new DepthPane(find("depth"));
  const stage = new Stage(find("picture"), settings, (x, y) => pick(x, y));
  Object.assign(parts, { depth, stage, other: new DepthPane(find("depth-other")) });
  parts.comfort = wireComfort(settings, photo);
  const state = await ask("state", {}, "GET");
  parts.save = new Save(state.catalog, request, play);
  const frameChanged = () => {
    parts.brush.open(knownStrokes());
    return load({ keep: true });
  };
  parts.clip = new Clip(settings, frameChanged, parts.save);
  const repaired = (depth) => Promise.all([parts.depth.show(depth), parts.stage.changeDepth(depth)]);
  const wish = () => {
    rememberStrokes(); // so that they are there when the photo or the frame is opened again
    parts.save.update();
    return { ...source(), ...moment(), item: photo.item.key };
  };
  parts.brush = new Brush(depth, wish, repaired, guarded(() => load({ keep: true })));
  parts.strip = new Strip(guarded(open), closed);
  wireControls(state);
  parts.tab = wireTabs((tab) => {
    parts.save.update();
    depth.mark(tab === "depth" ? null : tab === "stereo" ? settings.convergence : settings.focus);
  });
  find("results").textContent = `Results go to ${state.results}, those of files opened from the terminal beside them.`;
  if (!state.items.length) page.dataset.empty = "yes";
  listen({
    job: (event) => parts.save.show(event),
    item: (event) => parts.strip.add(event.item),
    removed: (event) => parts.strip.remove(event.key),
    warm: (event) => (find("network").textContent = event.problem ?? `Depth by ${event.network}`),
  });
  state.items.forEach((item) => parts.strip.add(item));
  const first = state.items.find((item) => !item.problem && item.kind !== "depth");
  if (first) parts.strip.choose(first.key);
  page.dataset.state = "ready";
}

const source = () => ({
  source: find("source").value,
  invert: find("invert").checked,
  relief: photo.item?.kind === "clip" ? 0 : Number(find("relief").value),
});

// The frame of a clip that is shown; nothing for photos.
const moment = () => (photo.item?.kind === "clip" ? { time: parts.clip.time } : {});

/** The frames of a clip that have strokes: { time, strokes }. */
const paintedFrames = () => (photo.item.frames_now ??= [...(Array.isArray(photo.item.painted) ? photo.item.painted : photo.item.frames_painted ?? [])]);
const sameFrame = (one) => Math.abs(one.time - parts.clip.time) < 0.005;

function knownStrokes() {
  if (photo.item.kind !== "clip") return photo.item.strokes ?? [];
  return paintedFrames().find(sameFrame)?.strokes ?? [];
}

function rememberStrokes() {
  const { strokes } = parts.brush;
  if (photo.item.kind !== "clip") photo.item.strokes = strokes;
  else photo.item.frames_now = [...paintedFrames().filter((one) => !sameFrame(one)), { ...moment(), strokes }];
}

/** What the server needs to write the present picture; null while there is none. */
function request() {
  if (!photo.item) return null;
  const number = (id) => (find(id).value ? Number(find(id).value) : null);
  const options = { ...settings, ...parts.extra, size: find("size").value === "auto" ? parts.extra?.size ?? "auto" : find("size").value, near: number("near"), far: number("far") };
  if (photo.item.kind === "clip" && options.size === "auto") delete options.size;
  return { item: photo.item.key, ...source(), options, shots: parts.clip.shots };
}

async function open(item) {
  page.dataset.empty = "no";
  photo.item = item;
  stopPlaying();
  const clip = item.kind === "clip";
  find("relief-field").hidden = find("relief-help").hidden = clip;
  find("tab-clip").hidden = !clip;
  find("depth-other").hidden = find("divider").hidden = true;
  listSources();
  parts.save.setMedia(clip ? "clip" : "photo");
  if (clip) {
    busy("Opening the clip");
    await parts.clip.open(item);
    parts.tab("clip");
  } else if (page.dataset.tab === "clip") parts.tab("move");
  parts.brush.open(knownStrokes());
  await load({});
}

function closed(key) {
  if (photo.item?.key !== key) return listSources();
  Object.assign(photo, { item: null, facts: null });
  const next = [...parts.strip.items.values()].find((item) => item.kind !== "depth" && !item.problem);
  if (next) parts.strip.choose(next.key);
  else page.dataset.empty = "yes";
  return undefined;
}

/** Depth, a first picture at once, then the layers behind it. `keep`: the settings stay as they are. */
async function load({ keep = false }) {
  const { item } = photo;
  const turn = ++photo.turn;
  const wish = { ...source(), ...moment() };
  busy("Estimating depth");
  try {
    const draft = await ask(`items/${item.key}/scene`, { ...wish, draft: true });
    if (turn !== photo.turn) return;
    photo.facts = draft.facts;
    parts.depth.photo = Object.assign(new Image(), { src: draft.scene.photo.picture });
    await parts.depth.photo.decode();
    await Promise.all([parts.stage.show(draft.scene), parts.depth.show(draft.facts.flatDepth)]);
    find("how").textContent = draft.facts.how;
    if (!keep) adopt(draft.facts);
    page.dataset.picture = "draft";
    parts.comfort();
    await cameras();
    parts.save.update();
    busy("Filling what is hidden");
    const whole = await ask(`items/${item.key}/scene`, wish);
    if (turn !== photo.turn) return;
    await parts.stage.show(whole.scene);
    page.dataset.picture = "ready";
  } finally {
    if (turn === photo.turn) busy("");
  }
}

const relief = newest(() => load({ keep: true }));

function adopt(facts) {
  parts.set.focus(facts.focus);
  parts.set.convergence(facts.focus);
}

const cameras = newest(async () => {
  const { facts } = photo;
  if (!facts) return;
  const path = settings.path === "auto" ? facts.bestPath : settings.path;
  const { amount, focus } = settings;
  const wish = { path, amount, focus, viewDegrees: facts.viewDegrees, aspect: facts.width / facts.height };
  parts.stage.cameras = (await ask("path", wish)).cameras;
  parts.stage.needed = true;
});

function pick(x, y) {
  if (!photo.facts) return;
  const depth = parts.depth.at(x, y);
  const stereo = ["anaglyph", "sbs", "wiggle"].includes(parts.stage.mode) || page.dataset.tab === "stereo";
  (stereo ? parts.set.convergence : parts.set.focus)(depth.toFixed(2));
}

function listSources() {
  const chosen = find("source").value;
  const files = (parts.strip?.depthFiles ?? []).map((item) => [`item:${item.key}`, item.name]);
  const entries = [["auto", "Automatic"], ...parts.networks, ...files];
  find("source").replaceChildren(...entries.map(([value, label]) => make("option", { value }, label)));
  find("other").replaceChildren(...[["", "Nothing"], ...entries].map(([value, label]) => make("option", { value }, label)));
  if (entries.some(([value]) => value === chosen)) find("source").value = chosen;
}

// The second depth map lies over the first one, right of the divider.
async function compare() {
  const second = find("other").value;
  find("depth-other").hidden = find("divider").hidden = !second;
  if (!second || !photo.item) return;
  busy("Estimating depth");
  try {
    const { facts } = await ask(`items/${photo.item.key}/scene`, { source: second, ...moment(), draft: true });
    await parts.other.show(facts.flatDepth);
    find("how").textContent = `${photo.facts.how} | ${facts.how}`;
  } finally {
    busy("");
  }
  divide();
}

function divide() {
  const { canvas } = parts.depth;
  const frame = canvas.getBoundingClientRect();
  const width = Math.min(frame.width, (frame.height * canvas.width) / canvas.height);
  const left = (frame.width - width) / 2 + (width * Number(find("divider").value)) / 100;
  find("depth-other").style.clipPath = `inset(0 0 0 ${left}px)`;
}

function wireControls(state) {
  parts.networks = state.networks.map((network) => [network.name, network.name]);
  const changed = () => parts.save.update();
  const moving = (name) => (value) => {
    settings[name] = value;
    if (name === "focus") parts.depth.mark(value);
    cameras().catch((error) => toast(error.message));
    parts.stage.needed = true;
    changed();
  };
  const stereo = (name) => (value) => {
    settings[name] = value;
    parts.stage.needed = true;
    if (page.dataset.tab === "stereo") parts.depth.mark(settings.convergence);
    parts.comfort();
    changed();
  };
  parts.set = {
    amount: wireSlider("amount", (v) => `${v.toFixed(1)} %`, moving("amount")),
    focus: wireSlider("focus", (v) => v.toFixed(2), moving("focus")),
    seconds: wireSlider("seconds", (v) => `${v} s`, (value) => (changed((settings.seconds = value)))),
    parallax: wireSlider("parallax", (v) => `${v.toFixed(1)} %`, stereo("parallax")),
    convergence: wireSlider("convergence", (v) => v.toFixed(2), stereo("convergence")),
    relief: wireSlider("relief", (v) => v.toFixed(2), () => photo.item && relief().catch((error) => toast(error.message))),
  };
  wirePaths([...state.paths, "auto"], moving("path"));
  wireViews();
  wirePresets(state.presets);
  for (const id of ["source", "invert"]) find(id).addEventListener("change", guarded(() => photo.item && load({ keep: true })));
  find("other").addEventListener("change", guarded(compare));
  find("divider").addEventListener("input", divide);
  for (const id of ["near", "far", "size"]) find(id).addEventListener("change", changed);
  wirePlayer();
  find("depth").addEventListener("click", (event) => {
    if (parts.brush.painting) return;
    const { x, y } = parts.depth.place(event);
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) pick(x, y);
  });
  listSources();
}

// A preset sets the sliders, chooses its output, and brings options that have no slider.
function wirePresets(presets) {
  const buttons = presets.map((preset) => {
    const label = preset.name.replaceAll("-", " ");
    const button = make("button", { type: "button", title: preset.about, "aria-pressed": "false", "data-preset": preset.name }, label);
    button.addEventListener("click", () => {
      const recipe = preset[photo.item?.kind === "clip" ? "clip" : "photo"];
      if (!recipe) return toast(`${label} takes no ${photo.item?.kind ?? "photo"}.`);
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const each of buttons) each.setAttribute("aria-pressed", String(on && each === button));
      parts.extra = {};
      for (const [name, value] of Object.entries(on ? recipe.options : {})) {
        if (name === "convergence" && value === "auto") parts.set.convergence(photo.facts?.focus ?? 0.5);
        else if (name === "path") document.querySelector(`[data-path="${CSS.escape(value)}"]`)?.click();
        else if (name in parts.set && typeof value === "number") parts.set[name](value);
        else parts.extra[name] = value;
      }
      if (on) parts.save.chooseOnly([recipe.output]);
      return parts.save.update();
    });
    return button;
  });
  find("presets").replaceChildren(...buttons);
  find("preset-field").hidden = !buttons.length;
}

function wirePaths(names, change) {
  const buttons = names.map((name) => {
    const label = PATH_NAMES[name] ?? name[0].toUpperCase() + name.slice(1);
    return make("button", { type: "button", role: "radio", "data-path": name, "aria-checked": String(name === settings.path) }, label);
  });
  const choose = (button) => {
    for (const each of buttons) {
      each.setAttribute("aria-checked", String(each === button));
      each.tabIndex = each === button ? 0 : -1;
    }
    change(button.dataset.path);
  };
  for (const [number, button] of buttons.entries()) {
    button.tabIndex = button.dataset.path === settings.path ? 0 : -1;
    button.addEventListener("click", () => choose(button));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const next = buttons[(number + step + buttons.length) % buttons.length];
      choose(next);
      next.focus();
      event.preventDefault();
    });
  }
  find("paths").replaceChildren(...buttons);
}

function wireViews() {
  const buttons = [...document.querySelectorAll("[data-view]")];
  const choose = (view) => {
    parts.stage.setMode(view);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.view === view));
  };
  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.view));
  const toggle = () => {
    parts.stage.playing = !parts.stage.playing;
    find("play").setAttribute("aria-pressed", String(parts.stage.playing));
    find("play").textContent = parts.stage.playing ? "Pause" : "Play";
  };
  find("play").textContent = parts.stage.playing ? "Pause" : "Play";
  find("play").addEventListener("click", toggle);
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, button, pre, summary")) return;
    if (event.key >= "1" && event.key <= "5") choose(VIEWS[Number(event.key) - 1]);
    else if (event.key === " ") toggle();
    else return;
    event.preventDefault();
  });
}

function wireTheme() {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = (dark) => (page.dataset.theme = dark ? "dark" : "light");
  apply(system.matches);
  system.addEventListener("change", () => apply(system.matches));
  find("theme").addEventListener("click", () => apply(page.dataset.theme !== "dark"));
}

start().catch((error) => {
  console.error(error);
  toast(error.message);
});
