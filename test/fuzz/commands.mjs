/** Runs commands within limits of time and memory: in a process that goes on, or each in its own. */
import { fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const MLP = fileURLToPath(new URL('../../bin/mlp.js', import.meta.url));

/** Of a processor: a command takes milliseconds. */
const MOST_SECONDS = 20;
/** A command that waits so long, but not for a processor, waits for ever; a busy machine is only slow. */
const MOST_IDLE_SECONDS = 60;
/** Above what the same command takes on a sound input. */
export const MOST_MEGABYTES = 300;
/** The watchdog ends a process that takes more, for the sake of the machine. */
const FATAL_MEGABYTES = 3000;
const WATCH_MS = 50;
/** A process that has run this many commands is replaced. */
const MOST_COMMANDS = 400;

/** In megabytes; undefined where the system does not tell. */
function memoryOf(pid, what) {
  try {
    const kilobytes = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    )?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

function forgetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Then the peak is that of an earlier command, and a process of its own says more.
  }
}

/** Seconds of all processors that a process has taken; undefined where the system does not tell. */
function processorSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return undefined;
  }
}

/** Of Linux, in a second. */
const TICKS = 100;

/** Seconds that the threads of a process have run, or waited for a processor; undefined as above. */
function runnableSeconds(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 2))
      .reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e9, 0);
  } catch {
    return undefined;
  }
}

/** Ends a process that takes too long or too much; the function returned gives why. */
function watch(child) {
  const { pid } = child;
  const start = performance.now();
  const before = { taken: processorSeconds(pid) ?? 0, runnable: runnableSeconds(pid) ?? 0 };
  let reason;
  const isIdle = (taken) => {
    const passed = (performance.now() - start) / 1000;
    if (passed - taken <= MOST_IDLE_SECONDS) return false;
    return passed - (runnableSeconds(pid) ?? 0) + before.runnable > MOST_IDLE_SECONDS;
  };
  const timer = setInterval(() => {
    const taken = (processorSeconds(pid) ?? 0) - before.taken;
    if ((memoryOf(pid, 'VmRSS') ?? 0) > FATAL_MEGABYTES) reason = `it took more than ${FATAL_MEGABYTES} MB`;
    else if (taken > MOST_SECONDS) reason = `it took more than ${MOST_SECONDS} s`;
    else if (isIdle(taken)) reason = `it waited for ${MOST_IDLE_SECONDS} s, but not for a processor`;
    if (reason !== undefined) child.kill('SIGKILL');
  }, WATCH_MS);
  return () => {
    clearInterval(timer);
    return reason;
  };
}

/** What a process did: its exit code, its texts, and its faults, each a sentence. */
const ended = (code, faults) => ({ code, stdout: '', stderr: '', faults });

/** Runs commands in a process that goes on; a new one takes its place after a fault. */
export class SharedProcess {
  #child;
  #commands = 0;
  #baseline = 0;
  #files = 0;

  constructor(env) {
    this.env = env;
  }

  async run(args, cwd) {
    if (this.#child === undefined) await this.#start();
    const child = this.#child;
    forgetPeak(child.pid);
    const stop = watch(child);
    const result = await new Promise((resolve) => {
      const onMessage = (message) => {
        child.off('exit', onExit);
        resolve(message);
      };
      const onExit = (code, signal) => {
        child.off('message', onMessage);
        this.#child = undefined;
        resolve(ended(code, [`the process ended with ${signal ?? code}`]));
      };
      child.once('message', onMessage);
      child.once('exit', onExit);
      child.send({ args, cwd });
    });
    const reason = stop();
    if (reason !== undefined) result.faults = [reason];
    await this.#account(result);
    return result;
  }

  async #start() {
    const child = fork(CHILD, {
      env: this.env,
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#commands = 0;
    this.#files = 0;
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`the process of the fuzzer ended with ${code}`)));
    });
    child.removeAllListeners('exit');
    this.#baseline = memoryOf(child.pid, 'VmRSS') ?? 0;
  }

  /** Adds what was taken and not given back to the faults. */
  async #account(result) {
    const child = this.#child;
    if (child === undefined) return;
    result.megabytes = (memoryOf(child.pid, 'VmHWM') ?? 0) - this.#baseline;
    this.#commands++;
    this.#files ||= result.files + 8;
    if (result.files > this.#files)
      result.faults.push(`${result.files} files are open, and more with each command`);
    if (result.megabytes > MOST_MEGABYTES) result.faults.push(`it took ${result.megabytes.toFixed()} MB`);
    if (result.faults.length > 0 || this.#commands >= MOST_COMMANDS) await this.stop();
  }

  async stop() {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    });
  }
}

/** Written by the process itself at its end, as the last line of its stderr. */
const TELL_MEMORY = `data:text/javascript,process.on('exit',()=>process.stderr.write('\\npeak '+process.resourceUsage().maxRSS+'\\n'))`;

/** Runs each command as a user does, in a process of its own. */
export class OwnProcess {
  /** @param baseline megabytes of a command on a sound input */
  constructor(env, baseline = Number.POSITIVE_INFINITY) {
    this.env = env;
    this.baseline = baseline;
  }

  async run(args, cwd) {
    const child = spawn(process.execPath, ['--import', TELL_MEMORY, MLP, ...args], {
      cwd,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        texts[name] += text;
      });
    }
    const stop = watch(child);
    const [code, signal] = await new Promise((resolve) => child.on('close', (...end) => resolve(end)));
    const reason = stop();
    const faults =
      reason === undefined ? (signal === null ? [] : [`the process ended with ${signal}`]) : [reason];
    const megabytes = Number(/\npeak (\d+)\n$/.exec(texts.stderr)?.[1] ?? 0) / 1024;
    const stderr = texts.stderr.replace(/\npeak \d+\n$/, '');
    if (/^\(node:\d+\)/m.test(stderr)) faults.push(`warning of Node: ${stderr}`);
    if (megabytes - this.baseline > MOST_MEGABYTES) {
      faults.push(
        `it took ${megabytes.toFixed()} MB, where a sound input takes ${this.baseline.toFixed()} MB`,
      );
    }
    return { code, stdout: texts.stdout, stderr, faults, megabytes };
  }

  async stop() {}
}
