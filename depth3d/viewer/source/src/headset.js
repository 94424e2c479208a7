// WebXR: the photo before the viewer, at a size that gives the chosen strength between two real eyes.

import { Euler, Quaternion } from "three";

const EYES_APART = 0.063; // meters, a usual distance

/**
 * Put `object` before the viewer, upright, as he stands and looks when the session begins and whenever he asks the
 * headset to center the view: some runtimes put the origin on the floor or where the last session was. Call the
 * returned function in each frame; its argument is three.js' WebXRManager.
 */
export function placeBeforeViewer(object) {
  let space = null;
  let placed = false;
  const again = () => (placed = false);
  return (xr) => {
    if (xr.getReferenceSpace() !== space) {
      space = xr.getReferenceSpace();
      space?.addEventListener("reset", again);
      placed = false;
    }
    const pose = placed || !space ? null : xr.getFrame()?.getViewerPose(space);
    if (!pose) return;
    const { position, orientation } = pose.transform;
    const turn = new Euler().setFromQuaternion(
      new Quaternion(orientation.x, orientation.y, orientation.z, orientation.w), "YXZ",
    );
    object.position.set(position.x, position.y, position.z);
    object.rotation.set(0, turn.y, 0);
    placed = true;
  };
}

/** Offer `button` where a headset is there; `screen` draws. Metric scenes keep their true scale. */
export async function offerHeadset(button, screen, view, scene, say) {
  const supported = await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false);
  if (!supported) return;
  button.hidden = false;
  const { renderer, camera, layers, lens } = screen;
  let session = null;
  let starting = false;
  button.addEventListener("click", async () => {
    if (session) {
      session.end();
      return;
    }
    if (starting) return; // a headset may take seconds, and has one session
    starting = true;
    try {
      session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
    } catch (error) {
      say(`The headset could not start: ${error.message}`);
      return;
    } finally {
      starting = false;
    }
    renderer.xr.enabled = true;
    renderer.xr.setReferenceSpaceType("local"); // its origin is where the eyes are
    layers.group.scale.setScalar(scene.metric ? 1 : EYES_APART / lens.travel(view.amount));
    screen.beforeHeadset = placeBeforeViewer(layers.group);
    camera.matrixAutoUpdate = true;
    camera.near = 0.05;
    camera.far = 1000;
    await renderer.xr.setSession(session);
    session.addEventListener("end", () => {
      session = null;
      renderer.xr.enabled = false;
      layers.group.scale.setScalar(1);
      layers.group.position.set(0, 0, 0);
      layers.group.rotation.set(0, 0, 0);
      camera.matrixAutoUpdate = false;
    });
  });
}
