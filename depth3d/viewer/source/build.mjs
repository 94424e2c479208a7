// Bundles src/ and three.js into ../viewer.min.js; with --check, fails if that file is not what src/ gives.

import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const here = new URL(".", import.meta.url);
const output = new URL("../viewer.min.js", here);
const licence = await readFile(new URL("node_modules/three/LICENSE", here), "utf8");
const version = JSON.parse(await readFile(new URL("node_modules/three/package.json", here), "utf8")).version;

const result = await build({
  absWorkingDir: here.pathname,
  entryPoints: ["src/main.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  legalComments: "none", // the whole notice stands at the top instead
  banner: { js: `/* Contains three.js ${version}.\n\n${licence.trim()}\n*/` },
  write: false,
});
const text = result.outputFiles[0].text;

if (process.argv.includes("--check")) {
  const committed = await readFile(output, "utf8");
  if (committed !== text) {
    console.error("viewer.min.js is out of date: run `npm ci && npm run build` in depth3d/viewer/source");
    process.exit(1);
  }
  console.log("viewer.min.js is what its source gives");
} else {
  await writeFile(output, text);
  console.log(`viewer.min.js: ${text.length} bytes`);
}
