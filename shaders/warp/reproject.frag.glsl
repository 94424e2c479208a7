#version 330 core
// Reprojects a video frame to a moved camera without a mesh, by ray marching through the frame's depth.
// Used by render/warp/reproject.py: the frame (row 0 = top) and its depth, of the same size.
//
// For a camera that sees (x, y, 1, inverse distance) of the photo at A (x, y, 1) + b * inverse distance, the points of
// the photo that can project to one pixel lie on a straight line (the epipolar line), and the position on it is linear
// in inverse distance. The shader steps along it from near to far by at most one pixel; a surface is hit where the
// scene's depth exceeds the line's. A step larger than the tolerance is a depth discontinuity: the line may pass behind
// its near side.
//
// Disocclusion: see depth3d/geometry/background/fill.py for the four ways in which this project fills holes and what
// the use of each. This one mirrors the background at its edge, along the camera's motion, in one pass without state.

// OpenGL 3.3 without the extension reads the four texels one by one: the same picture in 1.3 times the time.
#extension GL_ARB_texture_gather : enable

#include "lib/outline_blur.glsl"

uniform sampler2D picture;
uniform sampler2D depth;     // 0 = far .. 1 = near
uniform vec2 size;
uniform mat3 back;           // inverse of A
uniform vec3 pull;           // inverse of A, times b
uniform vec2 inverse_range;  // inverse distance at depth 0 and its growth to depth 1
uniform float tolerance;  // steps of more pixels than this are depth discontinuities

out vec4 color;

const float GAP_MARGIN = 1.0;  // pixels beyond the edge of a gap whose color the lens mixes with that of the front

vec4 read(vec2 place) {
    // Beyond the frame's border the picture is mirrored. place is in pixels; pixel centers are at half-integers.
    vec2 inside = abs(place);
    return texture(picture, (size - abs(size - inside)) / size);
}

// Depths of the four pixels around a place: upper left, upper right, lower left, lower right.
vec4 around(vec2 at) {
#ifdef GL_ARB_texture_gather
    return textureGather(depth, at / size).wzxy;
#else
    ivec2 low = ivec2(floor(at - 0.5)), high = min(low + 1, ivec2(size) - 1);
    return vec4(texelFetch(depth, low, 0).r, texelFetch(depth, ivec2(high.x, low.y), 0).r,
                texelFetch(depth, ivec2(low.x, high.y), 0).r, texelFetch(depth, high, 0).r);
#endif
}

float spread(vec4 four) {
    return max(max(four.x, four.y), max(four.z, four.w)) - min(min(four.x, four.y), min(four.z, four.w));
}

// Depth between pixels: smooth inside a surface, that of the nearest pixel at a discontinuity.
float height(vec2 place, float travel) {
    vec2 at = clamp(place, vec2(0.5), size - 0.5);
    vec2 t = fract(at - 0.5);
    vec4 four = around(at);
    if (spread(four) * travel > tolerance) return t.y < 0.5 ? (t.x < 0.5 ? four.x : four.y) : (t.x < 0.5 ? four.z : four.w);
    return mix(mix(four.x, four.y, t.x), mix(four.z, four.w, t.x), t.y);
}

// Color seen at a place of the target; ``cut``: whether it is a gap or the rim of a surface; ``way``: the direction in
// which surfaces part there, length 1, or 0 where nothing moves.
vec4 view(vec2 target, out bool cut, out vec2 way) {
    cut = false;
    vec3 q = back * vec3(target / size, 1.0);
    vec2 far_end = q.xy / q.z;
    // place(inverse) = far_end + inverse * along, from A (place, 1) + b * inverse ~ pixel.
    vec2 along = (pull.z * far_end - pull.xy) * size;
    vec2 start = far_end * size + inverse_range.x * along;  // depth 0
    vec2 reach = inverse_range.y * along;                   // from depth 0 to depth 1
    float travel = length(reach);
    way = vec2(0.0);
    if (travel < 1e-3) return read(start);
    way = reach / travel;
    int steps = int(min(ceil(travel), 255.0)) + 1;
    float fall = 1.0 / float(steps), v = 1.0 + fall;
    float before = height(start + v * reach, travel);
    bool occluded = false;
    float gap = 2.0;
    vec2 fill = start, found = start;
    bool hit = false;
    // Colors are read after the loop: a software renderer executes both branches of an `if`, in every step.
    for (int k = 0; k <= steps && !hit; k++) {
        float now_v = v - fall;
        vec2 place = start + now_v * reach;
        float now = height(place, travel);
        bool discontinuous = abs(now - before) * travel > max(tolerance, 1.5 * fall * travel);
        if (occluded) {
            occluded = now >= now_v;
        } else if (now >= now_v) {
            float t = (v - before) / max(v - before + now - now_v, 1e-6);
            found = discontinuous ? place : start + mix(v, now_v, clamp(t, 0.0, 1.0)) * reach;
            hit = !discontinuous || (now - now_v) * travel <= 0.5 + fall * travel * 0.5;
            occluded = !hit;
            if (occluded && before < gap) {
                gap = before;
                vec2 edge = start + 0.5 * (v + now_v) * reach;
                fill = 2.0 * edge - (start + before * reach) + GAP_MARGIN * way;
            }
        }
        v = now_v;
        before = now;
    }
    found = hit ? found : gap < 2.0 ? fill : start + before * reach;
    vec2 at = clamp(found, vec2(0.5), size - 0.5);
    bool split = at == found && spread(around(at)) * travel > tolerance;
    cut = split || !hit;
    // At a discontinuity the color of the nearest pixel: between pixels the other side mixes in.
    return read(split ? floor(found) + 0.5 : found);
}

void main() {
    // A loop that ends at its last line: software renderers execute the body of other loops at least once more.
    vec2 way = vec2(0.0), other;
    float offset = 0.0, share = 1.0 - 2.0 * BLUR_SHARE, mass = 0.0;
    bool cut = false, beside, more;
    color = vec4(0.0);
    do {
        color += share * view(gl_FragCoord.xy + offset * way, beside, other);
        cut = offset == 0.0 ? beside : cut;
        way = offset == 0.0 ? other : way;
        mass += share;
        more = offset < 0.0 || (offset == 0.0 && cut);
        offset = offset == 0.0 ? -BLUR_REACH : BLUR_REACH;
        share = BLUR_SHARE;
    } while (more);
    color /= mass;
}
