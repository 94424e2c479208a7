// A grayscale PNG to numbers, without a canvas: browsers that guard against fingerprinting add noise to
// canvas pixels, and color management may change them. Depth must come out exactly as it went in.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** Bytes of a `data:...;base64,` address. */
export function bytesOf(dataUri) {
  const text = atob(dataUri.slice(dataUri.indexOf(",") + 1));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** { width, height, values }: values are Uint8Array or Uint16Array, row 0 at the top. 8 or 16 bit gray only. */
export async function decodeGrayPng(bytes) {
  if (!SIGNATURE.every((value, i) => bytes[i] === value)) throw new Error("depth picture: not a PNG");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [];
  let width = 0;
  let height = 0;
  let bits = 0;
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      [width, height, bits] = [view.getUint32(at + 8), view.getUint32(at + 12), body[8]];
      if (body[9] !== 0 || body[12] !== 0 || bits < 8) throw new Error("depth picture: expected plain 8 or 16 bit gray");
    } else if (kind === "IDAT") parts.push(body);
    at += length + 12;
  }
  const unpacked = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(unpacked).arrayBuffer());
  return { width, height, values: unfilter(rows, width, height, bits / 8) };
}

function unfilter(rows, width, height, step) {
  const stride = width * step;
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    for (let x = 0; x < stride; x++) {
      const left = x >= step ? out[to + x - step] : 0;
      const up = y > 0 ? out[to + x - stride] : 0;
      const corner = x >= step && y > 0 ? out[to + x - stride - step] : 0;
      out[to + x] = rows[from + x] + predicted(filter, left, up, corner);
    }
  }
  if (step === 1) return out;
  const wide = new Uint16Array(width * height);
  for (let i = 0; i < wide.length; i++) wide[i] = (out[2 * i] << 8) | out[2 * i + 1];
  return wide;
}

function predicted(filter, left, up, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const guess = left + up - corner;
  const toLeft = Math.abs(guess - left);
  const toUp = Math.abs(guess - up);
  const toCorner = Math.abs(guess - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
