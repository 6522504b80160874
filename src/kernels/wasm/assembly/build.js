/**
 * Compiles the kernels: node src/kernels/wasm/assembly/build.js, part of `npm run build`. Writes to
 * dist/kernels/wasm/ one module for each dtype, without and with relaxed SIMD, which some engines
 * lack. Skips a module that is newer than every source.
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const source = fileURLToPath(new URL('.', import.meta.url));
const target = fileURLToPath(new URL('../../../../dist/kernels/wasm/', import.meta.url));

const OPTIONS = [
  // 201 warns of missing casts for 64-bit memory.
  ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', '--disableWarning', '201'],
  // The memory is the arena's, which all threads share. The constants lie in its first bytes
  // (RESERVED_BYTES in ../../arena.ts).
  ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ['--memoryBase', '64', '--enable', 'threads', '--enable', 'simd'],
].flat();

const changed = Math.max(...readdirSync(source).map((name) => statSync(source + name).mtimeMs));

mkdirSync(target, { recursive: true });
for (const [dtype, real] of [
  ['float32', 'f32'],
  ['float64', 'f64'],
]) {
  for (const [suffix, features] of [
    ['', []],
    ['-relaxed', ['--enable', 'relaxed-simd']],
  ]) {
    const output = `${target}${dtype}${suffix}.wasm`;
    const built = statSync(output, { throwIfNoEntry: false });
    if (built && built.mtimeMs > changed) continue;
    const { error } = await main(
      [`${source}exports.ts`, '--use', `real=${real}`, '--outFile', output, ...OPTIONS, ...features],
      { stdout: process.stdout, stderr: process.stderr },
    );
    if (error) throw error;
  }
}
