#version 330 core
// Smooths what stereo.frag.glsl painted into gaps, along columns: rows are painted one by one and would show as streaks.
// Used by render/warp/stereo.py on the blocks of gap_blocks.vert.glsl. Alpha is the mark of stereo.frag.glsl.

#include "lib/gap_mark.glsl"

uniform sampler2D drawn;  // both eyes
uniform int height;       // of one eye
uniform float like;       // difference of depth within a surface

out vec4 color;

const int REACH = 4;       // rows up and down
const float SPREAD = 2.5;  // rows, Gaussian

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    vec4 own = texelFetch(drawn, pixel, 0), sum = own;
    float mass = 1.0;
    int top = pixel.y / height * height;
    // A loop that ends at once where there is no gap: a software renderer executes both branches of an `if`.
    for (int k = marked_gap(own.a) ? -REACH : REACH + 1; k <= REACH; k++) {
        vec4 other = texelFetch(drawn, ivec2(pixel.x, clamp(pixel.y + k, top, top + height - 1)), 0);
        bool same = k != 0 && abs(marked_depth(other.a) - marked_depth(own.a)) <= like;
        float share = same ? exp(-0.5 * float(k * k) / (SPREAD * SPREAD)) : 0.0;
        sum += share * other;
        mass += share;
    }
    color = sum / mass;
}
