"""Draws textured meshes with OpenGL: one lamp with soft shadows, light from all sides, exact inverse depth."""

from typing import Any, NamedTuple

import cv2
import moderngl
import numpy as np
from meshes import Mesh, Part
from numpy.typing import NDArray

from depth3d.render.context import get_context, on_render_thread

Array = NDArray[np.float32]
SHADOWS = 1024
"""Side of the shadow map, texels."""
FINER = 2
"""Samples per pixel and direction."""

VERTEX = """
#version 330
uniform mat4 model, view, projection, lamp;
in vec3 position; in vec3 normal; in vec2 place;
out vec3 world, away, facing, own, own_normal; out vec2 uv; out vec4 lit;
void main() {
    vec4 at = model * vec4(position, 1.0);
    world = at.xyz; away = (view * at).xyz; uv = place; lit = lamp * at;
    own = position; own_normal = normal;
    facing = transpose(inverse(mat3(model))) * normal;
    gl_Position = projection * vec4(away, 1.0);
}
"""
FRAGMENT = """
#version 330
uniform sampler2D picture, around; uniform sampler2DShadow shadows;
uniform vec3 color, eye, sun, sun_color, above, below; uniform float gloss, soft, tile, glow; uniform int kind;
in vec3 world, away, facing, own, own_normal; in vec2 uv; in vec4 lit;
layout(location = 0) out vec4 shade; layout(location = 1) out float depth;
void main() {
    vec4 surface = vec4(color, 1.0);
    if (kind == 1) surface = texture(picture, vec2(uv.x, uv.y));
    if (kind == 2) {
        vec3 part = abs(own_normal);
        vec2 at = part.x > max(part.y, part.z) ? own.zy : part.y > part.z ? own.xz : own.xy;
        surface = texture(picture, at / tile);
    }
    if (surface.a < 0.5) discard;
    vec3 base = surface.rgb * mix(vec3(1.0), color, kind == 1 ? 0.0 : kind == 2 ? 0.6 : 0.0);
    vec3 to_eye = normalize(eye - world), n = length(facing) > 1e-6 ? normalize(facing) : to_eye;
    if (dot(n, to_eye) < 0.0) n = -n;
    float clear = 0.0; vec3 spot = lit.xyz / lit.w * 0.5 + 0.5;
    for (int i = -1; i <= 1; i++) for (int j = -1; j <= 1; j++)
        clear += texture(shadows, vec3(spot.xy + vec2(i, j) * soft, spot.z - 0.004)) / 9.0;
    float straight = max(dot(n, sun), 0.0) * clear;
    vec3 light = mix(below, above, n.y * 0.5 + 0.5) + sun_color * straight;
    vec3 mirrored = reflect(-to_eye, n), half_way = normalize(sun + to_eye);
    float rim = 0.04 + 0.5 * pow(1.0 - max(dot(n, to_eye), 0.0), 5.0);
    vec2 from = vec2(atan(mirrored.x, mirrored.z + 1e-6) / 6.2832 + 0.5, 0.5 - mirrored.y * 0.5);
    vec3 seen = textureLod(around, from, 3.0).rgb;
    vec3 shine = gloss * (rim * seen + 0.6 * sun_color * clear * pow(max(dot(n, half_way), 0.0), 60.0));
    shade = vec4(mix(base * light + shine, base, glow), 1.0); depth = -away.z;
}
"""
SHADOW_VERTEX = """
#version 330
uniform mat4 model, lamp; in vec3 position; in vec2 place; out vec2 uv;
void main() { uv = place; gl_Position = lamp * model * vec4(position, 1.0); }
"""
SHADOW_FRAGMENT = """
#version 330
uniform sampler2D picture; uniform int kind; in vec2 uv;
void main() { if (kind == 1 && texture(picture, uv).a < 0.5) discard; }
"""


class Thing(NamedTuple):
    """A mesh in the world: its 4x4 matrix, gloss in [0, 1], and whether it shines by itself (a window, a screen).

    `covers` replaces plain colors by a picture, projected along the axes, that repeats every `tile` meters.
    """

    mesh: Mesh
    matrix: Array
    gloss: float = 0.2
    glow: float = 0.0
    covers: NDArray[np.uint8] | None = None
    tile: float = 1.0
    casts: bool = True


class Camera(NamedTuple):
    """Eye and target in meters, roll in radians, horizontal field of view in radians."""

    eye: Array
    target: Array
    roll: float
    view: float


class Lamp(NamedTuple):
    """Direction to the lamp, its color, light from above and below, width of shadows' edges, picture to be mirrored."""

    direction: Array
    color: Array
    above: Array
    below: Array
    soft: float
    around: NDArray[np.uint8]


def look_at(eye: Array, target: Array, roll: float = 0.0) -> Array:
    """Matrix from the world to a camera that looks along -Z, Y up."""
    ahead = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(ahead, [0, 1, 0] if abs(ahead[1]) < 0.999 else [0, 0, 1])
    right /= np.linalg.norm(right)
    up = np.cross(right, ahead)
    right, up = np.cos(roll) * right + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * right
    matrix = np.eye(4)
    matrix[:3, :3] = right, up, -ahead
    matrix[:3, 3] = -matrix[:3, :3] @ eye
    return matrix.astype(np.float32)


def to_pixels(inverse: Array) -> Array:
    """Inverse depth of pixels from `FINER` x `FINER` samples: the mean of one surface, exact for planes, else one."""
    height, width = (side // FINER for side in inverse.shape)
    blocks = inverse.reshape(height, FINER, width, FINER)
    apart = blocks.max(axis=(1, 3)) - blocks.min(axis=(1, 3)) > 0.03 * blocks.max(axis=(1, 3))
    return np.where(apart, blocks[:, -1, :, -1], blocks.mean(axis=(1, 3))).astype(np.float32)


class Raster:
    """Draws in the package's OpenGL context; meshes stay in its memory until `forget`."""

    @on_render_thread
    def __init__(self) -> None:
        self.context = get_context()
        self.program = self.context.program(VERTEX, FRAGMENT)
        self.shadow_program = self.context.program(SHADOW_VERTEX, SHADOW_FRAGMENT)
        self.shadow_map = self.context.depth_texture((SHADOWS, SHADOWS))
        self.shadow_map.compare_func = "<="
        self.shadow_map.repeat_x = self.shadow_map.repeat_y = False
        self.shadow_frame = self.context.framebuffer(depth_attachment=self.shadow_map)
        self.frames: dict[tuple[int, int], Any] = {}
        self.held: dict[int, tuple[Any, Any, Any, Part]] = {}
        self.textures: dict[int, tuple[Any, NDArray[np.uint8]]] = {}
        self.bytes = 0

    def texture(self, picture: NDArray[np.uint8]) -> Any:
        """The picture (H, W, 3 or 4) on the GPU, with mipmaps."""
        if id(picture) not in self.textures:
            made = self.context.texture(
                picture.shape[1::-1], picture.shape[2], np.ascontiguousarray(picture).tobytes(), alignment=1
            )
            made.build_mipmaps()
            made.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
            self.textures[id(picture)] = made, picture
            self.bytes += picture.nbytes
        return self.textures[id(picture)][0]

    def arrays(self, part: Part) -> tuple[Any, Any]:
        """Vertex arrays of a part, for the picture and for the shadows."""
        key = id(part.vertices)
        if key not in self.held:
            buffer = self.context.buffer(np.ascontiguousarray(part.vertices, np.float32).tobytes())
            self.bytes += part.vertices.nbytes
            shown = self.context.vertex_array(self.program, [(buffer, "3f 3f 2f", "position", "normal", "place")])
            cast = self.context.vertex_array(self.shadow_program, [(buffer, "3f 12x 2f", "position", "place")])
            self.held[key] = shown, cast, buffer, part
        return self.held[key][:2]

    def forget(self, limit: int = 600_000_000) -> None:
        """Free all meshes and textures once they take more than `limit` bytes."""
        if self.bytes < limit:
            return
        for held in self.held.values():
            for item in held[:3]:
                item.release()
        for texture, _ in self.textures.values():
            texture.release()
        self.held, self.textures, self.bytes = {}, {}, 0

    def frame(self, height: int, width: int) -> Any:
        """Framebuffer of color, distance and depth test."""
        if (height, width) not in self.frames:
            colors = [
                self.context.texture((width, height), 4, dtype="f2"),
                self.context.texture((width, height), 1, dtype="f4"),
            ]
            self.frames[height, width] = self.context.framebuffer(
                colors, self.context.depth_renderbuffer((width, height))
            )
        return self.frames[height, width]

    def send(self, program: Any, thing: Thing, part: Part) -> None:
        """Set the uniforms of one part."""
        covers = thing.covers if part.texture is None else None
        picture = part.texture if part.texture is not None else covers
        kind = 1 if part.texture is not None else 2 if covers is not None else 0
        if picture is not None:
            self.texture(picture).use(0)
        values = {"model": thing.matrix.T.astype("f4").tobytes(), "kind": kind}
        if program is self.program:
            values |= {"color": tuple(part.color), "gloss": thing.gloss, "glow": thing.glow, "tile": thing.tile}
        for name, value in values.items():
            if isinstance(value, bytes):
                program[name].write(value)
            else:
                program[name].value = value

    @on_render_thread
    def draw(self, things: list[Thing], camera: Camera, lamp: Lamp, height: int, width: int) -> tuple[Array, Array]:
        """Color (height, width, 3), linear in light, about [0, 1], and inverse depth in 1/m, 0 where nothing is."""
        lamp_matrix = self.cast(things, camera, lamp)
        frame = self.frame(height * FINER, width * FINER)
        frame.use()
        frame.clear(0.0, 0.0, 0.0, 1.0)
        self.context.enable_only(moderngl.DEPTH_TEST)
        focal = 1.0 / np.tan(camera.view / 2)
        near, far = 0.03, 80.0
        projection = np.array(
            [
                [focal, 0, 0, 0],
                [0, focal * width / height, 0, 0],
                [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)],
                [0, 0, -1, 0],
            ],
            np.float32,
        )
        program = self.program
        program["view"].write(look_at(camera.eye, camera.target, camera.roll).T.tobytes())
        program["projection"].write(projection.T.tobytes())
        program["lamp"].write(lamp_matrix.T.tobytes())
        named = {
            "eye": camera.eye,
            "sun": lamp.direction,
            "sun_color": lamp.color,
            "above": lamp.above,
            "below": lamp.below,
        }
        for name, value in named.items():
            program[name].value = tuple(float(x) for x in value)
        program["soft"].value = lamp.soft
        self.shadow_map.use(1)
        self.texture(lamp.around).use(2)
        program["picture"].value, program["shadows"].value, program["around"].value = 0, 1, 2
        for thing in things:
            for part in thing.mesh:
                self.send(program, thing, part)
                self.arrays(part)[0].render()
        shape = (height * FINER, width * FINER)
        color = np.frombuffer(frame.read(components=4, attachment=0, dtype="f2"), np.float16).reshape(*shape, 4)[
            ::-1, :, :3
        ]
        depth = np.frombuffer(frame.read(components=1, attachment=1, dtype="f4"), np.float32).reshape(shape)[::-1]
        self.forget()
        small = cv2.resize(
            np.clip(np.nan_to_num(color.astype(np.float32)), 0, 1.2), (width, height), interpolation=cv2.INTER_AREA
        )
        inverse = np.where(depth > 0, 1.0 / np.maximum(depth, 1e-6), 0.0).astype(np.float32)
        return small, to_pixels(inverse)

    def cast(self, things: list[Thing], camera: Camera, lamp: Lamp) -> Array:
        """Draw the shadow map around what the camera looks at; returns the matrix from the world to it."""
        reach = 1.5 * float(np.linalg.norm(camera.target - camera.eye)) + 0.3
        view = look_at(camera.target + lamp.direction * 3 * reach, camera.target)
        scale = np.diag([1 / reach, 1 / reach, -1 / (3.5 * reach), 1]).astype(np.float32)
        scale[2, 3] = -1.0
        scale[2, 2] = -2 / (7 * reach)
        matrix = (scale @ view).astype(np.float32)
        self.shadow_frame.use()
        self.shadow_frame.clear(depth=1.0)
        self.context.enable_only(moderngl.DEPTH_TEST)
        self.shadow_program["lamp"].write(matrix.T.tobytes())
        self.shadow_program["picture"].value = 0
        for thing in things:
            if thing.casts:
                for part in thing.mesh:
                    self.send(self.shadow_program, thing, part)
                    self.arrays(part)[1].render()
        return matrix
