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

uniform sampler2D picture;
uniform sampler2D depth;     // 0 = far .. 1 = near
uniform vec2 size;
uniform mat3 back;           // inverse of A
uniform vec3 pull;           // inverse of A, times b
uniform vec2 inverse_range;  // inverse distance at depth 0 and its growth to depth 1
uniform float tolerance;  // steps of more pixels than this are depth discontinuities

out vec4 color;

vec4 read(vec2 place) {
    // Beyond the frame's border the picture is mirrored. place is in pixels; pixel centers are at half-integers.
    vec2 inside = abs(place);
    return texture(picture, (size - abs(size - inside)) / size);
}

// Depth between pixels: smooth inside a surface, that of the nearest pixel at a discontinuity.
float height(vec2 place, float travel) {
    vec2 at = clamp(place, vec2(0.5), size - 0.5);
    vec2 base = floor(at - 0.5), t = at - 0.5 - base;
#ifdef GL_ARB_texture_gather
    vec4 four = textureGather(depth, at / size);
    float a = four.w, b = four.z, c = four.x, d = four.y;
#else
    ivec2 low = ivec2(base), high = min(low + 1, ivec2(size) - 1);
    float a = texelFetch(depth, low, 0).r, b = texelFetch(depth, ivec2(high.x, low.y), 0).r;
    float c = texelFetch(depth, ivec2(low.x, high.y), 0).r, d = texelFetch(depth, high, 0).r;
#endif
    float most = max(max(a, b), max(c, d)), least = min(min(a, b), min(c, d));
    if ((most - least) * travel > tolerance) return t.y < 0.5 ? (t.x < 0.5 ? a : b) : (t.x < 0.5 ? c : d);
    return mix(mix(a, b, t.x), mix(c, d, t.x), t.y);
}

void main() {
    vec3 q = back * vec3(gl_FragCoord.xy / size, 1.0);
    vec2 far_end = q.xy / q.z;
    // place(inverse) = far_end + inverse * along, from A (place, 1) + b * inverse ~ pixel.
    vec2 along = (pull.z * far_end - pull.xy) * size;
    vec2 start = far_end * size + inverse_range.x * along;  // depth 0
    vec2 reach = inverse_range.y * along;                   // from depth 0 to depth 1
    float travel = length(reach);
    if (travel < 1e-3) { color = read(start); return; }
    int steps = int(min(ceil(travel), 255.0)) + 1;
    float fall = 1.0 / float(steps), v = 1.0 + fall;
    float before = height(start + v * reach, travel);
    bool occluded = false;
    float gap = 2.0;
    vec2 fill = start;
    for (int k = 0; k <= steps; k++) {
        float now_v = v - fall;
        vec2 place = start + now_v * reach;
        float now = height(place, travel);
        bool discontinuous = abs(now - before) * travel > max(tolerance, 1.5 * fall * travel);
        if (occluded) {
            occluded = now >= now_v;
        } else if (now >= now_v) {
            if (!discontinuous) {
                float t = (v - before) / max(v - before + now - now_v, 1e-6);
                color = read(start + mix(v, now_v, clamp(t, 0.0, 1.0)) * reach);
                return;
            }
            if ((now - now_v) * travel <= 0.5 + fall * travel * 0.5) { color = read(place); return; }
            occluded = true;
            if (before < gap) {
                gap = before;
                vec2 edge = start + 0.5 * (v + now_v) * reach;
                fill = 2.0 * edge - (start + before * reach);
            }
        }
        v = now_v;
        before = now;
    }
    color = read(gap < 2.0 ? fill : start + before * reach);
}
