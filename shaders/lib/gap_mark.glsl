// What stereo.frag.glsl leaves in the alpha of a frame of a clip: the depth of each pixel, and whether it is in a gap.

const float GAP = 0.51;    // added in gaps; 8 bits keep it apart from depth
const float DEPTH = 0.49;  // share of the range

float gap_mark(bool gap, float depth) { return (gap ? GAP : 0.0) + DEPTH * clamp(depth, 0.0, 1.0); }
bool marked_gap(float mark) { return mark > 0.5; }
float marked_depth(float mark) { return (mark - (marked_gap(mark) ? GAP : 0.0)) / DEPTH; }
