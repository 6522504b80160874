/**
 * Measures our engine and its peers side by side on this machine: node bench/run.js --help.
 *
 * The contenders of a workload take turns, one figure each a round, so that what slows the machine down for a while slows down
 * all of them. While one is measured the others sleep.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from './child.js';
import { accepts, CONTENDERS, FAMILIES } from './contenders.js';
import { Peak } from './csv/peak.js';
import { prepareTask } from './data.js';
import { judge } from './goals.js';
import { report } from './report.js';
import { readRuns, recordOf, save } from './results.js';
import { Startup } from './startup.js';
import { rounded } from './statistics.js';
import { WORKLOADS } from './workloads.js';

const WORKLOAD_IDS = WORKLOADS.map(({ id }) => id);
const USAGE = `usage: node bench/run.js [options]
  --rounds <n>           figures of each contender (default 7)
  --seconds <s>          of each figure (default 0.5)
  --only <workload>      one of ${WORKLOAD_IDS.join(', ')}; may be repeated
  --without <a,b>        leave out families of ${FAMILIES.join(', ')}
  --out <folder>         where results.json and results.md go (default bench)
  --data <folder>        where CSVs are written, and left for other runs (default: a temporary folder)`;

/** Thread pools spin for a while when their work is done: until they sleep, nobody else is measured. */
const PAUSE_MS = 150;
/** A contender that computes longer than this after its turn, in all its threads, has disturbed the next one. */
const IDLE_LIMIT_MS = PAUSE_MS * availableParallelism();

/** By how much of their size the results of two contenders may differ: they are sums in float32. */
const SAME = 1e-4;

/** Processes at work before we start, on average over a minute, from which on the figures can't be trusted. */
const BUSY_LOAD = 0.5;

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '0.5' },
      only: { type: 'string', multiple: true, default: WORKLOAD_IDS },
      without: { type: 'string', default: '' },
      out: { type: 'string', default: fileURLToPath(new URL('.', import.meta.url)) },
      data: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const without = values.without.split(',').filter(Boolean);
  const options = { ...values, without, rounds: Number(values.rounds), seconds: Number(values.seconds) };
  if (!Number.isInteger(options.rounds) || options.rounds < 1)
    throw wrong('rounds', values.rounds, 'a whole number from 1');
  if (!(options.seconds > 0)) throw wrong('seconds', values.seconds, 'a number above 0');
  for (const id of options.only)
    if (!WORKLOAD_IDS.includes(id)) throw wrong('only', id, `one of ${WORKLOAD_IDS.join(', ')}`);
  for (const name of without)
    if (!FAMILIES.includes(name)) throw wrong('without', name, `some of ${FAMILIES.join(', ')}`);
  return options;
}

function wrong(option, found, expected) {
  return new Error(`--${option}: found "${found}", expected ${expected}`);
}

/** Contenders that are no process of their own, but start one for each figure. */
const SPAWNERS = { process: () => new Startup(), peak: () => new Peak() };

/** Starts the contenders of these workloads one after the other, and sorts out those that are not installed. */
async function start(workloads, without) {
  const running = [];
  const skipped = [];
  for (const contender of CONTENDERS) {
    const isWanted = workloads.some(({ tasks }) => tasks.some((task) => accepts(contender, task)));
    if (!isWanted) continue;
    if (without.includes(contender.family)) {
      skipped.push({ ...contender, reason: 'asked to' });
      continue;
    }
    const child = SPAWNERS[contender.kind]?.() ?? new Child(contender);
    const { versions, unavailable } = await child.hello();
    if (unavailable?.startsWith('exit code') && contender.family === 'mlp') {
      throw new Error(`${contender.label}: ${unavailable}`);
    }
    if (unavailable === undefined) running.push({ ...contender, child, versions, idleCpuMs: 0 });
    else skipped.push({ ...contender, reason: unavailable });
  }
  return { running, skipped };
}

/** All rounds of a workload. A contender that fails at a task is out of it, and named. */
async function runWorkload({ id, title, tasks }, running, { rounds, seconds }) {
  const failures = [];
  let figures = tasks.flatMap((spec) =>
    running
      .filter((contender) => accepts(contender, spec))
      .map((contender) => ({ task: spec.id, spec, contender, values: [], losses: [] })),
  );
  // Round 0 prepares and warms up, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    console.error(`${title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
    // Back and forth, so that nobody always follows the same neighbour.
    for (const figure of round % 2 === 0 ? [...figures] : [...figures].reverse()) {
      const { contender, spec, task } = figure;
      if (!takesPart(contender, round)) continue;
      try {
        const answer = await contender.child.measure(spec, seconds);
        contender.idleCpuMs = Math.max(contender.idleCpuMs, answer.idleCpuMs ?? 0);
        if (round > 0) figure.values.push(rounded(answer.msPerStep ?? answer.megabytes));
        if (answer.loss !== undefined) figure.losses.push(rounded(answer.loss));
        if (answer.check !== undefined) figure.check = agreed(answer.check, task, figures);
      } catch (error) {
        failures.push({ label: contender.label, task, reason: error.message });
        figures = figures.filter((other) => other !== figure);
      }
      await sleep(PAUSE_MS);
    }
  }
  return { id, title, figures, failures };
}

/** Whether a contender takes part in a round; one that takes part in few of them does without the first, which is not counted. */
function takesPart({ rounds = Number.POSITIVE_INFINITY }, round) {
  return round === 0 ? rounds === Number.POSITIVE_INFINITY : round <= rounds;
}

/** @throws Error where the result of a task is not that of the others */
function agreed(check, task, figures) {
  const other = figures.find((figure) => figure.task === task && figure.check !== undefined);
  if (other && !(Math.abs(check - other.check) <= SAME * Math.abs(other.check))) {
    throw new Error(
      `found ${check} as its result, expected ${other.check} as ${other.contender.label} has it`,
    );
  }
  return check;
}

function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
  };
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const { rounds, seconds, only } = options;
  const [load] = loadavg();
  if (load > BUSY_LOAD)
    console.error(`warning: the machine is busy (load average ${load.toFixed(1)}): the spread will be wide`);
  const folder = await mkdtemp(join(tmpdir(), 'mlp-bench-'));
  process.once('SIGINT', () => {
    rmSync(folder, { recursive: true });
    process.exit(130);
  });
  let contenders = [];
  try {
    const workloads = WORKLOADS.filter(({ id }) => only.includes(id));
    // Found now, not after ten minutes of measuring.
    await mkdir(options.out, { recursive: true });
    await readRuns(resolve(options.out, 'results.json'));
    const csvFolder = options.data ?? folder;
    await mkdir(csvFolder, { recursive: true });
    const { running, skipped } = await start(workloads, options.without);
    contenders = running;
    const results = [];
    for (const workload of workloads) {
      const tasks = await Promise.all(workload.tasks.map((task) => prepareTask(task, { folder, csvFolder })));
      results.push(await runWorkload({ ...workload, tasks }, running, options));
    }
    for (const { label, idleCpuMs } of running) {
      if (idleCpuMs > IDLE_LIMIT_MS)
        console.error(`warning: ${label} computed ${Math.round(idleCpuMs)} ms while another was measured`);
    }
    const run = recordOf({
      date: new Date().toISOString(),
      machine: describeMachine(),
      node: process.version,
      rounds,
      seconds,
      contenders: running,
      skipped,
      workloads: results,
      goals: judge(results),
    });
    await save(options.out, run);
    console.log(report([run]));
  } finally {
    for (const { child } of contenders) child.close();
    await rm(folder, { recursive: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}\n${USAGE}`);
  process.exitCode = 1;
}
