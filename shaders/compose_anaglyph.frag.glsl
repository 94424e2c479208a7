#version 330 core
// Mixes two eyes into an anaglyph, in linear light.
// Used by render/compose.py: two textures of coded sRGB and the matrices of depth3d/anaglyphs.py.

#include "lib/srgb.glsl"

uniform sampler2D first;   // the left eye
uniform sampler2D second;
uniform mat3 left_matrix;
uniform mat3 right_matrix;
uniform ivec2 origin;      // of this tile in the result

out vec4 color;

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy) + origin;
    vec4 left = texelFetch(first, pixel, 0);
    vec4 right = texelFetch(second, pixel, 0);
    vec3 light = left_matrix * srgb_to_linear(left.rgb) + right_matrix * srgb_to_linear(right.rgb);
    color = vec4(linear_to_srgb(clamp(light, 0.0, 1.0)), max(left.a, right.a));
}
