// sRGB coding (IEC 61966-2-1), for textures that hold coded values.

vec3 srgb_to_linear(vec3 coded) {
    vec3 high = pow((max(coded, 0.0) + 0.055) / 1.055, vec3(2.4));
    return mix(high, coded / 12.92, lessThanEqual(coded, vec3(0.04045)));
}

// Within 0.25 of 255 levels, by square roots instead of a power, which software OpenGL draws faster. Light in [0, 1].
vec3 linear_to_srgb_fast(vec3 light) {
    vec3 second = sqrt(light), fourth = sqrt(second), eighth = sqrt(fourth);
    vec3 high = 0.662002687 * second + 0.684122060 * fourth - 0.323583601 * eighth - 0.0225411470 * light;
    return mix(high, light * 12.92, lessThanEqual(light, vec3(0.0031308)));
}

vec3 linear_to_srgb(vec3 light) {
    vec3 high = 1.055 * pow(max(light, 0.0), vec3(1.0 / 2.4)) - 0.055;
    return mix(high, light * 12.92, lessThanEqual(light, vec3(0.0031308)));
}
