// Builds a triangle mesh from a picture with depth: coarse where it is flat, one cell per pixel at depth
// discontinuities. Every pixel is a cell; cells are connected where their depths differ by at most `maxStep`. A
// vertex at a discontinuity exists once for each side, so that each side keeps its own depth.

const ROOT = 64; // largest cell, pixels

/**
 * depth: { width, height, values } with values Float32Array in 0..1 (1 = nearest); NaN = nothing here.
 * maxStep: largest depth difference of connected neighbors. flat: depth error allowed for larger cells.
 * Returns { vertices: [column, row, u column, u row, depth] * N, triangles }, columns and rows in pixels.
 */
export function buildSurface(depth, maxStep, flat) {
  const corners = cornerDepths(depth, maxStep);
  const cells = mergeCells(depth, corners, flat);
  return triangulate(depth, corners, cells, maxStep);
}

// The depth at each pixel corner: the mean of the pixels around it, NaN where those are not connected.
function cornerDepths({ width, height, values }, maxStep) {
  const across = width + 1;
  const mean = new Float32Array(across * (height + 1));
  for (let y = 0; y <= height; y++) {
    const up = Math.max(y - 1, 0) * width;
    const down = Math.min(y, height - 1) * width;
    for (let x = 0; x <= width; x++) {
      const left = Math.max(x - 1, 0);
      const right = Math.min(x, width - 1);
      const [a, b, c, d] = [values[up + left], values[up + right], values[down + left], values[down + right]];
      const spread = Math.max(a, b, c, d) - Math.min(a, b, c, d);
      mean[y * across + x] = spread <= maxStep ? (a + b + c + d) / 4 : NaN; // NaN pixels make a NaN corner
    }
  }
  return mean;
}

// Cells as [left, top, right, bottom] * N in pixels, none larger than the depth allows.
function mergeCells({ width, height, values }, corners, flat) {
  const across = width + 1;
  const cells = [];
  const fits = (x0, y0, x1, y1) => {
    const [a, b] = [corners[y0 * across + x0], corners[y0 * across + x1]];
    const [c, d] = [corners[y1 * across + x0], corners[y1 * across + x1]];
    for (let y = y0; y <= y1; y++) {
      const t = (y - y0) / (y1 - y0);
      const left = a + (c - a) * t;
      const slope = (b + (d - b) * t - left) / (x1 - x0);
      for (let x = x0; x <= x1; x++) {
        const error = corners[y * across + x] - left - slope * (x - x0);
        if (!(Math.abs(error) <= flat)) return false; // NaN (a discontinuity, or nothing here) does not fit either
      }
    }
    return true;
  };
  const visit = (x0, y0, x1, y1) => {
    if (x1 - x0 === 1 && y1 - y0 === 1) {
      if (!Number.isNaN(values[y0 * width + x0])) cells.push(x0, y0, x1, y1);
      return;
    }
    if (fits(x0, y0, x1, y1)) {
      cells.push(x0, y0, x1, y1);
      return;
    }
    const midX = x1 - x0 > 1 ? (x0 + x1) >> 1 : x1;
    const midY = y1 - y0 > 1 ? (y0 + y1) >> 1 : y1;
    visit(x0, y0, midX, midY);
    if (midX < x1) visit(midX, y0, x1, midY);
    if (midY < y1) visit(x0, midY, midX, y1);
    if (midX < x1 && midY < y1) visit(midX, midY, x1, y1);
  };
  for (let y = 0; y < height; y += ROOT) {
    for (let x = 0; x < width; x += ROOT) visit(x, y, Math.min(x + ROOT, width), Math.min(y + ROOT, height));
  }
  return cells;
}

function triangulate({ width, height, values }, corners, cells, maxStep) {
  const across = width + 1;
  const used = new Uint8Array(corners.length);
  for (let i = 0; i < cells.length; i += 4) {
    const [x0, y0, x1, y1] = [cells[i], cells[i + 1], cells[i + 2], cells[i + 3]];
    for (const corner of [y0 * across + x0, y0 * across + x1, y1 * across + x0, y1 * across + x1]) used[corner] = 1;
  }
  const vertices = [];
  const triangles = [];
  const shared = new Int32Array(corners.length).fill(-1);
  const add = (x, y, u, v, near) => vertices.push(x, y, u, v, near) / 5 - 1;
  const common = (x, y) => {
    const corner = y * across + x;
    if (shared[corner] < 0) shared[corner] = add(x, y, x, y, corners[corner]);
    return shared[corner];
  };
  // A vertex that only one pixel uses, at a discontinuity: the mean depth of the neighbors connected with it, and
  // the color from the pixel's center, because photos mix the two sides' colors along an outline.
  const ownVertex = (px, py, x, y) => {
    const own = values[py * width + px];
    const acrossX = Math.min(Math.max(x > px ? px + 1 : px - 1, 0), width - 1);
    const acrossY = Math.min(Math.max(y > py ? py + 1 : py - 1, 0), height - 1);
    const around = [values[py * width + acrossX], values[acrossY * width + px], values[acrossY * width + acrossX]];
    const [beside, above] = around.map((value) => Math.abs(value - own) <= maxStep);
    const together = [own, ...around.filter((value) => Math.abs(value - own) <= maxStep)];
    const near = together.reduce((sum, value) => sum + value, 0) / together.length;
    return add(x, y, beside ? x : px + 0.5, above ? y : py + 0.5, near);
  };
  const at = (px, py, x, y) => (Number.isNaN(corners[y * across + x]) ? ownVertex(px, py, x, y) : common(x, y));
  for (let i = 0; i < cells.length; i += 4) {
    const [x0, y0, x1, y1] = [cells[i], cells[i + 1], cells[i + 2], cells[i + 3]];
    const ring = [];
    if (x1 - x0 === 1 && y1 - y0 === 1) {
      ring.push(at(x0, y0, x0, y0), at(x0, y0, x0, y1), at(x0, y0, x1, y1), at(x0, y0, x1, y0));
    } else {
      // All corners that smaller neighbors use along the border, or cracks would open there.
      for (let y = y0; y < y1; y++) if (used[y * across + x0]) ring.push(common(x0, y));
      for (let x = x0; x < x1; x++) if (used[y1 * across + x]) ring.push(common(x, y1));
      for (let y = y1; y > y0; y--) if (used[y * across + x1]) ring.push(common(x1, y));
      for (let x = x1; x > x0; x--) if (used[y0 * across + x]) ring.push(common(x, y0));
    }
    if (ring.length === 4) {
      triangles.push(ring[0], ring[1], ring[2], ring[0], ring[2], ring[3]);
      continue;
    }
    const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const quad = [y0 * across + x0, y0 * across + x1, y1 * across + x0, y1 * across + x1];
    const middle = add(x, y, x, y, quad.reduce((sum, corner) => sum + corners[corner], 0) / 4);
    for (let k = 0; k < ring.length; k++) triangles.push(middle, ring[k], ring[(k + 1) % ring.length]);
  }
  return { vertices, triangles };
}
