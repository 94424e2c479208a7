// Bundles the viewer (src/ with three.js) into ../viewer.min.js, the gallery (player/) into ../player.min.js and the
// studio's page (studio/) into
// ../../studio/page/studio.min.js; with --check, fails if one of them is not what its source gives.

import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const PROGRAMS = [
  ["src/main.js", new URL("../viewer.min.js", here)],
  ["player/main.js", new URL("../player.min.js", here)],
  ["studio/main.js", new URL("../../studio/page/studio.min.js", here)],
];
const licence = await readFile(new URL("node_modules/three/LICENSE", here), "utf8");
const version = JSON.parse(await readFile(new URL("node_modules/three/package.json", here), "utf8")).version;

for (const [entry, output] of PROGRAMS) {
  const result = await build({
    absWorkingDir: here.pathname,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2022"],
    legalComments: "none", // the whole notice stands at the top instead
    banner: { js: `/* Contains three.js ${version}.\n\n${licence.trim()}\n*/` },
    write: false,
  });
  const text = result.outputFiles[0].text;
  const name = output.pathname.split("/").pop();
  if (!process.argv.includes("--check")) {
    await writeFile(output, text);
    console.log(`${name}: ${text.length} bytes`);
  } else if ((await readFile(output, "utf8")) === text) {
    console.log(`${name} is what its source gives`);
  } else {
    console.error(`${name} is out of date: run \`npm ci && npm run build\` in depth3d/viewer/source`);
    process.exitCode = 1;
  }
}
