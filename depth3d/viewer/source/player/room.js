// The headset: a screen before the viewer that shows each eye its own picture, flat or curved, and its subtitles.

import {
  CanvasTexture, CylinderGeometry, Group, Mesh, MeshBasicMaterial, BackSide, DoubleSide, PerspectiveCamera, PlaneGeometry, Scene,
  SRGBColorSpace, Texture, VideoTexture, WebGLRenderer,
} from "three";
import { placeBeforeViewer } from "../src/headset.js";
import { caption, eyeBox } from "./eyes.js";

const DISTANCE = 3; // meters from the eyes to the screen
const CINEMA = 70; // degrees across a large screen

/** Width of the screen in meters: life-size is the angle that the camera saw. */
export function screenWidth(item, size) {
  const degrees = Math.min(size === "life" ? item.fieldOfView : CINEMA, 150);
  return 2 * DISTANCE * Math.tan((degrees * Math.PI) / 360);
}

function geometryOf(item, { shape, size }, eye) {
  const width = screenWidth(item, size);
  const height = width / item.aspect;
  // A curved screen stands at the same distance all around and has the same width along its arc as a flat one.
  const angle = Math.min(width / DISTANCE, 2 * Math.PI);
  const geometry =
    shape === "curved"
      ? new CylinderGeometry(DISTANCE, DISTANCE, height, 64, 1, true, Math.PI - angle / 2, angle)
      : new PlaneGeometry(width, height).translate(0, 0, -DISTANCE);
  const [x, y, w, h] = eyeBox(item, eye);
  const uv = geometry.attributes.uv;
  for (let i = 0; i < uv.count; i++) {
    const u = shape === "curved" ? 1 - uv.getX(i) : uv.getX(i); // seen from inside, a cylinder's u runs leftwards
    uv.setXY(i, x + u * w, 1 - y - h + uv.getY(i) * h);
  }
  return geometry;
}

export class Room {
  constructor(canvas) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true });
    this.scene = new Scene();
    this.wall = new Group(); // the screen and its words, before the viewer
    this.scene.add(this.wall);
    this.camera = new PerspectiveCamera(70, 1, 0.05, 100);
    this.screens = [];
    this.words = document.createElement("canvas").getContext("2d");
    Object.assign(this.words.canvas, { width: 1024, height: 192 });
    this.text = null;
  }

  show(item, media, settings) {
    this.clear();
    const moving = media instanceof HTMLVideoElement;
    const texture = moving ? new VideoTexture(media) : new Texture(media);
    texture.colorSpace = SRGBColorSpace;
    texture.needsUpdate = true; // also of a paused clip
    const side = settings.shape === "curved" ? BackSide : DoubleSide;
    const material = new MeshBasicMaterial({ map: texture, side, toneMapped: false });
    for (const eye of [0, 1]) {
      const mesh = new Mesh(geometryOf(item, settings, eye), material);
      mesh.layers.set(eye + 1); // three.js shows layer 1 to the left eye and layer 2 to the right one
      this.wall.add(mesh);
      this.screens.push(mesh);
    }
    const width = screenWidth(item, settings.size);
    const texts = new CanvasTexture(this.words.canvas);
    texts.colorSpace = SRGBColorSpace;
    const words = new Mesh(new PlaneGeometry(1.6, 0.3), new MeshBasicMaterial({ map: texts, transparent: true, depthTest: false }));
    words.position.set(0, -Math.min(width / item.aspect / 2, 1.2) + 0.15, -DISTANCE * 0.95);
    words.renderOrder = 1;
    this.wall.add(words);
    this.screens.push(words);
    this.caption("");
  }

  caption(text) {
    if (text === this.text) return;
    this.text = text;
    const { canvas } = this.words;
    this.words.clearRect(0, 0, canvas.width, canvas.height);
    caption(this.words, text, [0, 0, canvas.width, canvas.height], 3);
    const words = this.screens.at(-1);
    if (words) words.material.map.needsUpdate = true;
  }

  clear() {
    for (const mesh of this.screens) {
      this.wall.remove(mesh);
      mesh.geometry.dispose();
      mesh.material.map.dispose();
      mesh.material.dispose();
    }
    this.screens = [];
    this.text = null;
  }

  /** What one eye sees (0 = left), on the page; for tests. */
  drawEye(eye) {
    this.camera.layers.set(eye + 1);
    this.renderer.render(this.scene, this.camera);
  }

  /** Draw one frame of the headset. */
  draw(text) {
    this.place(this.renderer.xr);
    this.caption(text);
    this.renderer.render(this.scene, this.camera);
  }

  async enter(onEnd, onSelect, onSqueeze) {
    const session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
    this.renderer.xr.enabled = true;
    this.renderer.xr.setReferenceSpaceType("local"); // its origin is where the eyes are
    await this.renderer.xr.setSession(session);
    this.place = placeBeforeViewer(this.wall);
    session.addEventListener("select", onSelect);
    session.addEventListener("squeeze", onSqueeze);
    session.addEventListener("end", () => {
      this.renderer.setAnimationLoop(null);
      this.renderer.xr.enabled = false;
      onEnd();
    });
    return session;
  }
}
