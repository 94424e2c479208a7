// How one or two eyes come onto the page: plain, depth, side by side, cross-eyed, anaglyph.

import {
  Euler, HalfFloatType, Mesh, OrthographicCamera, PerspectiveCamera, PlaneGeometry, Scene, ShaderMaterial,
  WebGLRenderer, WebGLRenderTarget,
} from "three";

const CROP = 1.03; // the photo is enlarged by at most this to keep its border out of sight

// Least-squares red-cyan anaglyph for LCD screens, Dubois 2009, in linear light.
const DUBOIS = {
  left: [0.437, 0.449, 0.164, -0.062, -0.062, -0.024, -0.048, -0.05, -0.017],
  right: [-0.011, -0.032, -0.007, 0.377, 0.761, 0.009, -0.026, -0.093, 1.234],
};
const rows = (numbers) => `transpose(mat3(${numbers.map((n) => n.toFixed(4)).join(", ")}))`;

const anaglyphMaterial = () =>
  new ShaderMaterial({
    depthTest: false,
    depthWrite: false,
    uniforms: { left: { value: null }, right: { value: null } },
    vertexShader: "varying vec2 at; void main() { at = uv; gl_Position = vec4(position.xy, 0.0, 1.0); }",
    fragmentShader: `
      uniform sampler2D left;
      uniform sampler2D right;
      varying vec2 at;
      void main() {
        vec3 light = ${rows(DUBOIS.left)} * texture2D(left, at).rgb + ${rows(DUBOIS.right)} * texture2D(right, at).rgb;
        gl_FragColor = vec4(clamp(light, 0.0, 1.0), 1.0);
        #include <colorspace_fragment>
      }`,
  });

/**
 * Whether the processor draws instead of a graphics card: three times slower with smooth outlines. Asks a context of
 * `canvas` without them, which then serves; another way to ask costs Chromium's first picture a second.
 */
export function drawsInSoftware(canvas) {
  const context = canvas.getContext("webgl2", { antialias: false, alpha: true, powerPreference: "default" });
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  const name = names ? context.getParameter(names.UNMASKED_RENDERER_WEBGL) : "";
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export class Screen {
  constructor(canvas, lens, layers, { antialias = true } = {}) {
    this.renderer = new WebGLRenderer({ canvas, antialias, alpha: true });
    this.renderer.setClearAlpha(0);
    this.renderer.autoClear = false;
    this.canvas = canvas;
    this.lens = lens;
    this.layers = layers;
    this.scene = new Scene();
    this.scene.add(layers.group);
    this.camera = new PerspectiveCamera();
    this.camera.matrixAutoUpdate = false;
    this.anaglyph = null;
    this.beforeHeadset = null; // called before each frame of a headset
  }

  /** Show another photo; the old one's memory is freed. */
  change(lens, layers) {
    this.scene.remove(this.layers.group);
    this.layers.dispose();
    this.lens = lens;
    this.layers = layers;
    this.scene.add(layers.group);
  }

  /**
   * Draw `view`: { mode, x, y, amount, focus }, x and y in -1..1, amount in percent of the width. With `camera`
   * (position, rotation in degrees, shift, zoom, as depth3d's Camera) the plain picture is seen from there.
   */
  draw(view) {
    const { renderer } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    if (renderer.getPixelRatio() !== ratio) renderer.setPixelRatio(ratio);
    if (this.canvas.width !== Math.floor(width * ratio) || this.canvas.height !== Math.floor(height * ratio)) {
      renderer.setSize(width, height, false);
    }
    renderer.setScissorTest(false);
    renderer.clear();
    this.layers.showDepth(view.mode === "depth");
    if (view.mode === "sbs" || view.mode === "cross") {
      const order = view.mode === "sbs" ? [-0.5, 0.5] : [0.5, -0.5];
      order.forEach((eye, i) => this.#eye(view, eye, contain((i * width) / 2, width / 2, height, this.lens.aspect)));
    } else if (view.mode === "anaglyph") {
      this.#drawAnaglyph(view, contain(0, width, height, this.lens.aspect), ratio);
    } else this.#eye(view, 0, contain(0, width, height, this.lens.aspect));
  }

  /** Let a headset draw: its own two cameras, the photo in its true field of view before the viewer. */
  drawHeadset() {
    this.beforeHeadset?.(this.renderer.xr);
    this.layers.showDepth(false);
    this.renderer.clear();
    this.renderer.render(this.scene, this.camera);
  }

  #eye(view, eye, box) {
    this.renderer.setViewport(box.x, box.y, box.width, box.height);
    this.renderer.setScissor(box.x, box.y, box.width, box.height);
    this.renderer.setScissorTest(true);
    this.#place(view, eye);
    this.renderer.render(this.scene, this.camera);
  }

  #drawAnaglyph(view, box, ratio) {
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    this.anaglyph ??= this.#makeAnaglyph();
    const { left, right, scene, camera } = this.anaglyph;
    for (const [target, eye] of [[left, -0.5], [right, 0.5]]) {
      target.setSize(width, height);
      this.renderer.setRenderTarget(target);
      this.renderer.clear();
      this.#place(view, eye);
      this.renderer.render(this.scene, this.camera);
    }
    this.renderer.setRenderTarget(null);
    this.renderer.setViewport(box.x, box.y, box.width, box.height);
    this.renderer.render(scene, camera);
  }

  #makeAnaglyph() {
    const target = () => new WebGLRenderTarget(1, 1, { type: HalfFloatType, samples: 4 });
    const [left, right, material] = [target(), target(), anaglyphMaterial()];
    material.uniforms.left.value = left.texture;
    material.uniforms.right.value = right.texture;
    const scene = new Scene();
    scene.add(new Mesh(new PlaneGeometry(2, 2), material));
    return { left, right, scene, camera: new OrthographicCamera() };
  }

  // The camera slides sideways and its frustum is sheared so that the focus plane stays still on the screen.
  #place(view, eye) {
    const { lens, camera } = this;
    if (view.camera && eye === 0) return this.#pose(view.camera);
    const travel = lens.travel(view.amount);
    const [x, y] = [(view.x / 2 + eye) * travel, (view.y / 2) * travel];
    const plane = lens.distance(view.focus);
    const reach = Math.max(view.focus, 1 - view.focus) * (view.amount / 100);
    const zoom = Math.min(CROP, 1 + reach);
    const [clipNear, clipFar] = [lens.near / 4, lens.far * 4];
    const scale = clipNear / plane;
    const [halfWidth, halfHeight] = [(plane * lens.halfWidth) / zoom, (plane * lens.halfHeight) / zoom];
    camera.projectionMatrix.makePerspective(
      (-halfWidth - x) * scale, (halfWidth - x) * scale, (halfHeight - y) * scale, (-halfHeight - y) * scale,
      clipNear, clipFar,
    );
    camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
    camera.matrix.makeTranslation(x, y, 0);
    camera.matrixWorldNeedsUpdate = true;
  }

  // A camera of the renderer: picture point = focal * zoom * X / distance + shift, in widths from the middle.
  #pose([x, y, z, yaw, pitch, roll, shiftX, shiftY, zoom]) {
    const { lens, camera } = this;
    const [near, far] = [lens.near / 4, lens.far * 4];
    const [across, up] = [zoom / lens.halfWidth, zoom / lens.halfHeight];
    camera.projectionMatrix.set(
      across, 0, -2 * shiftX, 0,
      0, up, 2 * shiftY, 0,
      0, 0, -(far + near) / (far - near), (-2 * far * near) / (far - near),
      0, 0, -1, 0,
    );
    camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
    const turn = new Euler(...[pitch, yaw, roll].map((degrees) => (degrees * Math.PI) / 180), "YXZ");
    camera.matrix.makeRotationFromEuler(turn).setPosition(x, y, z);
    camera.matrixWorldNeedsUpdate = true;
  }
}

// The largest box of the photo's shape in a part of the page, in CSS pixels from the lower left.
export function contain(left, width, height, aspect) {
  const fit = Math.min(width, height * aspect);
  const box = { width: Math.round(fit), height: Math.round(fit / aspect) };
  return { ...box, x: left + Math.floor((width - box.width) / 2), y: Math.floor((height - box.height) / 2) };
}
