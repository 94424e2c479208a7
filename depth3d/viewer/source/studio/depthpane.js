// The depth map beside the picture: shows it, marks what lies at the focus, gives the depth of a point.

import { bytesOf, decodeGrayPng } from "../src/png.js";

const BAND = 0.025; // depths this near to the focus are tinted
const TINT = [255, 176, 46];

export class DepthPane {
  constructor(canvas) {
    this.canvas = canvas;
    this.map = null;
    this.overlay = () => {}; // draws strokes: (context, width, height)
    this.marked = null;
    this.photo = null; // an image that shines through while one paints
    this.blend = 0;
  }

  async show(dataUri) {
    const { width, height, values } = await decodeGrayPng(bytesOf(dataUri));
    this.map = { width, height, values, white: values.BYTES_PER_ELEMENT === 1 ? 255 : 65535 };
    this.draw();
  }

  /** Depth in 0..1 at a point, 0..1 from the upper left: the middle one of its neighbors. */
  at(x, y) {
    const { width, height, values, white } = this.map;
    const around = [];
    for (let j = -2; j <= 2; j++) {
      for (let i = -2; i <= 2; i++) {
        const column = Math.max(0, Math.min(width - 1, Math.floor(x * width) + i));
        const row = Math.max(0, Math.min(height - 1, Math.floor(y * height) + j));
        around.push(values[row * width + column]);
      }
    }
    return around.sort((a, b) => a - b)[12] / white;
  }

  mark(depth) {
    this.marked = depth;
    this.draw();
  }

  draw() {
    if (!this.map) return;
    const { width, height, values, white } = this.map;
    const { canvas, marked } = this;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { willReadFrequently: true }); // drawn pixel by pixel
    const picture = context.createImageData(width, height);
    for (let i = 0; i < values.length; i++) {
      const depth = values[i] / white;
      const tint = marked === null ? 0 : 0.55 * Math.max(0, 1 - Math.abs(depth - marked) / BAND);
      for (let channel = 0; channel < 3; channel++) {
        picture.data[4 * i + channel] = 255 * depth * (1 - tint) + TINT[channel] * tint;
      }
      picture.data[4 * i + 3] = 255;
    }
    context.putImageData(picture, 0, 0);
    if (this.blend && this.photo) {
      context.globalAlpha = this.blend;
      context.drawImage(this.photo, 0, 0, width, height);
      context.globalAlpha = 1;
    }
    this.overlay(context, width, height);
  }

  /** Where an event points, 0..1 from the picture's upper left (the canvas is fitted into its box). */
  place(event) {
    const frame = this.canvas.getBoundingClientRect();
    const scale = Math.min(frame.width / this.canvas.width, frame.height / this.canvas.height);
    const [width, height] = [this.canvas.width * scale, this.canvas.height * scale];
    return {
      x: (event.clientX - frame.left - (frame.width - width) / 2) / width,
      y: (event.clientY - frame.top - (frame.height - height) / 2) / height,
    };
  }
}
