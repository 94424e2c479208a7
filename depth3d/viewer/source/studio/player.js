// Plays a clip in place of the picture; a side-by-side or top-bottom clip also for red-cyan glasses.

import { find } from "./page.js";

let layout = null; // { across, down, half } of a clip with two eyes
let drawing = 0;

/** Show the clip at an address; `eyes`: where its two eyes are. */
export function play(address, eyes = null) {
  layout = eyes;
  const player = find("player");
  player.src = address;
  player.hidden = find("close-player").hidden = false;
  find("as-anaglyph").hidden = !eyes;
  anaglyph(false);
  player.play().catch((error) => console.warn(error.message));
}

export function stopPlaying() {
  anaglyph(false);
  find("player").pause();
  for (const id of ["player", "close-player", "as-anaglyph"]) find(id).hidden = true;
}

export function wirePlayer() {
  find("close-player").addEventListener("click", stopPlaying);
  find("as-anaglyph").addEventListener("click", () => anaglyph(find("as-anaglyph").getAttribute("aria-pressed") !== "true"));
}

function anaglyph(on) {
  find("as-anaglyph").setAttribute("aria-pressed", String(on));
  find("glasses").hidden = !on;
  cancelAnimationFrame(drawing);
  if (on) draw();
}

// The red of the left eye and the green and blue of the right one: each eye is multiplied by its color, then both are
// added.
function draw() {
  const [player, shown] = [find("player"), find("glasses")];
  const { across, down, half } = layout;
  const [eyeWidth, eyeHeight] = [player.videoWidth / across, player.videoHeight / down];
  const [width, height] = half ? [player.videoWidth, player.videoHeight] : [eyeWidth, eyeHeight];
  if (width && height) {
    if (shown.width !== width || shown.height !== height) Object.assign(shown, { width, height });
    const pen = shown.getContext("2d");
    const eye = (number) => {
      const canvas = new OffscreenCanvas(width, height);
      const own = canvas.getContext("2d");
      const [left, top] = [number * (across - 1) * eyeWidth, number * (down - 1) * eyeHeight];
      own.drawImage(player, left, top, eyeWidth, eyeHeight, 0, 0, width, height);
      own.globalCompositeOperation = "multiply";
      own.fillStyle = number ? "#0ff" : "#f00";
      own.fillRect(0, 0, width, height);
      return canvas;
    };
    pen.globalCompositeOperation = "copy";
    pen.drawImage(eye(0), 0, 0);
    pen.globalCompositeOperation = "lighter";
    pen.drawImage(eye(1), 0, 0);
  }
  drawing = requestAnimationFrame(draw);
}
