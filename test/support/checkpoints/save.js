/**
 * Saves a checkpoint, and is killed at one of the system's calls that it takes: node save.js <folder> <step> [<call>], which counts from 0. A call that
 * writes is killed in its middle, any other before it. Prints the calls as JSON, or the error.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { encodeSafetensors } from '../../../dist/model/safetensors/encode.js';
import { CheckpointStore } from '../../../dist/training/run/checkpoints.js';

const [folder, step, fatalCall] = process.argv.slice(2);
const calls = [];

/** @param halve a call of the same function that does half of it */
function watch(owner, name, halve) {
  const call = owner[name];
  owner[name] = async function (...args) {
    if (calls.length === Number(fatalCall)) {
      if (halve) await call.apply(this, halve(args));
      process.kill(process.pid, 'SIGKILL');
    }
    calls.push(name);
    return call.apply(this, args);
  };
}

/** Of bytes, or of a list of them. */
const half = (data) => data.slice(0, data.length / 2);
const handle = await fs.open(fileURLToPath(import.meta.url));
const FileHandle = Object.getPrototypeOf(handle);
await handle.close();
watch(FileHandle, 'sync');
watch(FileHandle, 'writeFile', ([data]) => [half(data)]);
watch(fs, 'writeFile', ([path, data]) => [path, half(data)]);
for (const name of ['mkdir', 'readdir', 'open', 'rename', 'rm']) watch(fs, name);
syncBuiltinESMExports();

const values = new Float64Array(1024).fill(Number(step));
const content = encodeSafetensors([{ name: 'values', shape: [values.length], data: values }], { step });
try {
  await new CheckpointStore(folder).save(Number(step), content);
  console.log(JSON.stringify(calls));
} catch ({ exitCode, message }) {
  console.log(JSON.stringify({ exitCode, message }));
}
