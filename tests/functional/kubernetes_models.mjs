// kubernetes_models.mjs - do manifests satisfy the schemas of Kubernetes, as the npm package has them?
// Arguments: the folder of the package, a file with a JSON array of manifests. Prints what is wrong.
import { readFileSync } from "node:fs";

const [folder, file] = process.argv.slice(2);
for (const manifest of JSON.parse(readFileSync(file))) {
  const models = await import(`${folder}/${manifest.apiVersion}/index.js`);
  try {
    new models[manifest.kind](manifest).validate();
  } catch (error) {
    console.log(`${manifest.kind} ${manifest.metadata.name}: ${error.message}`);
  }
}
