// The page: reads the scene that depth3d put into it, draws it, and wires up the controls.

import { Lens, loadLayers } from "./layers.js";
import { drawsInSoftware, Screen } from "./screen.js";
import { Motion } from "./motion.js";
import { offerHeadset } from "./headset.js";

const MODES = ["photo", "anaglyph", "sbs", "cross", "depth"];
const KEYS = { 1: "photo", 2: "anaglyph", 3: "sbs", 4: "cross", 5: "depth", a: "anaglyph", s: "sbs", c: "cross", d: "depth" };
const ARROWS = { ArrowLeft: [-0.25, 0], ArrowRight: [0.25, 0], ArrowUp: [0, 0.25], ArrowDown: [0, -0.25] };

const find = (id) => document.getElementById(id);
const say = (text) => (find("status").textContent = text);

async function start() {
  say("Loading ...");
  const scene = JSON.parse(find("scene").textContent);
  const asked = new URLSearchParams(location.hash.slice(1)); // #mode=sbs&x=1&still : for links and tests
  const number = (name, fallback) => (asked.has(name) ? Number(asked.get(name)) : fallback);
  const lens = new Lens(scene);
  find("picture").style.background = `center / contain no-repeat url("${scene.photo.picture}")`; // until 3D is ready
  let quick;
  const layers = await loadLayers(scene, lens, () => {
    // Pictures that are kept (#still) are drawn with smooth outlines everywhere.
    quick ??= !asked.has("still") && drawsInSoftware(find("picture"));
    return quick;
  });
  if (!quick) find("picture").replaceWith(find("picture").cloneNode()); // a canvas keeps the context it has once given
  const screen = new Screen(find("picture"), lens, layers, { antialias: !quick });
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const motion = new Motion(find("picture"), { loop: !calm });
  const view = {
    mode: MODES.includes(asked.get("mode")) ? asked.get("mode") : "photo",
    amount: number("amount", scene.amount),
    focus: number("focus", scene.focus),
    x: 0,
    y: 0,
  };
  if (asked.has("still") || asked.has("x")) {
    motion.still = asked.has("still");
    motion.position = { x: number("x", 0), y: number("y", 0) };
    motion.target = { ...motion.position };
  }
  const redraw = wire(view, motion, screen);
  offerHeadset(find("headset"), screen, view, scene, say);
  run(view, motion, screen, redraw);
}

// Draws only when something changed: a page left open must not empty a phone's battery.
function run(view, motion, screen, redraw) {
  let last = performance.now();
  screen.draw({ ...view, ...motion.position });
  say("");
  screen.canvas.style.background = "";
  document.documentElement.dataset.state = "ready";
  screen.renderer.setAnimationLoop((now) => {
    const seconds = Math.max(0, Math.min((now - last) / 1000, 0.1)); // a hidden tab's clock stands still, then jumps
    last = now;
    if (screen.renderer.xr.isPresenting) {
      screen.drawHeadset();
      redraw.needed = true;
      return;
    }
    const moving = motion.advance(seconds);
    if (!moving && !redraw.needed) return;
    redraw.needed = false;
    screen.draw({ ...view, ...motion.position });
  });
}

function wire(view, motion, screen) {
  const redraw = { needed: true };
  const page = document.documentElement;
  const buttons = [...document.querySelectorAll("[data-mode]")];
  const setMode = (mode) => {
    view.mode = mode;
    redraw.needed = true;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  };
  for (const button of buttons) button.addEventListener("click", () => setMode(button.dataset.mode));
  setMode(view.mode);

  for (const name of ["amount", "focus"]) {
    const slider = find(name);
    const show = () => (find(`${name}-value`).textContent = name === "amount" ? `${view.amount} %` : view.focus.toFixed(2));
    slider.value = view[name];
    show();
    slider.addEventListener("input", () => {
      view[name] = Number(slider.value);
      redraw.needed = true;
      show();
    });
  }
  const nudge = (name, step) => {
    find(name).value = view[name] + step;
    find(name).dispatchEvent(new Event("input"));
  };

  const setLoop = (on) => {
    motion.loop = on;
    find("loop").setAttribute("aria-pressed", String(on));
  };
  setLoop(motion.loop);
  find("loop").addEventListener("click", () => setLoop(!motion.loop));

  const full = () => (document.fullscreenElement ? document.exitFullscreen() : page.requestFullscreen?.());
  if (!document.fullscreenEnabled) find("full").hidden = true;
  find("full").addEventListener("click", full);
  const hide = () => (page.dataset.bare = page.dataset.bare === "yes" ? "no" : "yes");

  wireTurning(motion);
  window.addEventListener("resize", () => (redraw.needed = true));
  new ResizeObserver(() => (redraw.needed = true)).observe(screen.canvas);
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onControl = event.target instanceof HTMLInputElement;
    if (event.key in ARROWS && !onControl) motion.step(...ARROWS[event.key]);
    else if (event.key in KEYS) setMode(view.mode === KEYS[event.key] ? "photo" : KEYS[event.key]);
    else if (event.key === "+" || event.key === "=") nudge("amount", 0.5);
    else if (event.key === "-") nudge("amount", -0.5);
    else if (event.key === "[") nudge("focus", -0.05);
    else if (event.key === "]") nudge("focus", 0.05);
    else if (event.key === "f") full();
    else if (event.key === "h") hide();
    else if (event.key === "l" || (event.key === " " && !(event.target instanceof HTMLButtonElement))) setLoop(!motion.loop);
    else return;
    if (!onControl) event.preventDefault();
  });
  return redraw;
}

function wireTurning(motion) {
  if (Motion.turningIsFree) motion.listenToTurning();
  if (!Motion.turningNeedsPermission) return;
  const button = find("turning");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const granted = await motion.listenToTurning().catch(() => false);
    button.hidden = granted;
    if (!granted) say("The phone did not allow the motion sensor.");
  });
}

start().catch((error) => {
  // A flat photo is better than an empty page.
  console.error(error);
  const scene = JSON.parse(find("scene").textContent);
  const flat = Object.assign(new Image(), { src: scene.photo.picture, alt: find("picture").getAttribute("aria-label") });
  find("picture").replaceWith(flat);
  flat.id = "picture";
  say(`3D cannot be shown here (${error.message}); this is the flat photo.`);
  document.documentElement.dataset.state = "flat";
});
