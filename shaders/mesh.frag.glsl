#version 330 core
// Colors one layer. OPAQUE 1: the triangles without translucent texels, as coded values, for a framebuffer that does not
// encode (one that does would decode every pixel first); LIGHT 1: in linear light nevertheless. OPAQUE 0: the translucent
// ones, in linear light with premultiplied alpha, for blending.
// BICUBIC 0: bilinear, from packed texels (lib/light.glsl) and a texture of alpha. BICUBIC 1, for stills: keeps more fine
// detail, from a texture of coded values, since in linear light the spline's overshoot would darken the surroundings of
// bright dots.
// WITH_DEPTH 1: also writes the depth of the visible surface, to the second attachment.

#if BICUBIC
#include "lib/bicubic.glsl"
#else
#include "lib/light.glsl"
#endif
#include "lib/srgb.glsl"

#if BICUBIC
uniform sampler2D picture;
#else
uniform isampler2D picture;
uniform vec2 texel_size; // of the picture, with sides of 1
#if !OPAQUE
uniform sampler2D coverage; // alpha
#endif
#endif

#if BICUBIC
in vec2 surface_uv;
#else
in vec2 surface_texel; // (0, 0) = center of the top-left texel
#endif
layout(location = 0) out vec4 color;
#if WITH_DEPTH
in float surface_depth;
layout(location = 1) out vec4 depth_seen;
#endif

void main() {
#if BICUBIC
    vec4 texel = read_bicubic(picture, surface_uv);
    texel.rgb = clamp(srgb_to_linear(texel.rgb), 0.0, 1.0);
#elif OPAQUE
    vec4 texel = vec4(read_light(picture, surface_texel, texel_size), 1.0);
#else
    float alpha = texture(coverage, (surface_texel + 0.5) * texel_size).r;
    vec4 texel = vec4(read_light(picture, surface_texel, texel_size), alpha);
#endif
#if OPAQUE && LIGHT
    color = vec4(texel.rgb, 1.0);
#elif OPAQUE
    color = vec4(linear_to_srgb_fast(texel.rgb), 1.0);
#else
    color = vec4(texel.rgb * texel.a, texel.a);
#endif
#if WITH_DEPTH
    depth_seen = vec4(surface_depth, 0.0, 0.0, 1.0); // alpha 1: blending replaces it
#endif
}
