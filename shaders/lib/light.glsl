// Reads a picture in linear light, bilinearly. A texel holds two pixels, its own and its right neighbor's, and a pixel the
// square roots of red, green and blue, 10 bits each: finer than 8 bits of sRGB at every level. Software OpenGL, whose time
// goes to fetching numbers, then fetches two instead of sixteen. Packed by render/upload.py.

vec3 squares(int texel) {
    vec3 root = vec3(ivec3(texel & 1023, (texel >> 10) & 1023, texel >> 20));
    return root * root;
}

// at: in texels, (0, 0) = center of the top-left texel; beyond the border the last texels repeat.
vec3 read_light(isampler2D from, vec2 at, vec2 texel_size) {
    at.x = max(at.x, 0.0); // the sampler repeats the rest
    vec2 base = floor(at), t = at - base;
    ivec2 above = texture(from, (base + 0.5) * texel_size).rg;
    ivec2 below = texture(from, (base + vec2(0.5, 1.5)) * texel_size).rg;
    vec3 upper = mix(squares(above.r), squares(above.g), t.x), lower = mix(squares(below.r), squares(below.g), t.x);
    return mix(upper, lower, t.y) * (1.0 / (1023.0 * 1023.0));
}
