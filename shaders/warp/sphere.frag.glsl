#version 330 core
// Projects a flat picture onto the sphere (equirectangular projection); directions it does not cover are black.
// Used by render/warp/sphere.py; row 0 = top.

uniform sampler2D picture;
uniform vec2 span;        // angles that the target covers, radians: horizontal and vertical
uniform vec2 half_size;   // half size of the picture at distance 1: tangents of half its angles of view

in vec2 place;
out vec4 color;

void main() {
    vec2 angle = (place - 0.5) * span;   // longitude to the right, latitude downwards
    vec3 ray = vec3(cos(angle.y) * sin(angle.x), sin(angle.y), cos(angle.y) * cos(angle.x));
    vec2 hit = ray.xy / max(ray.z, 1e-6) / half_size;
    bool inside = ray.z > 0.0 && abs(hit.x) <= 1.0 && abs(hit.y) <= 1.0;
    vec4 texel = texture(picture, hit * 0.5 + 0.5);   // outside any branch: it needs neighboring pixels
    color = inside ? texel : vec4(0.0, 0.0, 0.0, 1.0);
}
