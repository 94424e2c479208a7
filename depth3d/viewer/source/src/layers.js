// Pictures to three.js meshes in world space: right-handed, +Y up, the camera at the origin looks along -Z.

import {
  BufferAttribute, BufferGeometry, DoubleSide, Group, Mesh, MeshBasicMaterial, MirroredRepeatWrapping,
  ShaderMaterial, SRGBColorSpace, Texture,
} from "three";
import { bytesOf, decodeGrayPng } from "./png.js";
import { buildSurface } from "./surface.js";

const MARGIN = 0.04; // the sheet goes on beyond the photo by this part of its long side, mirrored
const FLAT = 0.004; // depth error allowed in large cells: a tenth of a pixel or so at usual strength
// Without a graphics card triangles and texels cost time; the background shows beside the foreground only.
const QUICK = { texture: 1600, photo: 0.012, background: 0.03 };

/** A pinhole camera's numbers for a photo: half its width and height at distance 1, and inverse depth. */
export class Lens {
  constructor({ aspect, fieldOfView, near, far }) {
    this.aspect = aspect;
    this.halfHeight = Math.tan((fieldOfView * Math.PI) / 360); // fieldOfView: vertical, degrees
    this.halfWidth = this.halfHeight * aspect;
    this.inverseNear = 1 / near;
    this.inverseFar = 1 / far;
    this.near = near;
    this.far = far;
  }

  /** Distance along the axis of normalized inverse depth: 1 = nearest, 0 = farthest. */
  distance(depth) {
    return 1 / (this.inverseFar + depth * (this.inverseNear - this.inverseFar));
  }

  /** How far the camera moves so that nearest and farthest part by `amount` percent of the width. */
  travel(amount) {
    return ((amount / 100) * 2 * this.halfWidth) / (this.inverseNear - this.inverseFar);
  }
}

async function loadTexture(dataUri, drawnSlowly) {
  const image = new Image();
  image.src = dataUri;
  await image.decode();
  const texture = new Texture(image);
  const quick = drawnSlowly();
  const part = (quick ? QUICK.texture : Infinity) / Math.max(image.naturalWidth, image.naturalHeight);
  if (part < 1) {
    const [resizeWidth, resizeHeight] = [image.naturalWidth, image.naturalHeight].map((side) => Math.round(side * part));
    texture.image = await createImageBitmap(image, {
      resizeWidth, resizeHeight, resizeQuality: "high", imageOrientation: "flipY", premultiplyAlpha: "none",
    });
    texture.flipY = false; // bitmaps are turned when they are made
  }
  texture.colorSpace = SRGBColorSpace; // filtered in linear light, shown as it was
  texture.wrapS = texture.wrapT = MirroredRepeatWrapping;
  texture.anisotropy = quick ? 1 : 8;
  texture.needsUpdate = true;
  return texture;
}

// Depth as floats; 0 means "nothing here" in the picture behind, where only the hidden parts are drawn.
async function loadDepth(dataUri, hollow) {
  const { width, height, values } = await decodeGrayPng(bytesOf(dataUri));
  const white = values.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
  const floats = new Float32Array(values.length);
  for (let i = 0; i < floats.length; i++) floats[i] = hollow && values[i] === 0 ? NaN : values[i] / white;
  return { width, height, values: floats };
}

const mirrored = (i, n) => (i < 0 ? Math.min(-1 - i, n - 1) : i >= n ? Math.max(2 * n - 1 - i, 0) : i);

function withMargin({ width, height, values }, margin) {
  const wide = { width: width + 2 * margin, height: height + 2 * margin };
  wide.values = new Float32Array(wide.width * wide.height);
  for (let y = 0; y < wide.height; y++) {
    const row = mirrored(y - margin, height) * width;
    for (let x = 0; x < wide.width; x++) {
      wide.values[y * wide.width + x] = values[row + mirrored(x - margin, width)];
    }
  }
  return wide;
}

function geometryOf(depth, lens, maxStep, flat = FLAT) {
  const margin = Math.round(MARGIN * Math.max(depth.width, depth.height));
  const { vertices, triangles } = buildSurface(withMargin(depth, margin), maxStep, flat);
  const count = vertices.length / 5;
  const position = new Float32Array(count * 3);
  const uv = new Float32Array(count * 2);
  const near = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const [x, y] = [(vertices[5 * i] - margin) / depth.width, (vertices[5 * i + 1] - margin) / depth.height];
    near[i] = vertices[5 * i + 4];
    const distance = lens.distance(near[i]);
    position[3 * i] = (2 * x - 1) * lens.halfWidth * distance;
    position[3 * i + 1] = (1 - 2 * y) * lens.halfHeight * distance;
    position[3 * i + 2] = -distance;
    uv[2 * i] = (vertices[5 * i + 2] - margin) / depth.width;
    uv[2 * i + 1] = 1 - (vertices[5 * i + 3] - margin) / depth.height;
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(position, 3));
  geometry.setAttribute("uv", new BufferAttribute(uv, 2));
  geometry.setAttribute("near", new BufferAttribute(near, 1));
  geometry.setIndex(new BufferAttribute(new Uint32Array(triangles), 1));
  return geometry;
}

const depthMaterial = new ShaderMaterial({
  side: DoubleSide,
  vertexShader: `
    attribute float near;
    varying float shade;
    void main() {
      shade = near;
      gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
    }`,
  // Gray as coded values, white = near, as in a depth file: no conversion on the way out.
  fragmentShader: "varying float shade; void main() { gl_FragColor = vec4(vec3(shade), 1.0); }",
});

/**
 * Both layers of the scene as one group, back to front; `showDepth(true)` paints depth instead of the photo.
 * `drawnSlowly()`: whether the processor draws, which gets fewer triangles and texels; asked when the pictures are
 * there, since a context that is made earlier delays the first paint.
 */
export async function loadLayers(scene, lens, drawnSlowly = () => false) {
  const group = new Group();
  const sources = [scene.background, scene.photo].filter(Boolean);
  const loaded = sources.map((source) =>
    Promise.all([loadTexture(source.picture, drawnSlowly), loadDepth(source.depth, source !== scene.photo)]),
  );
  for (const [i, [texture, depth]] of (await Promise.all(loaded)).entries()) {
    const behind = sources[i] !== scene.photo;
    const flat = drawnSlowly() ? QUICK[behind ? "background" : "photo"] : FLAT;
    const material = new MeshBasicMaterial({ map: texture, side: DoubleSide, toneMapped: false });
    const mesh = new Mesh(geometryOf(depth, lens, behind ? Infinity : scene.maxStep, flat), material);
    mesh.userData.picture = material;
    mesh.name = behind ? "background" : "photo";
    mesh.frustumCulled = false;
    mesh.renderOrder = behind ? 1 : 0; // the photo first: most of what lies behind it is then never shaded
    group.add(mesh);
  }
  const showDepth = (on) => {
    for (const mesh of group.children) mesh.material = on ? depthMaterial : mesh.userData.picture;
  };
  /** Give the photo another depth map; what lies behind it stays. */
  const changeDepth = async (dataUri, maxStep) => {
    const mesh = group.getObjectByName("photo");
    const geometry = geometryOf(await loadDepth(dataUri, false), lens, maxStep);
    mesh.geometry.dispose();
    mesh.geometry = geometry;
  };
  const dispose = () => {
    for (const mesh of group.children) {
      mesh.geometry.dispose();
      mesh.userData.picture.map.dispose();
      mesh.userData.picture.dispose();
    }
  };
  return { group, showDepth, changeDepth, dispose };
}
