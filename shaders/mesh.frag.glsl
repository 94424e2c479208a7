#version 330 core
// Colors one layer: linear light, premultiplied alpha.
// Writes the depth of the visible surface to the second attachment, if there is one.
// BICUBIC 0: bilinear, from an sRGB texture decoded by the sampler. BICUBIC 1, for stills: keeps more fine detail, from
// a texture of coded values, since in linear light the spline's overshoot would darken the surroundings of bright dots.

#if BICUBIC
#include "lib/bicubic.glsl"
#include "lib/srgb.glsl"
#endif

uniform sampler2D picture;

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
    depth_seen = vec4(surface_depth, 0.0, 0.0, 1.0); // alpha 1: blending replaces it
}
