/**
 * Measures our engine and its peers side by side on this machine: node bench/run.js --help.
 *
 * The contenders of a workload take turns, one figure each a round, so that what slows the machine down for a while slows down
 * all of them. While one is measured the others sleep.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from './child.js';
import { accepts, CONTENDERS, FAMILIES } from './contenders.js';
import { writeData } from './data.js';
import { judge } from './goals.js';
import { report } from './report.js';
import { Startup } from './startup.js';
import { median } from './statistics.js';
import { WORKLOADS } from './workloads.js';

const WORKLOAD_IDS = WORKLOADS.map(({ id }) => id);
const USAGE = `usage: node bench/run.js [options]
  --rounds <n>           figures of each contender (default 7)
  --seconds <s>          of each figure (default 0.5)
  --only <workload>      one of ${WORKLOAD_IDS.join(', ')}; may be repeated
  --without <a,b>        leave out families of ${FAMILIES.join(', ')}
  --out <folder>         where results.json and results.md go (default bench)`;

/** Thread pools spin for a while when their work is done: until they sleep, nobody else is measured. */
const PAUSE_MS = 150;
/** A contender that computes longer than this after its turn, in all its threads, has disturbed the next one. */
const IDLE_LIMIT_MS = PAUSE_MS * availableParallelism();

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
    const child = contender.kind === 'process' ? new Startup() : new Child(contender);
    const { versions, unavailable } = await child.hello();
    if (unavailable?.startsWith('exit code') && contender.family === 'mlp') {
      throw new Error(`${contender.name}: ${unavailable}`);
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
      .map((contender) => ({ task: spec.id, spec, contender, ms: [], losses: [] })),
  );
  // Round 0 prepares and warms up, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    console.error(`${title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
    // Back and forth, so that nobody always follows the same neighbour.
    for (const figure of round % 2 === 0 ? [...figures] : [...figures].reverse()) {
      const { contender, spec, task } = figure;
      try {
        const { msPerStep, loss, idleCpuMs = 0 } = await contender.child.measure(spec, seconds);
        contender.idleCpuMs = Math.max(contender.idleCpuMs, idleCpuMs);
        if (round > 0) figure.ms.push(rounded(msPerStep));
        if (loss !== undefined && loss !== null) figure.losses.push(rounded(loss));
      } catch (error) {
        failures.push({ label: contender.label, task, reason: error.message });
        figures = figures.filter((other) => other !== figure);
      }
      await sleep(PAUSE_MS);
    }
  }
  return { id, title, figures, failures };
}

/** Five digits are more than a clock can vouch for. */
function rounded(value) {
  return Number(value.toPrecision(5));
}

function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
  };
}

/** What goes into results.json: every round of every figure, and all that is needed to read it. */
function recordOf({ workloads, goals, contenders, skipped, ...rest }) {
  return {
    ...rest,
    contenders: contenders.map(({ id, label, versions, idleCpuMs }) => ({
      id,
      label,
      versions,
      idleCpuMs: rounded(idleCpuMs),
    })),
    skipped: skipped.map(({ id, label, reason }) => ({ id, label, reason })),
    workloads: workloads.map(({ id, title, figures, failures }) => ({
      id,
      title,
      figures: figures.map(({ contender, task, ms, losses }) => ({
        contender: contender.id,
        task,
        medianMs: rounded(median(ms)),
        ms,
        ...(losses.length > 0 && { losses }),
      })),
      failures,
    })),
    goals: goals.map(({ rounds, ...goal }) => ({ ...goal, ...(rounds && { rounds: rounds.map(rounded) }) })),
  };
}

/** Numbers of a list side by side. */
function toJson(value) {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(/\[\s+([-\d.,e\s]+?)\s+\]/g, (_, list) => `[${list.replace(/\s+/g, ' ')}]`)}\n`;
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
    const { running, skipped } = await start(workloads, options.without);
    contenders = running;
    const results = [];
    for (const workload of workloads) {
      const tasks = await Promise.all(
        workload.tasks.map(async (task) =>
          task.kind === 'train' ? { ...task, data: await writeData(task.data, folder) } : task,
        ),
      );
      results.push(await runWorkload({ ...workload, tasks }, running, options));
    }
    for (const { label, idleCpuMs } of running) {
      if (idleCpuMs > IDLE_LIMIT_MS)
        console.error(`warning: ${label} computed ${Math.round(idleCpuMs)} ms while another was measured`);
    }
    const outcome = {
      date: new Date().toISOString(),
      machine: describeMachine(),
      node: process.version,
      rounds,
      seconds,
      contenders: running,
      skipped,
      workloads: results,
      goals: judge(results),
    };
    const text = report(outcome);
    await writeFile(resolve(options.out, 'results.json'), toJson(recordOf(outcome)));
    await writeFile(resolve(options.out, 'results.md'), text);
    console.log(text);
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
