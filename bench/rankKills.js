/**
 * Kills ranks of a run under mpirun at random moments, resumes it, and compares where it ends with a run that nobody
 * touched: node bench/rankKills.js --help. It ends with 1 if a launcher takes longer than the limit to end after a kill, a
 * checkpoint is corrupt, or a run ends elsewhere.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RandomState } from '../dist/random/randomState.js';
import { CheckpointStore } from '../dist/training/run/checkpoints.js';

const USAGE = `usage: node bench/rankKills.js [options]
  --mpirun <path>  the launcher (default mpirun)
  --ranks <n>      how many it starts (default 2)
  --kills <n>      how often a rank is killed (default 100)
  --seed <n>       of the moments (default 0)
  --limit <s>      the most seconds from a kill to the end of the launcher (default 30)`;

const { values } = parseArgs({
  options: {
    mpirun: { type: 'string', default: 'mpirun' },
    ranks: { type: 'string', default: '2' },
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: '0' },
    limit: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const [ranks, kills, seed, limit] = ['ranks', 'kills', 'seed', 'limit'].map((name) => Number(values[name]));

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const CONFIG = {
  network: { layers: [64, 'relu', { type: 'dropout', rate: 0.2 }, 10] },
  data: { train: pathOf('../data/digits.csv'), target: 'digit' },
  training: { epochs: 5, batchSize: 32, checkpointSeconds: 0.05 },
  backend: 'wasm',
};
/** Only for containers: elsewhere nobody runs this as root. */
const AS_ROOT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  PRTE_ALLOW_RUN_AS_ROOT: '1',
  PRTE_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};

const folder = await mkdtemp(join(tmpdir(), 'mlp-ranks-'));
const config = join(folder, 'config.json');
await writeFile(config, JSON.stringify(CONFIG));
const random = new RandomState(seed);
const faults = [];

/** Starts the ranks; kills one of them after so many milliseconds. */
function start(args, killAfter) {
  const command = ['-n', String(ranks), process.execPath, pathOf('../bin/mlp.js'), 'train', ...args];
  const child = spawn(values.mpirun, [...command, '--no-report'], {
    env: { ...process.env, ...AS_ROOT },
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const started = performance.now();
  let killed;
  if (killAfter !== undefined) {
    setTimeout(() => {
      const pids = ranksOf(child.pid);
      if (pids.length === 0) return;
      killed = performance.now();
      kill(pids[random.randint(0, pids.length)], 'SIGKILL');
    }, killAfter);
  }
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => kill(-child.pid, 'SIGKILL'),
      killAfter === undefined ? 600_000 : killAfter + limit * 1000 + 60_000,
    );
    child.on('close', (code) => {
      clearTimeout(timer);
      const now = performance.now();
      resolve({ code, stderr, ms: now - started, sinceKill: killed && now - killed });
    });
  });
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** The processes below a launcher that run mlp. */
function ranksOf(launcher) {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const isRank = readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(process.execPath);
      parents.set(Number(pid), { parent, isRank });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid) => {
    for (let at = parents.get(pid)?.parent; at !== undefined && at > 1; at = parents.get(at)?.parent) {
      if (at === launcher) return true;
    }
    return false;
  };
  return [...parents.keys()].filter((pid) => parents.get(pid).isRank && isBelow(pid));
}

const summaryOf = (run) => JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));

const untouched = join(folder, 'untouched');
const whole = await start([config, '--run', untouched]);
if (whole.code !== 0) throw new Error(`the untouched run failed with ${whole.code}: ${whole.stderr}`);
const expected = summaryOf(untouched).weightsSha256;
console.log(`untouched: ${(whole.ms / 1000).toFixed(1)} s, ${expected}`);

let [done, runs, slowest] = [0, 0, 0];
while (done < kills) {
  const run = join(folder, `run-${runs++}`);
  let isNew = true;
  for (;;) {
    const isLast = done >= kills;
    const args = isNew ? [config, '--run', run] : [join(run, 'config.json'), '--resume', run];
    const { code, stderr, sinceKill } = await start(args, isLast ? undefined : random.rand() * whole.ms);
    if (sinceKill !== undefined) {
      done++;
      slowest = Math.max(slowest, sinceKill / 1000);
      if (sinceKill > limit * 1000)
        faults.push(`${run}: ended ${(sinceKill / 1000).toFixed(1)} s after a kill`);
    }
    if (code === 0) {
      const found = summaryOf(run).weightsSha256;
      if (found !== expected) faults.push(`${run}: ended with ${found}`);
      break;
    }
    if (sinceKill === undefined) {
      faults.push(`${run}: failed with ${code}: ${stderr.slice(-500)}`);
      break;
    }
    const checkpoints = join(run, 'checkpoint');
    if (existsSync(checkpoints)) {
      const corrupt = [];
      await new CheckpointStore(checkpoints).load((text) => corrupt.push(text));
      faults.push(...corrupt.map((text) => `${run}: ${text}`));
    }
    isNew = !existsSync(join(run, 'config.json'));
    if (isNew) await rm(run, { recursive: true, force: true });
  }
}
await rm(folder, { recursive: true, force: true });
console.log(
  `${done} kills of a rank in ${runs} runs; the slowest end ${slowest.toFixed(1)} s after its kill`,
);
for (const fault of faults) console.log(fault);
console.log(faults.length === 0 ? 'every run ended in the same bits' : `${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
