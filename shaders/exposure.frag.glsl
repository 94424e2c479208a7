#version 330 core
// Averages many views: each is added to a floating-point sum in linear light (DEVELOP 0); then the sum is divided and
// the corners are darkened (DEVELOP 1). Used by render/exposure.py.
// CODED 1: views and result hold coded sRGB values; else sampler and framebuffer decode and encode.

#if CODED
#include "lib/srgb.glsl"
#endif

uniform sampler2D picture; // a view, or the sum
#if DEVELOP
uniform float share;   // weight of one view
uniform float falloff; // light at a corner is 1 / (1 + falloff)^2
uniform vec2 size;
#endif

out vec4 color;

void main() {
    color = texelFetch(picture, ivec2(gl_FragCoord.xy), 0);
#if CODED && !DEVELOP
    color.rgb = srgb_to_linear(color.rgb);
#endif
#if DEVELOP
    // The illumination of a simple lens falls off with the fourth power of the cosine of the angle.
    vec2 away = gl_FragCoord.xy - 0.5 * size;
    float loss = 1.0 + falloff * dot(away, away) / (0.25 * dot(size, size));
    color = vec4(color.rgb * share / (loss * loss), color.a * share);
#if CODED
    color.rgb = linear_to_srgb(color.rgb);
#endif
#endif
}
