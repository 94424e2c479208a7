// Reads a picture in linear light, bilinearly, from texels that hold the square roots of red, green and blue, 10 bits
// each: finer than 8 bits of sRGB at every level, and one number for software OpenGL to fetch instead of four.
// Packed by render/upload.py.

// OpenGL 3.3 without the extension reads the four texels one by one: the same picture in 1.4 times the time.
#extension GL_ARB_texture_gather : enable

vec3 squares(int texel) {
    vec3 root = vec3(ivec3(texel & 1023, (texel >> 10) & 1023, texel >> 20));
    return root * root;
}

// at: in texels, (0, 0) = center of the top-left texel; beyond the border the last texels repeat.
vec3 read_light(isampler2D from, vec2 at, vec2 texel_size) {
    vec2 base = floor(at), t = at - base;
#ifdef GL_ARB_texture_gather
    ivec4 four = textureGather(from, (base + 1.0) * texel_size); // the corner that they share: no rounding takes others
    int a = four.w, b = four.z, c = four.x, d = four.y;
#else
    ivec2 last = textureSize(from, 0) - 1;
    ivec2 low = clamp(ivec2(base), ivec2(0), last), high = clamp(ivec2(base) + 1, ivec2(0), last);
    int a = texelFetch(from, low, 0).r, b = texelFetch(from, ivec2(high.x, low.y), 0).r;
    int c = texelFetch(from, ivec2(low.x, high.y), 0).r, d = texelFetch(from, high, 0).r;
#endif
    vec3 upper = mix(squares(a), squares(b), t.x), lower = mix(squares(c), squares(d), t.x);
    return mix(upper, lower, t.y) * (1.0 / (1023.0 * 1023.0));
}
