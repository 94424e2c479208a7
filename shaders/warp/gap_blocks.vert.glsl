#version 330 core
// Covers the blocks of pixels that can hold gaps, one instance each, for smooth_gaps.frag.glsl.

uniform vec2 drawn_size;

in ivec2 origin;  // pixel of the block's first corner

void main() {
    vec2 place = vec2(origin) + vec2(gl_VertexID & 1, gl_VertexID >> 1) * float(1 << BLOCK_BITS);
    gl_Position = vec4(place / drawn_size * 2.0 - 1.0, 0.0, 1.0);
}
