/**
 * A contender's side of the protocol, for those in JavaScript (serve.py is its twin). One JSON document a line:
 *
 *     out  {"versions": {…}}, or {"unavailable": "why"} and the end
 *     in   {"task": {…}, "seconds": 0.5}
 *     out  {"msPerStep": 1.2, "steps": 420, "loss": 0.1, "idleCpuMs": 0}, or {"error": "why"}
 *
 * A step is what the task does over and over: a training step, a product, the reading of a file. What a file gives is the same for all, and
 * answered with a number of it as "check", where training has its loss. A task is prepared when it comes for the first time, and
 * kept. Between two lines the process sleeps; `idleCpuMs`, the time it has computed since its last answer, is the proof.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Steps are taken in chunks of this part of the time asked for, lest looking at the clock, or starting a chunk, counts. */
const CHUNK = 1 / 8;

/** A measurement that can't be made, with the reason; for a package that is not installed, say. */
export function unavailable(reason) {
  send({ unavailable: reason });
}

/**
 * Answers until the input ends.
 * @param prepare (task) → (steps) → { steps, loss or check }: takes about so many steps, and says how many they were
 */
export async function serve(versions, prepare) {
  // Libraries greet on stdout, which is the protocol's.
  console.log = console.error;
  const prepared = new Map();
  send({ versions });
  let idleSince = process.cpuUsage();
  for await (const line of createInterface({ input: process.stdin })) {
    const idle = process.cpuUsage(idleSince);
    const { task, seconds } = JSON.parse(line);
    try {
      const key = JSON.stringify(task);
      if (!prepared.has(key)) prepared.set(key, { run: await prepare(task), chunk: 1 });
      const figure = await time(prepared.get(key), seconds);
      send({ ...figure, idleCpuMs: (idle.user + idle.system) / 1e3 });
    } catch (error) {
      send({ error: error.message });
    }
    idleSince = process.cpuUsage();
  }
  process.exit();
}

/** Takes steps for so many seconds. */
async function time(prepared, seconds) {
  let milliseconds = 0;
  let steps = 0;
  let done;
  while (milliseconds < seconds * 1e3) {
    const start = performance.now();
    done = await prepared.run(prepared.chunk);
    const elapsed = performance.now() - start;
    milliseconds += elapsed;
    steps += done.steps;
    if (elapsed < seconds * 1e3 * CHUNK) prepared.chunk *= 2;
  }
  return { ...done, msPerStep: milliseconds / steps, steps };
}

/** The data of a training task. */
export function readData({ rows, features, labels }) {
  const numbers = (path, ArrayType) => new ArrayType(new Uint8Array(readFileSync(path)).buffer);
  return { rows, features: numbers(features, Float64Array), labels: numbers(labels, Int32Array) };
}

function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
