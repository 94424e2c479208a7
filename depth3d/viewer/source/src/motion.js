// Where the viewer's head is: pointer, touch, a turned phone, arrow keys; with nobody there, a gentle loop.

const LOOP_SECONDS = 6;
const IDLE_AFTER = 2.5; // seconds without input until the loop takes over
const EASE = 0.12; // seconds to come most of the way to where the input points
const TURN = 14; // degrees of turning a phone for the full travel

const clamp = (value) => Math.max(-1, Math.min(1, value));

export class Motion {
  constructor(surface, { loop }) {
    this.position = { x: 0, y: 0 };
    this.target = { x: 0, y: 0 };
    this.loop = loop;
    this.still = false;
    this.phase = 0;
    this.lastInput = -Infinity;
    this.rest = null;
    this.#listen(surface);
  }

  aim(x, y) {
    this.target = { x: clamp(x), y: clamp(y) };
    this.lastInput = performance.now() / 1000;
  }

  step(x, y) {
    this.aim(this.target.x + x, this.target.y + y);
  }

  /** Go on by `seconds`; true while the picture still changes. */
  advance(seconds) {
    if (this.still) return false;
    const idle = performance.now() / 1000 - this.lastInput > IDLE_AFTER;
    if (idle && this.loop) {
      this.phase += (seconds / LOOP_SECONDS) * 2 * Math.PI;
      this.target = { x: 0.9 * Math.sin(this.phase), y: 0.5 * Math.cos(this.phase) };
    }
    const part = 1 - Math.exp(-seconds / (idle ? 4 * EASE : EASE));
    const [dx, dy] = [this.target.x - this.position.x, this.target.y - this.position.y];
    this.position.x += dx * part;
    this.position.y += dy * part;
    return Math.abs(dx) + Math.abs(dy) > 1e-4;
  }

  /** Listen to the phone's turning. iOS asks the user, which is only allowed from a click. */
  async listenToTurning() {
    const ask = window.DeviceOrientationEvent?.requestPermission;
    if (ask && (await ask.call(window.DeviceOrientationEvent)) !== "granted") return false;
    window.addEventListener("deviceorientation", (event) => this.#turn(event));
    return true;
  }

  /** Chromium on a desk has the question too, but nothing to turn: only ask where a finger is the pointer. */
  static get turningNeedsPermission() {
    const asks = typeof window.DeviceOrientationEvent?.requestPermission === "function";
    return asks && window.matchMedia("(pointer: coarse)").matches;
  }

  static get turningIsFree() {
    return typeof window.DeviceOrientationEvent?.requestPermission !== "function";
  }

  #listen(surface) {
    surface.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") {
        const box = surface.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * 2 - 1;
        this.aim(x, 1 - ((event.clientY - box.top) / box.height) * 2);
      } else if (event.isPrimary && event.buttons) {
        this.step(event.movementX / 120, -event.movementY / 120);
      }
    });
    surface.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.aim(0, 0));
  }

  #turn({ beta, gamma }) {
    if (beta === null || gamma === null) return;
    const angle = (screen.orientation?.angle ?? window.orientation ?? 0) * (Math.PI / 180);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [across, along] = [gamma * cos + beta * sin, beta * cos - gamma * sin];
    this.rest ??= { across, along };
    // The resting pose follows slowly, so that any way of holding the phone becomes the middle.
    this.rest.across += (across - this.rest.across) * 0.01;
    this.rest.along += (along - this.rest.along) * 0.01;
    const [x, y] = [(across - this.rest.across) / TURN, (this.rest.along - along) / TURN];
    if (Math.abs(x) + Math.abs(y) > 0.05) this.aim(x, y);
  }
}
