// WebXR: the photo before the viewer, at a size that gives the chosen strength between two real eyes.

const EYES_APART = 0.063; // meters, a usual distance

/** Offer `button` where a headset is there; `screen` draws. Metric scenes keep their true scale. */
export async function offerHeadset(button, screen, view, scene, say) {
  const supported = await navigator.xr?.isSessionSupported("immersive-vr").catch(() => false);
  if (!supported) return;
  button.hidden = false;
  const { renderer, camera, layers, lens } = screen;
  let session = null;
  button.addEventListener("click", async () => {
    if (session) {
      session.end();
      return;
    }
    try {
      session = await navigator.xr.requestSession("immersive-vr", { optionalFeatures: ["local-floor"] });
    } catch (error) {
      say(`The headset could not start: ${error.message}`);
      return;
    }
    renderer.xr.enabled = true;
    renderer.xr.setReferenceSpaceType("local"); // its origin is where the eyes are
    layers.group.scale.setScalar(scene.metric ? 1 : EYES_APART / lens.travel(view.amount));
    camera.matrixAutoUpdate = true;
    camera.near = 0.05;
    camera.far = 1000;
    await renderer.xr.setSession(session);
    session.addEventListener("end", () => {
      session = null;
      renderer.xr.enabled = false;
      layers.group.scale.setScalar(1);
      camera.matrixAutoUpdate = false;
    });
  });
}
