/** A contender's process, seen from the parent: asks one question at a time (the lines are described in peers/serve.js). */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Longer than the slowest peer takes to load, or for its first, unmeasured figure. */
const PATIENCE_MS = 10 * 60_000;
const STDERR_KEPT = 4000;

export class Child {
  #process;
  #waiting;
  #stderr = '';
  /** Why nothing more will come. */
  #end;

  constructor({ command, args }) {
    this.#process = spawn(command, args, { stdio: 'pipe' });
    this.#process.on('error', (error) => {
      this.#fail(error.code === 'ENOENT' ? `${command}: not found` : error.message);
    });
    this.#process.on('close', (code, signal) => this.#fail(this.#lastWords(signal ?? `exit code ${code}`)));
    this.#process.stdin.on('error', () => {}); // 'close' tells more of a process that is gone
    this.#process.stderr.on('data', (text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-STDERR_KEPT);
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#waiting?.resolve(line));
  }

  /** { versions } or { unavailable } */
  async hello() {
    try {
      return await this.#answer();
    } catch (error) {
      return { unavailable: error.message };
    }
  }

  /** Throws an Error with the contender's reason where there is no figure. */
  async measure(task, seconds) {
    const answer = this.#answer();
    this.#process.stdin.write(`${JSON.stringify({ task, seconds })}\n`);
    const figure = await answer;
    if (figure.error !== undefined) throw new Error(figure.error);
    return figure;
  }

  close() {
    this.#process.stdin.end();
    this.#process.kill();
  }

  async #answer() {
    if (this.#end) throw new Error(this.#end);
    let timer;
    try {
      const line = await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => {
          this.#fail(`no answer within ${PATIENCE_MS / 60_000} minutes`);
          this.close();
        }, PATIENCE_MS);
      });
      return JSON.parse(line);
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  #fail(reason) {
    this.#end ??= reason;
    this.#waiting?.reject(new Error(this.#end));
  }

  #lastWords(ending) {
    const lines = this.#stderr.trimEnd().split('\n');
    // Node ends a stack with its version; the error's own line says more.
    const line = lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.at(-1);
    return line ? `${ending}: ${line}` : String(ending);
  }
}
