// Projects a point of the photo into a new camera's picture. Matches depth3d/camera.py.

uniform mat4x3 photo_to_view; // columns x, y, 1, inverse distance -> (x, y, w) in widths and heights
uniform vec2 inverse_range;   // inverse distance at depth 0 and its growth to depth 1

// place: picture space, (0, 0) = top-left. depth: normalized inverse depth.
vec4 project(vec2 place, float depth) {
    float inverse = inverse_range.x + inverse_range.y * depth;
    vec3 view = photo_to_view * vec4(place, 1.0, inverse);
    // Row 0 of the framebuffer is the picture's top row, so that reading back needs no flip. z is linear
    // in inverse distance; points nearer than a quarter of the nearest point's distance are clipped.
    return vec4(2.0 * view.xy - view.z, view.z - 0.5 * inverse, view.z);
}
