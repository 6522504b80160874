/**
 * Loads CommonJS files of dist as `require` does, but with code that is compiled already: to parse and compile them takes
 * a sixth of the time of a short command, and a fifth of the start of a thread. `npm run build` writes that code
 * (src/cli/build.js) for its own version of Node, which checks it; another version compiles the files anew.
 */
const { readFileSync } = require('node:fs');
const { dirname, join, posix } = require('node:path');
const { constants, Script } = require('node:vm');

const DIST = join(__dirname, '../dist');
/** Of compiled code, for this version of Node alone: V8 itself checks its version, its flags and the length of the source. */
const COMPILED = join(DIST, 'program/compiled', `${process.versions.v8}-${process.platform}-${process.arch}`);

const modules = new Map();
const scripts = new Map();

/** @param name of a file, relative to dist, with slashes */
function load(name) {
  const known = modules.get(name);
  if (known) return known.exports;
  const file = join(DIST, name);
  const script = scriptOf(name);
  scripts.set(name, script);
  const module = { exports: {} };
  modules.set(name, module);
  // Packages, and what Node has, are the same for all files.
  const own = (id) => (id.startsWith('./') ? load(posix.join(posix.dirname(name), id)) : require(id));
  script.runInThisContext().call(module.exports, module.exports, own, module, file, dirname(file));
  return module.exports;
}

/** The file as a function of what CommonJS gives it. */
function scriptOf(name) {
  const file = join(DIST, name);
  const source = readFileSync(file, 'utf8');
  return new Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n})`, {
    filename: file,
    cachedData: compiledCode(name),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

function compiledCode(name) {
  try {
    return readFileSync(join(COMPILED, name));
  } catch {
    return undefined;
  }
}

module.exports = { COMPILED, load, scriptOf, scripts };
