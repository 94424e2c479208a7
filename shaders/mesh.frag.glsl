#version 330 core
// Colors one layer: linear light, premultiplied alpha.
// Writes the depth of the visible surface to the second attachment, if there is one.
// BICUBIC 0: bilinear, from an sRGB texture decoded by the sampler. BICUBIC 1, for stills: keeps more fine detail, from
// a texture of coded values, since in linear light the spline's overshoot would darken the surroundings of bright dots.

#if BICUBIC
#include "lib/bicubic.glsl"
#endif
#include "lib/srgb.glsl"

uniform sampler2D picture;
uniform bool coded; // write coded values: for opaque surfaces, into a framebuffer that does not encode

in vec2 surface_uv;
in float surface_depth;
layout(location = 0) out vec4 color;
layout(location = 1) out vec4 depth_seen;

void main() {
#if BICUBIC
    vec4 texel = read_bicubic(picture, surface_uv);
    texel.rgb = srgb_to_linear(texel.rgb);
#else
    vec4 texel = texture(picture, surface_uv);
#endif
    color = vec4(texel.rgb * texel.a, texel.a);
    if (coded) color.rgb = linear_to_srgb_fast(clamp(color.rgb, 0.0, 1.0));
    depth_seen = vec4(surface_depth, 0.0, 0.0, 1.0); // alpha 1: blending replaces it
}
