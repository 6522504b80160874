/**
 * A study as Optuna's journal: lines of JSON, each an operation (optuna/storages/journal/_storage.py;
 * the same from 3.1 to 5.0). The numbers of studies and trials are not written but counted. Times are
 * local and without a zone, which all versions read alike.
 */
import { isObject } from '../spec/json.js';
import { fromOptuna, toOptuna } from './optunaDistribution.js';
import { parsePythonJson, toPythonJson } from './pythonJson.js';
import type { Point, RecordedParameter, Space } from './space.js';

const CREATE_STUDY = 0;
const DELETE_STUDY = 1;
const SET_STUDY_USER_ATTRIBUTE = 2;
const SET_STUDY_SYSTEM_ATTRIBUTE = 3;
const CREATE_TRIAL = 4;
const SET_TRIAL_PARAMETER = 5;
const SET_TRIAL_STATE = 6;
const SET_INTERMEDIATE_VALUE = 7;
const SET_TRIAL_USER_ATTRIBUTE = 8;

/** In the order of Optuna's numbers. */
const STATES = ['running', 'complete', 'pruned', 'failed', 'waiting'] as const;
export type JournalState = (typeof STATES)[number];

/** How a trial ended. */
export interface TrialEnd {
  readonly state: 'complete' | 'pruned' | 'failed';
  /** Of a pruned trial the last one; a failed one has none. */
  readonly value?: number;
  readonly end: Date;
}

export interface NewTrial {
  readonly space: Space;
  readonly point: Point;
  readonly start: Date;
  readonly userAttributes?: Record<string, unknown>;
  readonly result?: TrialEnd & { readonly intermediateValues: ReadonlyMap<number, number> };
}

/** Writes the lines of one process, which `worker` names; without line feeds. */
export class JournalWriter {
  readonly #worker: string;

  constructor(worker: string) {
    this.#worker = worker;
  }

  createStudy(name: string, direction: 'minimize' | 'maximize'): string {
    return this.#line(CREATE_STUDY, { study_name: name, directions: [direction === 'minimize' ? 1 : 2] });
  }

  setStudyUserAttribute(study: number, key: string, value: unknown): string {
    return this.#line(SET_STUDY_USER_ATTRIBUTE, { study_id: study, user_attr: { [key]: value } });
  }

  /** The name that Optuna's plots and dashboard show for the value. */
  setMetricName(study: number, name: string): string {
    return this.#line(SET_STUDY_SYSTEM_ATTRIBUTE, {
      study_id: study,
      system_attr: { 'study:metric_names': [name] },
    });
  }

  /**
   * A trial that is now running, or one with its result. Its id is the number of trials in the file
   * before it. The choices of a parameter must be the same in all trials of a study, or Optuna's
   * samplers fail: a space with another choice needs another study, which the same file may hold.
   */
  createTrial(study: number, { space, point, start, userAttributes, result }: NewTrial): string {
    const active = space.parameters.filter(({ name }) => point[name] !== undefined);
    return this.#line(CREATE_TRIAL, {
      study_id: study,
      datetime_start: localTime(start),
      params: Object.fromEntries(active.map(({ name }) => [name, point[name]])),
      distributions: Object.fromEntries(
        active.map(({ name, distribution }) => [name, toOptuna(distribution)]),
      ),
      user_attrs: userAttributes,
      ...(result && {
        state: STATES.indexOf(result.state),
        values: valuesOf(result.value),
        datetime_complete: localTime(result.end),
        intermediate_values: Object.fromEntries(result.intermediateValues),
      }),
    });
  }

  /** The metric after an epoch. */
  setIntermediateValue(trial: number, epoch: number, value: number): string {
    return this.#line(SET_INTERMEDIATE_VALUE, { trial_id: trial, step: epoch, intermediate_value: value });
  }

  setTrialUserAttribute(trial: number, key: string, value: unknown): string {
    return this.#line(SET_TRIAL_USER_ATTRIBUTE, { trial_id: trial, user_attr: { [key]: value } });
  }

  /** @param start is repeated for the dashboard's reader in JavaScript, which would lose it */
  finishTrial(trial: number, { state, value, end }: TrialEnd, start: Date): string {
    return this.#line(SET_TRIAL_STATE, {
      trial_id: trial,
      state: STATES.indexOf(state),
      values: valuesOf(value),
      datetime_start: localTime(start),
      datetime_complete: localTime(end),
    });
  }

  #line(operation: number, fields: object): string {
    return toPythonJson({ op_code: operation, worker_id: this.#worker, ...fields });
  }
}

function valuesOf(value: number | undefined): number[] | null {
  return value === undefined ? null : [value];
}

/** `2026-11-29T08:30:00.123000`: the local time without a zone. */
export function localTime(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().replace('Z', '000');
}

export interface JournalTrial {
  /** Its number in the file, which operations name. */
  readonly id: number;
  /** Its number in the study. */
  readonly number: number;
  state: JournalState;
  /** Those whose distribution is known here. */
  readonly parameters: Map<string, RecordedParameter>;
  /** NaN for one that is no number. */
  value: number | undefined;
  /** By epoch; NaN as for the value. */
  readonly intermediateValues: Map<number, number>;
  readonly attributes: Map<string, unknown>;
}

export interface JournalStudy {
  readonly id: number;
  readonly name: string;
  readonly direction: 'minimize' | 'maximize';
  readonly attributes: Map<string, unknown>;
  readonly trials: JournalTrial[];
}

export interface Journal {
  /** By id; a deleted one is missing. */
  readonly studies: Map<number, JournalStudy>;
  /** The numbers from 1 of lines that say nothing that Optuna would write. */
  readonly unreadable: number[];
}

/**
 * What a journal says, by the rules of Optuna: a finished trial does not change, and lines about
 * unknown studies and trials count for nothing. A torn last line is not read.
 */
export function readJournal(text: string): Journal {
  const replay = new Replay();
  const lines = text.split('\n');
  // Behind the last line feed is nothing, or a line that was cut off.
  lines.pop();
  for (const [i, line] of lines.entries()) replay.take(line, i + 1);
  return replay;
}

type Fields = Record<string, unknown>;

class Replay implements Journal {
  readonly studies = new Map<number, JournalStudy>();
  readonly unreadable: number[] = [];
  readonly #trials: JournalTrial[] = [];
  #studyCount = 0;

  take(line: string, number: number): void {
    let fields: unknown;
    try {
      fields = parsePythonJson(line);
    } catch {
      // Not JSON: not readable.
    }
    if (!isObject(fields) || !this.#apply(fields)) this.unreadable.push(number);
  }

  /** Whether the operation has the fields that it needs. */
  #apply(fields: Fields): boolean {
    switch (fields.op_code) {
      case CREATE_STUDY:
        return this.#createStudy(fields);
      case DELETE_STUDY:
        this.studies.delete(fields.study_id as number);
        return true;
      case SET_STUDY_USER_ATTRIBUTE:
        return setAll(this.#study(fields)?.attributes, fields.user_attr);
      case CREATE_TRIAL:
        return this.#createTrial(fields);
      case SET_TRIAL_PARAMETER:
        return this.#setParameter(fields);
      case SET_TRIAL_STATE:
        return this.#setState(fields);
      case SET_INTERMEDIATE_VALUE:
        if (!Number.isInteger(fields.step)) return false;
        this.#openTrial(fields)?.intermediateValues.set(
          fields.step as number,
          numberOf(fields.intermediate_value),
        );
        return true;
      case SET_TRIAL_USER_ATTRIBUTE:
        return setAll(this.#openTrial(fields)?.attributes, fields.user_attr);
      default:
        // Of the others none matters here: they are Optuna's own.
        return Number.isInteger(fields.op_code);
    }
  }

  #study({ study_id }: Fields): JournalStudy | undefined {
    return this.studies.get(study_id as number);
  }

  #openTrial({ trial_id }: Fields): JournalTrial | undefined {
    const trial = typeof trial_id === 'number' ? this.#trials[trial_id] : undefined;
    return trial !== undefined && isOpen(trial.state) ? trial : undefined;
  }

  #createStudy({ study_name: name, directions }: Fields): boolean {
    if (typeof name !== 'string' || !Array.isArray(directions)) return false;
    const isKnown = Array.from(this.studies.values()).some((study) => study.name === name);
    if (isKnown) return true;
    const id = this.#studyCount++;
    const direction = directions[0] === 2 ? 'maximize' : 'minimize';
    this.studies.set(id, { id, name, direction, attributes: new Map(), trials: [] });
    return true;
  }

  #createTrial(fields: Fields): boolean {
    const study = this.#study(fields);
    const state = stateOf(fields.state ?? 0);
    if (state === undefined) return false;
    if (study === undefined) return true;
    const trial: JournalTrial = {
      id: this.#trials.length,
      number: study.trials.length,
      state,
      parameters: new Map(),
      value: valueIn(fields.values ?? (fields.value === undefined ? undefined : [fields.value])),
      intermediateValues: new Map(),
      attributes: new Map(),
    };
    this.#trials.push(trial);
    study.trials.push(trial);
    setAll(trial.attributes, fields.user_attrs ?? {});
    for (const [step, value] of entriesOf(fields.intermediate_values)) {
      trial.intermediateValues.set(Number(step), numberOf(value));
    }
    const distributions = isObject(fields.distributions) ? fields.distributions : {};
    for (const [name, value] of entriesOf(fields.params))
      setParameter(trial, name, value, distributions[name]);
    return true;
  }

  #setParameter(fields: Fields): boolean {
    const { param_name: name, param_value_internal: value, distribution } = fields;
    if (typeof name !== 'string') return false;
    const trial = this.#openTrial(fields);
    if (trial !== undefined) setParameter(trial, name, value, distribution);
    return true;
  }

  #setState(fields: Fields): boolean {
    const state = stateOf(fields.state);
    if (state === undefined) return false;
    const trial = this.#openTrial(fields);
    if (trial === undefined) return true;
    trial.state = state;
    trial.value = valueIn(fields.values) ?? trial.value;
    return true;
  }
}

function stateOf(state: unknown): JournalState | undefined {
  return typeof state === 'number' ? STATES[state] : undefined;
}

function isOpen(state: JournalState): boolean {
  return state === 'running' || state === 'waiting';
}

function setParameter(trial: JournalTrial, name: string, value: unknown, text: unknown): void {
  const distribution = fromOptuna(text);
  if (distribution !== undefined) trial.parameters.set(name, { value: numberOf(value), distribution });
}

function setAll(attributes: Map<string, unknown> | undefined, values: unknown): boolean {
  for (const [key, value] of entriesOf(values)) attributes?.set(key, value);
  return isObject(values);
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function valueIn(values: unknown): number | undefined {
  return Array.isArray(values) && values.length > 0 ? numberOf(values[0]) : undefined;
}

/** NaN is null here: see `parsePythonJson`. */
function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}
