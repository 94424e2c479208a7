#version 410 core
// One grid over a video frame, drawn twice: at the farthest and at the nearest depth around each corner.
// Fed by render/warp.py.

#include "lib/camera.glsl"

uniform bool nearest;

in vec2 place; // picture space
in vec2 range; // farthest and nearest depth round this corner

out vec2 surface_place;
out vec2 surface_range;

void main() {
    surface_place = place;
    surface_range = range;
    gl_Position = project(place, nearest ? range.y : range.x);
}
