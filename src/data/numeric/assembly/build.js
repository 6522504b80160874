/**
 * Compiles the byte path's modules: node src/data/numeric/assembly/build.js, part of `npm run build`. Writes to dist/data/numeric/;
 * a module newer than every source is left as it is.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const source = fileURLToPath(new URL('.', import.meta.url));
const target = fileURLToPath(new URL('../../../../dist/data/numeric/', import.meta.url));

const OPTIONS = [
  // 201 warns of what would need a cast in 64-bit memory.
  ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--disableWarning', '201'],
  ['--enable', 'simd', '--initialMemory', '1', '--maximumMemory', '65536'],
].flat();

const MODULES = {
  parse: [],
  codes: [],
  // On a run's arena, where the constants lie in what it reserves (RESERVED_BYTES in kernels/arena.ts).
  matrix: ['--importMemory', '--sharedMemory', '--enable', 'threads', '--memoryBase', '64'],
};

const changed = Math.max(...readdirSync(source).map((name) => statSync(source + name).mtimeMs));

mkdirSync(target, { recursive: true });
for (const [name, options] of Object.entries(MODULES)) {
  const output = `${target}${name}.wasm`;
  const built = statSync(output, { throwIfNoEntry: false });
  if (built && built.mtimeMs > changed) continue;
  const { error } = await main([`${source}${name}.ts`, '--outFile', output, ...OPTIONS, ...options], {
    stdout: process.stdout,
    stderr: process.stderr,
  });
  if (error) throw error;
}
