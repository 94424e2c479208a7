// sRGB coding (IEC 61966-2-1), for textures that hold coded values.

vec3 srgb_to_linear(vec3 coded) {
    vec3 high = pow((max(coded, 0.0) + 0.055) / 1.055, vec3(2.4));
    return mix(high, coded / 12.92, lessThanEqual(coded, vec3(0.04045)));
}

// Within 0.18 of 255 levels: a rational function of the square root, which software OpenGL draws faster than a power.
// Light in [0, 1].
vec3 linear_to_srgb_fast(vec3 light) {
    vec3 x = sqrt(light);
    vec3 above = x * (0.0326053872 + x * (3.15438865 + x * 363.197078));
    return above / (1.0 + x * (-2.93906650 + x * (323.884366 + x * 44.6846536)));
}

vec3 linear_to_srgb(vec3 light) {
    vec3 high = 1.055 * pow(max(light, 0.0), vec3(1.0 / 2.4)) - 0.055;
    return mix(high, light * 12.92, lessThanEqual(light, vec3(0.0031308)));
}
