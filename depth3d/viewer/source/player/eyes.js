// Where each eye's picture lies in a file, and how both are drawn on a flat page.

/** Rectangle of an eye (0 = left, 1 = right) in parts of the whole picture, from the upper left. */
export function eyeBox(item, eye) {
  if (item.packing === "mono") return [0, 0, 1, 1];
  const second = (eye === 1) !== item.rightFirst;
  return item.packing === "side" ? [second ? 0.5 : 0, 0, 0.5, 1] : [0, second ? 0.5 : 0, 1, 0.5];
}

/** Draws a picture or the current frame of a clip; only 2D canvases are used, which also take files from a disk. */
export class FlatScreen {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.eye = document.createElement("canvas").getContext("2d", { alpha: false });
  }

  draw(item, media, mode, text) {
    if (media.readyState < 2) return; // a clip between two frames: the last picture stays
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) => Math.round(side * ratio));
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const { context } = this;
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    const source = [media.videoWidth || media.naturalWidth, media.videoHeight || media.naturalHeight];
    if (!source[0] || !width) return;
    const shown = item.packing === "mono" ? "eye" : mode;
    if (shown === "sbs" || shown === "cross") {
      [0, 1].forEach((eye) => {
        const half = (shown === "sbs") === (eye === 0) ? 0 : width / 2;
        const box = this.#fit(item, half, width / 2, height);
        this.#eye(context, item, media, source, eye, box);
        caption(context, text, box, ratio);
      });
      return;
    }
    const box = this.#fit(item, 0, width, height);
    if (shown === "anaglyph") this.#anaglyph(item, media, source, box);
    else this.#eye(context, item, media, source, 0, box);
    caption(context, text, box, ratio);
  }

  #fit(item, left, width, height) {
    const across = Math.min(width, height * item.aspect);
    const down = across / item.aspect;
    return [left + (width - across) / 2, (height - down) / 2, across, down];
  }

  #eye(context, item, media, [wide, high], eye, box) {
    const [x, y, w, h] = eyeBox(item, eye);
    context.drawImage(media, x * wide, y * high, w * wide, h * high, ...box);
  }

  // Red from the left eye, green and blue from the right one: each is multiplied by its glass, then both are added.
  #anaglyph(item, media, source, box) {
    const { context, eye } = this;
    Object.assign(eye.canvas, { width: this.canvas.width, height: this.canvas.height });
    for (const [number, target, glass] of [[0, context, "#f00"], [1, eye, "#0ff"]]) {
      this.#eye(target, item, media, source, number, box);
      target.globalCompositeOperation = "multiply";
      target.fillStyle = glass;
      target.fillRect(...box);
      target.globalCompositeOperation = "source-over";
    }
    context.globalCompositeOperation = "lighter";
    context.drawImage(eye.canvas, 0, 0);
    context.globalCompositeOperation = "source-over";
  }
}

/** Write subtitles into the lower part of a box of a 2D canvas. */
export function caption(context, text, [x, y, width, height], ratio) {
  if (!text) return;
  const size = Math.max(12 * ratio, height / 20);
  const lines = text.split("\n");
  context.font = `${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.lineJoin = "round";
  context.lineWidth = size / 5;
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  lines.forEach((line, i) => {
    const at = [x + width / 2, y + height - size * (0.6 + 1.25 * (lines.length - 1 - i)), width * 0.95];
    context.strokeText(line, ...at);
    context.fillText(line, ...at);
  });
}
