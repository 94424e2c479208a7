#version 330 core
// Draws one layer of a photo's mesh, displaced by its depth. Used by render/renderer.py.

#include "lib/camera.glsl"

in vec2 place; // picture space
in float depth; // normalized inverse depth, 1 = nearest
in vec2 uv;

out vec2 surface_uv;
invariant gl_Position; // the translucent triangles are drawn by another program, at equal depth
#if WITH_DEPTH
out float surface_depth;
#endif

void main() {
    surface_uv = uv;
#if WITH_DEPTH
    surface_depth = depth;
#endif
    gl_Position = project(place, depth);
}
