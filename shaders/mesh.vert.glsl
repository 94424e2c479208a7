#version 330 core
// Draws one layer of a photo's mesh, displaced by its depth. Used by render/renderer.py.

#include "lib/camera.glsl"

in vec2 place; // picture space
in float depth; // normalized inverse depth, 1 = nearest
in vec2 uv;

out vec2 surface_uv;
out float surface_depth;

void main() {
    surface_uv = uv;
    surface_depth = depth;
    gl_Position = project(place, depth);
}
