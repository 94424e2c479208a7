// Outlines get the blur that a lens gives them, from one more sample on either side. Used by the renderers of clips.

const float BLUR_REACH = 0.9;   // pixels from the pixel's center to each of the two
const float BLUR_SHARE = 0.28;  // weight of each of the two
