/**
 * Loads files of dist/program as `require` does, but with code that is compiled already: to parse and compile them takes
 * a sixth of the time of a short command. `npm run build` writes that code (src/cli/build.js) for its own version of
 * Node, which checks it; another version compiles the files anew.
 */
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { constants, Script } = require('node:vm');

const PROGRAM = join(__dirname, '../dist/program');
/** Of compiled code, for this version of Node alone: V8 itself checks its version, its flags and the length of the source. */
const COMPILED = join(PROGRAM, 'compiled', `${process.versions.v8}-${process.platform}-${process.arch}`);

const modules = new Map();
const scripts = new Map();

function load(name) {
  const known = modules.get(name);
  if (known) return known.exports;
  const file = join(PROGRAM, name);
  const source = readFileSync(file, 'utf8');
  const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n})`, {
    filename: file,
    cachedData: compiledCode(name),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  modules.set(name, module);
  scripts.set(name, script);
  const others = createRequire(file);
  const requireOf = (id) => (id.startsWith('./') ? load(id.slice(2)) : others(id));
  script.runInThisContext().call(module.exports, module.exports, requireOf, module, file, PROGRAM);
  return module.exports;
}

function compiledCode(name) {
  try {
    return readFileSync(join(COMPILED, name));
  } catch {
    return undefined;
  }
}

module.exports = { COMPILED, load, scripts };
