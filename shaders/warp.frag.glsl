#version 410 core
// Every pixel of the frame belongs to the nearest or to the farthest surface round it. The far pass shows the
// far pixels, and the completed background where a near one stands in the frame; the near pass shows the near
// pixels, their outline softened over the width of one pixel.

uniform sampler2D picture;
uniform sampler2D background;
uniform sampler2D depth;
uniform bool nearest;
uniform float tolerance; // in depth: a smaller range holds one surface only

in vec2 surface_place;
in vec2 surface_range;
out vec4 colour;

void main() {
    vec2 at = 1.0 - abs(1.0 - abs(surface_place)); // mirrored beyond the border
    float span = surface_range.y - surface_range.x;
    float own = 0.0;
    float belongs = 1.0;
    if (span >= tolerance) {
        own = textureLod(depth, at, 0.0).r - surface_range.x;
        belongs = clamp((own / span - 0.5) * 4.0 + 0.5, 0.0, 1.0);
    }
    if (nearest) {
        if (belongs <= 0.0) discard;
        colour = vec4(textureLod(picture, at, 0.0).rgb * belongs, belongs);
    } else {
        vec3 seen = textureLod(picture, at, 0.0).rgb;
        // Complete before the near pass lets this pixel through.
        float mixed = span < tolerance ? 0.0 : clamp((own / span - 0.35) * 8.0, 0.0, 1.0);
        colour = vec4(mixed > 0.0 ? mix(seen, textureLod(background, at, 0.0).rgb, mixed) : seen, 1.0);
    }
}
