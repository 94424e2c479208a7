#version 330 core
// Arranges two eyes in one picture; coded values are copied, never mixed between the eyes.
// Used by render/compose.py: two textures of the same size, row 0 = top.

#define SIDE 0
#define STACK 1
#define ROWS 2
#define COLUMNS 3
#define CHECKER 4

uniform sampler2D first;   // the eye on the left, on top, or in even rows
uniform sampler2D second;
uniform ivec2 eye;         // size of one eye in the result
uniform ivec2 origin;      // of this tile in the result

out vec4 color;

vec4 fetch(bool other, ivec2 place) {
    return other ? texelFetch(second, place, 0) : texelFetch(first, place, 0);
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy) + origin;
#if PACKING == SIDE || PACKING == STACK
    ivec2 place = pixel % eye;
    bool other = PACKING == SIDE ? pixel.x >= eye.x : pixel.y >= eye.y;
#if HALF
    // Half formats average two pixels, so that thin lines do not vanish.
    ivec2 wide = PACKING == SIDE ? ivec2(2, 1) : ivec2(1, 2);
    color = 0.5 * (fetch(other, place * wide) + fetch(other, place * wide + wide - 1));
#else
    color = fetch(other, place);
#endif
#else
    int count = PACKING == ROWS ? pixel.y : PACKING == COLUMNS ? pixel.x : pixel.x + pixel.y;
    color = fetch((count & 1) == 1, pixel);
#endif
}
