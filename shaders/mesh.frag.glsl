#version 410 core
// Colors one layer: linear light, premultiplied alpha, from an sRGB texture decoded by the sampler.
// Writes the depth of the visible surface to the second attachment, if there is one.

uniform sampler2D picture;

in vec2 surface_uv;
in float surface_depth;
layout(location = 0) out vec4 color;
layout(location = 1) out vec4 depth_seen;

void main() {
    vec4 texel = texture(picture, surface_uv);
    color = vec4(texel.rgb * texel.a, texel.a);
    depth_seen = vec4(surface_depth, 0.0, 0.0, 1.0); // alpha 1: blending replaces it
}
