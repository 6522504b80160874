/**
 * A log on an MLflow server, by its REST interface (mlflow.org/docs/latest/rest-api.html). Requests go
 * out beside the training and never hold it up; what the server does not take is kept in the run.
 */
import { join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { writeSmallFile } from '../files/atomic.js';
import { readPlainFile } from '../files/plainFile.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { counted, printable } from '../text.js';
import type { EpochRecord, StepRecord } from '../training/loop.js';
import type { PreparedRun } from '../training/stages.js';
import { type RunLog, type Scalar, scalarsOf } from './runLog.js';

/** The most that a request may hold. */
const MOST_METRICS = 1000;
const MOST_PARAMETERS = 100;
const MOST_CHARACTERS = 500;
const MOST_STEPS = 1000;
const MOST_KEPT_BYTES = 2 ** 26;

const REQUEST_MILLISECONDS = 10_000;
/** After a failure the server is left alone for so long. */
const PAUSE_MILLISECONDS = 5000;

interface Metric {
  readonly key: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

interface Parameter {
  readonly key: string;
  readonly value: string;
}

/** What the run directory keeps: a resumed run goes on with it. */
interface Kept {
  readonly url: string;
  readonly runId?: string;
  readonly unsent: readonly Metric[];
}

export interface MlflowOptions {
  readonly url: string;
  readonly warn: (sentence: string) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

export class MlflowLog implements RunLog {
  readonly #url: string;
  readonly #warn: (sentence: string) => void;
  readonly #environment: NodeJS.ProcessEnv;
  #directory: string | undefined;
  #run: PreparedRun | undefined;
  #runId: string | undefined;
  #stride = 1;
  #parameters: readonly Parameter[] = [];
  readonly #pending: Metric[] = [];
  #sending: Promise<void> | undefined;
  #problem: string | undefined;
  #nextAttempt = 0;

  constructor({ url, warn, environment = process.env }: MlflowOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#warn = warn;
    this.#environment = environment;
  }

  started(run: PreparedRun): void {
    this.#run = run;
    this.#directory = run.directory;
    this.#stride = Math.max(1, Math.ceil(run.plan.steps / MOST_STEPS));
    const kept = run.from && this.#readKept();
    this.#runId = kept?.runId;
    this.#pending.push(...(kept?.unsent ?? []));
    this.#send();
  }

  stepsDone({ firstStep, losses }: StepRecord, stage: string): void {
    for (let i = 0; i < losses.length; i++) {
      const step = firstStep + i;
      if (step % this.#stride === 0) this.#add(step, [[`${stage}loss/step`, losses[i]]]);
    }
  }

  epochDone(record: EpochRecord, stage: string): void {
    this.#add(record.step, scalarsOf(record, stage));
    this.#send();
  }

  async close(status?: string): Promise<void> {
    if (!this.#run) return;
    await this.#sending;
    this.#nextAttempt = 0;
    this.#send();
    await this.#sending;
    if (this.#problem === undefined && this.#runId !== undefined) {
      const ended = status === undefined ? 'FAILED' : status === 'interrupted' ? 'KILLED' : 'FINISHED';
      const update = { run_id: this.#runId, status: ended, end_time: Date.now() };
      await this.#attempt(() => this.#post('runs/update', update));
    }
    this.#keep();
  }

  #add(step: number, scalars: readonly Scalar[]): void {
    const timestamp = Date.now();
    // JSON has no NaN, and MLflow no number without one.
    for (const [key, value] of scalars)
      if (Number.isFinite(value)) this.#pending.push({ key, value, timestamp, step });
  }

  /** Sends what is pending, unless that happens already or has just failed. */
  #send(): void {
    if (this.#sending || Date.now() < this.#nextAttempt) return;
    this.#sending = this.#attempt(() => this.#sendAll()).finally(() => {
      this.#sending = undefined;
    });
  }

  async #attempt(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = problemOf(error);
      this.#nextAttempt = Date.now() + PAUSE_MILLISECONDS;
    }
  }

  async #sendAll(): Promise<void> {
    if (this.#runId === undefined) {
      this.#runId = await this.#create();
      this.#parameters = parametersOf(this.#run?.config ?? {});
    }
    while (this.#parameters.length > 0) {
      const params = this.#parameters.slice(0, MOST_PARAMETERS);
      await this.#post('runs/log-batch', { run_id: this.#runId, params });
      this.#parameters = this.#parameters.slice(MOST_PARAMETERS);
    }
    while (this.#pending.length > 0) {
      const metrics = this.#pending.slice(0, MOST_METRICS);
      await this.#post('runs/log-batch', { run_id: this.#runId, metrics });
      this.#pending.splice(0, metrics.length);
    }
  }

  /** A run on the server. */
  async #create(): Promise<string> {
    const name = this.#environment.MLFLOW_EXPERIMENT_NAME ?? 'Default';
    const found = await this.#experiment(name);
    const experiment_id = found ?? (await this.#post('experiments/create', { name })).experiment_id;
    const run_name = this.#directory ? printable(this.#directory.split(/[\\/]/).at(-1) ?? '') : 'mlp';
    const { run } = await this.#post('runs/create', { experiment_id, start_time: Date.now(), run_name });
    return run.info.run_id;
  }

  async #experiment(name: string): Promise<string | undefined> {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`;
    const response = await this.#request(query, { method: 'GET' });
    if (response.status === 404) return undefined;
    return (await answerOf(response)).experiment.experiment_id;
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of a server
  async #post(path: string, body: object): Promise<any> {
    return answerOf(await this.#request(path, { method: 'POST', body: JSON.stringify(body) }));
  }

  #request(path: string, init: RequestInit): Promise<Response> {
    const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user = '' } = this.#environment;
    const password = this.#environment.MLFLOW_TRACKING_PASSWORD;
    const basic = password === undefined ? undefined : Buffer.from(`${user}:${password}`).toString('base64');
    const authorization = token ? `Bearer ${token}` : basic && `Basic ${basic}`;
    return fetch(`${this.#url}/api/2.0/mlflow/${path}`, {
      ...init,
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      signal: AbortSignal.timeout(REQUEST_MILLISECONDS),
    });
  }

  /** Writes down the run of the server and what it did not take, for a resumed run. */
  #keep(): void {
    const unsent = this.#pending;
    const where = this.#directory && join(this.#directory, RUN_FILES.mlflow);
    let kept = '';
    try {
      if (where && this.#directory && statOf(this.#directory)) {
        const content: Kept = { url: this.#url, ...(this.#runId && { runId: this.#runId }), unsent };
        writeSmallFile(where, `${JSON.stringify(content)}\n`);
        kept = `, and kept in ${printable(where)}: --resume with the same --log sends them`;
      }
    } catch (error) {
      kept = `, and not kept: ${(error as Error).message}`;
    }
    if (this.#problem === undefined) return;
    const numbers = counted(unsent.length, 'number');
    this.#warn(`MLflow at ${printable(this.#url)}: ${this.#problem}: ${numbers} not sent${kept}`);
  }

  /** Only of the same server: a run may come from somebody else. */
  #readKept(): Kept | undefined {
    const path = this.#directory && join(this.#directory, RUN_FILES.mlflow);
    try {
      if (!path || !statOf(path)) return undefined;
      const text = readPlainFile(path, MOST_KEPT_BYTES, 'what an MLflow log keeps').toString('utf8');
      const kept: Kept = JSON.parse(text);
      const isOwn = kept.url === this.#url && Array.isArray(kept.unsent);
      return isOwn ? kept : undefined;
    } catch (error) {
      this.#warn(`${printable(path ?? '')}: ${(error as Error).message}: logging as a new run`);
      return undefined;
    }
  }
}

/** @throws MlpError ExitCode.usage unless it is an address of the web */
export function mlflowAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return text;
  throw new MlpError(
    ExitCode.usage,
    `--log: found ${JSON.stringify(text)} after mlflow=, expected an address such as http://localhost:5000`,
    'mlflow server starts one',
  );
}

/** The keys of a config, with what MLflow does not allow in a name replaced. */
function parametersOf(config: object): Parameter[] {
  const { $schema: _, ...own } = config as { $schema?: unknown };
  return flatten(own).map(([key, value]) => ({
    key: key.replace(/[^\w\-. :/]/g, '_'),
    value: value.slice(0, MOST_CHARACTERS),
  }));
}

/** Dotted keys of a config with their values as text: `training.epochs` → `30`. */
function flatten(value: object, prefix = ''): [key: string, value: string][] {
  return Object.entries(value).flatMap(([key, own]): [string, string][] => {
    if (own === undefined) return [];
    const isParent = typeof own === 'object' && own !== null && !Array.isArray(own);
    if (isParent && Object.keys(own).length > 0) return flatten(own, `${prefix}${key}.`);
    return [[`${prefix}${key}`, typeof own === 'string' ? own : JSON.stringify(own)]];
  });
}

// biome-ignore lint/suspicious/noExplicitAny: answers of a server
async function answerOf(response: Response): Promise<any> {
  const text = await response.text();
  if (response.ok) return text === '' ? {} : JSON.parse(text);
  throw new Error(`status ${response.status}, ${printable(text.slice(0, 200))}`);
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer in ${REQUEST_MILLISECONDS / 1000} s`;
  const { cause } = error;
  return cause instanceof Error
    ? cause.message || (cause as NodeJS.ErrnoException).code || error.message
    : error.message;
}
