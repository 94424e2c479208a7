#version 410 core
// Colours one layer: linear light, premultiplied, from an sRGB texture that the sampler decodes.

uniform sampler2D picture;

in vec2 surface_uv;
out vec4 colour;

void main() {
    vec4 texel = texture(picture, surface_uv);
    colour = vec4(texel.rgb * texel.a, texel.a);
}
