// The gallery page: thumbnails, and a player for photos, loops and stereo clips, on the page and in a headset.

import { FlatScreen } from "./eyes.js";
import { Room } from "./room.js";

const MODES = ["eye", "anaglyph", "sbs", "cross"];
const find = (id) => document.getElementById(id);
const { items } = JSON.parse(find("gallery").textContent);
const state = { index: -1, media: null, mode: "eye", room: null, session: null, starting: false, pending: 0 };
const screen = new FlatScreen(find("picture"));
const video = find("clip");

function thumbnails() {
  const list = find("list");
  items.forEach((item, index) => {
    const entry = document.createElement(item.kind === "page" ? "a" : "button");
    entry.className = "item";
    if (item.kind === "page") Object.assign(entry, { href: item.url, target: "_blank", rel: "noopener" });
    else entry.addEventListener("click", () => show(index));
    const picture = Object.assign(new Image(), { src: item.thumbnail, alt: "", loading: "lazy" });
    const name = Object.assign(document.createElement("span"), { textContent: item.name });
    const about = Object.assign(document.createElement("small"), { textContent: item.about });
    entry.append(picture, name, about);
    list.append(entry);
  });
}

function cueText() {
  const track = video.textTracks[0];
  const cues = state.media === video && track ? [...(track.activeCues ?? [])] : [];
  return find("subtitles").getAttribute("aria-pressed") === "true"
    ? cues.map((cue) => cue.text.replace(/<[^>]*>/g, "")).join("\n")
    : "";
}

function draw() {
  state.pending = 0;
  if (!state.media || state.session) return;
  screen.draw(items[state.index], state.media, state.mode, cueText());
  document.documentElement.dataset.state = "ready";
  if (state.media === video && !video.paused) later();
}

function later() {
  if (!state.pending) state.pending = requestAnimationFrame(draw);
}

async function show(index) {
  const item = items[index];
  if (!item || item.kind === "page") return;
  document.documentElement.dataset.state = "loading";
  Object.assign(state, { index, media: null });
  find("name").textContent = item.name;
  find("grid").hidden = true;
  find("player").hidden = false;
  find("modes").hidden = item.packing === "mono";
  find("time").hidden = item.kind !== "clip";
  find("subtitles").hidden = !item.subtitles;
  find("status").textContent = "";
  video.pause();
  try {
    const media = item.kind === "clip" ? await openClip(item) : await openPhoto(item);
    if (state.index !== index) return; // another one was chosen meanwhile
    state.media = media;
  } catch (error) {
    find("status").textContent = `${item.name} cannot be shown by this browser.`;
    document.documentElement.dataset.state = "failed";
    return;
  }
  state.room?.show(item, state.media, settings());
  later();
}

async function openPhoto(item) {
  const image = Object.assign(new Image(), { src: item.url });
  await image.decode();
  return image;
}

async function openClip(item) {
  for (const old of video.querySelectorAll("track")) old.remove();
  if (item.subtitles) {
    const track = Object.assign(document.createElement("track"), { kind: "subtitles", default: true });
    track.src = URL.createObjectURL(new Blob([item.subtitles], { type: "text/vtt" }));
    video.append(track);
    track.track.mode = "hidden"; // the page draws the words itself, once for each eye
    track.track.addEventListener("cuechange", later);
  }
  video.loop = item.loop;
  const loaded = new Promise((resolve, reject) => {
    video.addEventListener("loadeddata", resolve, { once: true });
    video.addEventListener("error", () => reject(video.error), { once: true });
  });
  video.src = item.url;
  video.load();
  await loaded;
  video.play().catch(() => later()); // browsers may want a click first
  return video;
}

const settings = () => ({ shape: find("shape").value, size: find("size").value });

function step(by) {
  const count = items.length;
  for (let i = 1; i <= count; i++) {
    const next = (((state.index + by * i) % count) + count) % count;
    if (items[next].kind !== "page") return show(next);
  }
  return undefined;
}

function close() {
  video.pause();
  Object.assign(state, { index: -1, media: null });
  find("player").hidden = true;
  find("grid").hidden = false;
  document.documentElement.dataset.state = "ready";
}

function setMode(mode) {
  state.mode = mode;
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
  later();
}

function toggle() {
  if (state.media !== video) return;
  if (video.paused) video.play();
  else video.pause();
}

async function headset() {
  if (state.session) {
    state.session.end();
    return;
  }
  if (location.protocol === "file:") {
    find("status").textContent = "A headset shows the gallery only from a server: depth3d view FOLDER --serve";
    return; // browsers give no pixels of files to WebGL: it would show black
  }
  if (state.starting) return; // a headset may take seconds, and has one session
  state.starting = true;
  try {
    const room = roomOf();
    state.session = await room.enter(
      () => {
        state.session = null;
        later();
      },
      () => (state.media === video ? toggle() : step(1)),
      () => step(1),
    );
    room.show(items[state.index], state.media, settings());
    room.renderer.setAnimationLoop(() => room.draw(cueText()));
  } catch (error) {
    find("status").textContent = `The headset could not start: ${error.message}`;
  } finally {
    state.starting = false;
  }
}

function roomOf() {
  state.room ??= new Room(document.createElement("canvas"));
  return state.room;
}

function wire() {
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => setMode(button.dataset.mode));
  }
  const toggled = (id) => {
    const on = find(id).getAttribute("aria-pressed") !== "true";
    find(id).setAttribute("aria-pressed", String(on));
    return on;
  };
  const actions = {
    back: close,
    previous: () => step(-1),
    next: () => step(1),
    play: toggle,
    sound: () => (video.muted = !toggled("sound")),
    subtitles: () => (toggled("subtitles"), later()),
    headset,
    full: () => (document.fullscreenElement ? document.exitFullscreen() : find("player").requestFullscreen?.()),
  };
  for (const [id, action] of Object.entries(actions)) find(id).addEventListener("click", action);
  find("seek").addEventListener("input", () => (video.currentTime = (find("seek").value / 1000) * (video.duration || 0)));
  video.addEventListener("timeupdate", () => (find("seek").value = (1000 * video.currentTime) / (video.duration || 1)));
  for (const event of ["play", "seeked", "loadeddata"]) video.addEventListener(event, later);
  for (const event of ["play", "pause"]) {
    video.addEventListener(event, () => (find("play").textContent = video.paused ? "Play" : "Pause"));
  }
  for (const id of ["shape", "size"]) {
    find(id).addEventListener("change", () => state.room?.show(items[state.index], state.media, settings()));
  }
  new ResizeObserver(later).observe(find("picture"));
  const keys = { ArrowLeft: "previous", ArrowRight: "next", Escape: "back", " ": "play", m: "sound", t: "subtitles", f: "full", v: "headset" };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || find("player").hidden) return;
    const control = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (control || (event.key === " " && event.target instanceof HTMLButtonElement)) return;
    const mode = MODES[Number(event.key) - 1];
    if (mode) setMode(mode);
    else if (event.key in keys) find(keys[event.key]).click();
    else return;
    event.preventDefault();
  });
  navigator.xr
    ?.isSessionSupported("immersive-vr")
    .then((there) => (find("room").hidden = !there))
    .catch(() => {});
}

thumbnails();
wire();
const asked = new URLSearchParams(location.hash.slice(1)); // #item=2&mode=anaglyph : for links
setMode(MODES.includes(asked.get("mode")) ? asked.get("mode") : "eye");
document.documentElement.dataset.state = "ready";
if (asked.has("item")) show(Number(asked.get("item")) - 1); // counted from 1
else if (items.length === 1) show(0);
globalThis.depth3dPlayer = { state, roomOf, settings, items };
