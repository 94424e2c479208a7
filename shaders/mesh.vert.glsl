#version 330 core
// Draws one layer of a photo's mesh, displaced by its depth. Used by render/renderer.py.

#include "lib/camera.glsl"

in vec2 place; // picture space
in float depth; // normalized inverse depth, 1 = nearest
in vec2 uv;

#if BICUBIC
out vec2 surface_uv;
#else
uniform vec2 texel_size;
out vec2 surface_texel;
#endif
invariant gl_Position; // the translucent triangles are drawn by another program, at equal depth
#if WITH_DEPTH
out float surface_depth;
#endif

void main() {
#if BICUBIC
    surface_uv = uv;
#else
    surface_texel = uv / texel_size - 0.5;
#endif
#if WITH_DEPTH
    surface_depth = depth;
#endif
    gl_Position = project(place, depth);
}
