#version 410 core
// Renders both eyes of a video frame in one pass without a mesh (DIBR): each pixel searches its row for the visible
// surface.
// Used by render/warp/stereo.py: the frame (row 0 = top) and its depth, both of the size of one eye.
//
// With parallel axes a point moves only along its row, by a few pixels at most, so the shader tests every column that
// can project to the pixel (`bounds` limits them where the depth is flat). Neighbors are connected unless the step
// between them is a depth discontinuity; each side of it ends half a pixel beyond its center. The nearest surface that
// projects to the pixel is visible.
//
// Disocclusion: see depth3d/geometry/background/fill.py for the four ways in which this project fills holes and what
// the use of each. This one mirrors the background at its edge, along the row, over three rows.

uniform sampler2D picture;
uniform sampler2D depth;    // 0 = far .. 1 = near
uniform ivec2 size;         // of one eye
uniform vec2 strength;      // of the left and the right eye: shift in pixels between depth 0 and depth 1
uniform float convergence;  // depth that does not move
uniform sampler2D bounds;   // per block of pixels: range of columns, relative to the pixel, that can project to it:
                            // first and last for the left eye (xy) and for the right eye (zw)
uniform float tolerance;  // steps of more pixels than this are depth discontinuities

out vec4 color;

const float GUARD = 0.01;  // rounding, in pixels

float nearness(int x, int y) { return texelFetch(depth, ivec2(clamp(x, 0, size.x - 1), y), 0).r; }

// Row y interpolated at column x. Beyond the frame's border the picture is mirrored.
// Inside a surface (smooth) the interpolation is cubic, clamped to the range of the two neighbors.
vec4 read(float x, int y, bool smooth_curve) {
    int last = size.x - 1;
    x = abs(x);
    x = float(last) - abs(float(last) - x);
    float base = floor(x), t = x - base;
    int i = int(base);
    vec4 a = texelFetch(picture, ivec2(i, y), 0), b = texelFetch(picture, ivec2(min(i + 1, last), y), 0);
    vec4 p = texelFetch(picture, ivec2(max(i - 1, 0), y), 0), q = texelFetch(picture, ivec2(min(i + 2, last), y), 0);
    vec4 cubic = a + 0.5 * t * (b - p + t * (2.0 * p - 5.0 * a + 4.0 * b - q + t * (3.0 * (a - b) + q - p)));
    return smooth_curve ? clamp(cubic, min(a, b), max(a, b)) : mix(a, b, t);
}

vec4 seen(float target, int y, float shift, vec2 reach) {
    // A source column x lands at x - shift * (depth - convergence); a pair of columns covers this pixel if it lands on both sides.
    int first = int(ceil(target + reach.x - GUARD)) - 1, last = int(floor(target + reach.y + GUARD));
    float best = -1.0, source = target;
    float gap = 2.0, gap_source = target;
    bool inside = false;
    float v0 = nearness(first, y);
    float w0 = float(first) - shift * (v0 - convergence);
    for (int i = first; i <= last; i++) {
        float v1 = nearness(i + 1, y);
        float w1 = float(i + 1) - shift * (v1 - convergence);
        if (abs(shift * (v1 - v0)) <= tolerance) {
            if (target >= w0 && target <= w1 && w1 > w0) {
                float t = (target - w0) / (w1 - w0);
                float v = mix(v0, v1, t);
                if (v > best) { best = v; source = float(i) + t; inside = true; }
            }
        } else {
            if (target >= w0 && target <= w0 + 0.5 && v0 > best) { best = v0; source = float(i); inside = false; }
            if (target <= w1 && target >= w1 - 0.5 && v1 > best) { best = v1; source = float(i + 1); inside = false; }
            float far = min(v0, v1);
            if (target > w0 && target < w1 && far < gap) {
                gap = far;
                gap_source = v0 < v1 ? float(i) - (target - w0 - 0.5) : float(i + 1) + (w1 - 0.5 - target);
            }
        }
        v0 = v1;
        w0 = w1;
    }
    // Gaps average three rows: a single row extended into the gap would be visible as a streak. This is a loop because
    // a software renderer executes both branches of an `if`, but exits a loop when no pixel needs it any more.
    bool gapped = best < 0.0;
    vec4 sum = read(gapped ? gap_source : source, y, inside);
    if (gapped) sum *= 0.5;
    for (int row = gapped ? y - 1 : y + 2; row <= y + 1; row += 2) {
        sum += 0.25 * read(gap_source, clamp(row, 0, size.y - 1), false);
    }
    return sum;
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    bool right = STACK == 1 ? pixel.y >= size.y : pixel.x >= size.x;
    ivec2 place = STACK == 1 ? ivec2(pixel.x, pixel.y % size.y) : ivec2(pixel.x % size.x, pixel.y);
    float shift = right ? strength.y : strength.x;
    vec4 both = texelFetch(bounds, place / ivec2(BLOCK_WIDTH, BLOCK_HEIGHT), 0);
    vec2 reach = right ? both.zw : both.xy;
    color = vec4(0.0);
    for (int k = 0; k < SAMPLES; k++) {
        float offset = (float(k) + 0.5) / float(SAMPLES) - 0.5;
        color += seen(float(place.x) + offset, place.y, shift, reach) / float(SAMPLES);
    }
}
