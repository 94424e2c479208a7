// Bicubic reading of a texture (Keys 1981, Cubic convolution interpolation); beyond the border the last texels repeat.

const float SLOPE = -0.6;      // of the spline at 1; -0.5 is the Catmull-Rom spline, lower is sharper
const float OVERSHOOT = 0.25;  // beyond the range of the four nearest texels, as a share of it: more shows as halos

vec4 cubic_weights(float t) {
    float u = 1.0 - t;
    vec2 near = 1.0 - vec2(t, u) * vec2(t, u) * ((SLOPE + 3.0) - (SLOPE + 2.0) * vec2(t, u));
    return vec4(SLOPE * t * u * u, near, SLOPE * u * t * t);
}

// place: (0, 0) = top-left corner, (1, 1) = bottom-right corner.
vec4 read_bicubic(sampler2D from, vec2 place) {
    ivec2 size = textureSize(from, 0);
    vec2 at = place * vec2(size) - 0.5;
    vec2 base = floor(at);
    vec4 across = cubic_weights(at.x - base.x), down = cubic_weights(at.y - base.y);
    ivec4 x = clamp(ivec4(base.x) + ivec4(-1, 0, 1, 2), 0, size.x - 1);
    ivec4 y = clamp(ivec4(base.y) + ivec4(-1, 0, 1, 2), 0, size.y - 1);
    vec4 a = texelFetch(from, ivec2(x.y, y.y), 0), b = texelFetch(from, ivec2(x.z, y.y), 0);
    vec4 c = texelFetch(from, ivec2(x.y, y.z), 0), d = texelFetch(from, ivec2(x.z, y.z), 0);
    vec4 sum = down.y * (across.y * a + across.z * b) + down.z * (across.y * c + across.z * d);
    for (int k = 0; k < 4; k += 3) {  // the twelve texels around: first and last column, first and last row
        sum += across[k] * down.y * texelFetch(from, ivec2(x[k], y.y), 0);
        sum += across[k] * down.z * texelFetch(from, ivec2(x[k], y.z), 0);
        for (int i = 0; i < 4; i++) sum += down[k] * across[i] * texelFetch(from, ivec2(x[i], y[k]), 0);
    }
    vec4 low = min(min(a, b), min(c, d)), high = max(max(a, b), max(c, d));
    vec4 room = OVERSHOOT * (high - low);
    return clamp(sum, max(low - room, 0.0), min(high + room, 1.0));
}
