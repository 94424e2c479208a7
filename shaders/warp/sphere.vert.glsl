#version 330 core
// One triangle over the whole target, for sphere.frag.glsl.

out vec2 place;   // (0, 0) = left end of row 0, (1, 1) = right end of the last row

void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    place = corner;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
