#version 330 core
// Renders both eyes of a video frame in one pass without a mesh (DIBR): each pixel searches its row for the visible
// surface.
// Used by render/warp/stereo.py: the frame (row 0 = top) and its depth, both of the size of one eye.
//
// With parallel axes a point moves only along its row, by a few pixels at most, so the shader tests every column that
// can project to the pixel (`bounds` limits them where the depth is flat). Neighbors are connected unless the step
// between them is a depth discontinuity; each side of it ends half a pixel beyond its center. The nearest surface that
// projects to the pixel is visible.
//
// GAPS 1: for blocks of pixels on which columns with a depth discontinuity between them can land. GAPS 0: for the rest,
// where every surface is connected, nothing is hidden and there is no gap: the same colors in a third of the time.
//
// Disocclusion: see depth3d/geometry/background/fill.py for the four ways in which this project fills holes and what
// the use of each. This one averages the background beside and beyond the gap, in five rows; smooth_gaps.frag.glsl then
// smooths the gaps along columns.

#include "lib/gap_mark.glsl"
#include "lib/outline_blur.glsl"

uniform sampler2D picture;
uniform sampler2D depth;    // 0 = far .. 1 = near
uniform ivec2 size;         // of one eye
uniform vec2 strength;      // of the left and the right eye: shift in pixels between depth 0 and depth 1
uniform float convergence;  // depth that does not move
uniform sampler2D bounds;   // per block of pixels: range of columns, relative to the pixel, that can project to it:
                            // first and last for the left eye (xy) and for the right eye (zw)
#if GAPS
uniform float tolerance;  // steps of more pixels than this are depth discontinuities
#endif

out vec4 color;

const float GUARD = 0.01;  // rounding, in pixels
const int GAP_ROWS = 5;
const int GAP_COLUMNS = 5;
const float GAP_OWN = 0.5;     // weight of the pixel at the edge of the gap, besides
const vec2 GAP_SPREAD = vec2(0.7, 0.8);  // weights of the samples: Gaussian, depths of the gap
const float GAP_CENTER = 0.6;  // its center, depths of the gap from the edge inwards
const float GAP_LIKE = 2.0;    // pixels of shift: pixels that are nearer by less belong to the background
const float GAP_BEHIND = 0.6;  // share of the depth step: nearer pixels belong to the foreground

float nearness(int x, int y) { return texelFetch(depth, ivec2(clamp(x, 0, size.x - 1), y), 0).r; }

// First and last column whose connection to the next one can cover the pixel.
ivec2 searched(float target, vec2 reach) {
    return ivec2(int(ceil(target + reach.x - GUARD)) - 1, int(floor(target + reach.y + GUARD)));
}

// Column of the eye at which column x lands; v: its depth.
float landing(int x, float v, float shift) { return float(x) - shift * (v - convergence); }

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

#if GAPS

// Color seen at column ``target`` of an eye; ``cut``: whether it is a gap or the rim of a surface; ``mark``: gap_mark.
vec4 seen(float target, int y, float shift, vec2 reach, out bool cut, out float mark) {
    // A pair of neighboring columns covers this pixel if it lands on both sides.
    ivec2 range = searched(target, reach);
    float best = -1.0, source = target;
    float gap = 2.0, front = 2.0, gap_edge = target, gap_way = 0.0;
    bool inside = false;
    float v0 = nearness(range.x, y), w0 = landing(range.x, v0, shift);
    // Loops end at their last line where they can: software renderers execute the body of others once more.
    int i = range.x;
    do {
        float v1 = nearness(i + 1, y), w1 = landing(i + 1, v1, shift);
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
                front = max(v0, v1);
                gap_edge = float(v0 < v1 ? i : i + 1);
                gap_way = v0 < v1 ? w0 + 0.5 - target : w1 - 0.5 - target;
            }
        }
        v0 = v1;
        w0 = w1;
    } while (++i <= range.y);
    // Gaps take a mean of the background in several rows, farther apart the deeper the gap: a single row extended into
    // the gap would be visible as a streak. Pixels of the surface in front are left out.
    // This is a loop because a software renderer executes both branches of an `if`, but exits a loop when no pixel needs
    // it any more.
    bool gapped = best < 0.0;
    cut = gapped || !inside;
    mark = gap_mark(gapped, gapped ? gap : best);
    float deep = max(abs(gap_way), 1.0), limit = gap + max(GAP_LIKE / abs(shift), GAP_BEHIND * (front - gap));
    float mass = gapped ? GAP_OWN : 1.0;
    vec4 sum = mass * read(gapped ? gap_edge : source, y, inside);
    for (int tap = gapped ? 0 : GAP_ROWS * GAP_COLUMNS; tap < GAP_ROWS * GAP_COLUMNS; tap++) {
        int side = tap % GAP_COLUMNS, line = tap / GAP_COLUMNS - GAP_ROWS / 2;
        // In depths of the gap, from its edge: three columns on the background's side, two beyond the gap.
        vec2 away = vec2(0.5 * float(side) - (side > 2 ? 2.6 : 0.0), 0.5 * float(line));
        float down = sign(away.y) * max(abs(away.y) * deep, abs(float(line)));
        ivec2 at = ivec2(round(vec2(gap_edge + gap_way * away.x, float(y) + down)));
        at = size - 1 - abs(size - 1 - abs(at));  // beyond the border the picture is mirrored
        if (texelFetch(depth, at, 0).r <= limit) {
            away.x += GAP_CENTER;
            float weight = exp(-0.5 * dot(away * away, 1.0 / (GAP_SPREAD * GAP_SPREAD)));
            sum += weight * texelFetch(picture, at, 0);
            mass += weight;
        }
    }
    return sum / mass;
}

#else

// Color seen at column ``target`` of an eye, inside a surface.
vec4 seen(float target, int y, float shift, vec2 reach, out bool cut, out float mark) {
    ivec2 range = searched(target, reach);
    float best = -1.0, source = target;
    float v0 = nearness(range.x, y), w0 = landing(range.x, v0, shift);
    int i = range.x;
    do {
        float v1 = nearness(i + 1, y), w1 = landing(i + 1, v1, shift);
        float t = (target - w0) / (w1 - w0), v = mix(v0, v1, t);
        if (target >= w0 && target <= w1 && w1 > w0 && v > best) { best = v; source = float(i) + t; }
        v0 = v1;
        w0 = w1;
    } while (++i <= range.y);
    cut = false;
    mark = gap_mark(false, best);
    return read(source, y, true);
}

#endif

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    bool right = STACK == 1 ? pixel.y >= size.y : pixel.x >= size.x;
    // No division: software renderers divide integers one by one.
    ivec2 place = pixel - (right ? STACK == 1 ? ivec2(0, size.y) : ivec2(size.x, 0) : ivec2(0));
    float shift = right ? strength.y : strength.x;
    vec4 both = texelFetch(bounds, place >> BLOCK_BITS, 0);
    vec2 reach = right ? both.zw : both.xy;
    bool cut;
    float mark, middle = 0.0;
#if SAMPLES == 1 && !GAPS
    color = seen(float(place.x), place.y, shift, reach, cut, mark);
    middle = mark;
#elif SAMPLES == 1
    float offset = 0.0, share = 1.0 - 2.0 * BLUR_SHARE, mass = 0.0;
    bool more, outline = false;
    vec4 own, sum = vec4(0.0);
    do {
        vec4 found = seen(float(place.x) + offset, place.y, shift, reach, cut, mark);
        sum += share * found;
        mass += share;
        middle = offset == 0.0 ? mark : middle;
        own = offset == 0.0 ? found : own;
        outline = outline || cut;
        more = offset < 0.0 || (offset == 0.0 && cut);
        offset = offset == 0.0 ? -BLUR_REACH : BLUR_REACH;
        share = BLUR_SHARE;
    } while (more);
    color = outline ? sum / mass : own;
#else
    color = vec4(0.0);
    for (int k = 0; k < SAMPLES; k++) {
        float offset = (float(k) + 0.5) / float(SAMPLES) - 0.5;
        color += seen(float(place.x) + offset, place.y, shift, reach, cut, mark) / float(SAMPLES);
        middle = k == SAMPLES / 2 ? mark : middle;
    }
#endif
    color.a = middle;
}
