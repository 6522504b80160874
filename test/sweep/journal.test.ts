import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkSweep } from '../../src/spec/sweepConfig.js';
import { JournalWriter, readJournal } from '../../src/sweep/journal.js';
import { type Point, Space } from '../../src/sweep/space.js';
import { fixture, projectPath } from '../support/fixtures.js';

const spaceOf = (space: object) => Space.of(checkSweep({ space }).sweep.space);

const settings = {
  'training.optimizer.learningRate': { log: [1e-4, 0.1] },
  'network.layers': {
    choice: [
      [256, 'relu', 1],
      [64, 'relu', 64, 'relu', 1],
    ],
  },
  'training.batchSize': { int: [16, 256], log: true },
  'training.l2': { choice: [0, { log: [1e-6, 0.01] }] },
  'data.standardize': { choice: [true, 'robust', null] },
  'training.labelSmoothing': { float: [0, 0.5], step: 0.1 },
};
const space = spaceOf(settings);
/** A layer list in front of the others, and a wider nested range. */
const extended = spaceOf({
  ...settings,
  'network.layers': { choice: [[8, 'relu', 1], ...settings['network.layers'].choice] },
  'training.l2': { choice: [0, { log: [1e-7, 0.1] }] },
  'training.epochs': { int: [5, 50], step: 5 },
});

const points = [
  {
    'training.optimizer.learningRate': 0.001234,
    'network.layers': 1,
    'training.batchSize': 32,
    'training.l2': 0,
    'data.standardize': 0,
    'training.labelSmoothing': 0.3,
  },
  {
    'training.optimizer.learningRate': 0.1,
    'network.layers': 0,
    'training.batchSize': 256,
    'training.l2': 1,
    'training.l2[1]': 1e-6,
    'data.standardize': 1,
    'training.labelSmoothing': 0,
  },
];
const last = { ...points[1], 'training.batchSize': 100 };

/** A study of every state that `mlp sweep` writes. Times are local: the same text in every zone. */
function study(): string {
  const at = (second: number) => new Date(2026, 10, 29, 8, 30, second, 125);
  const writer = new JournalWriter('mlp 4711');
  const create = (point: Point, second: number) => writer.createTrial(0, { space, point, start: at(second) });
  const lines = [
    writer.createStudy('sweep', 'minimize'),
    writer.setMetricName(0, 'validation_loss'),
    writer.setStudyUserAttribute(0, 'seed', 1),
    writer.createTrial(0, { space, point: points[0], start: at(0), userAttributes: { run: 'trial-0' } }),
    create(points[1], 1),
    writer.setIntermediateValue(0, 1, 0.75),
    writer.setIntermediateValue(1, 1, 0.9),
    writer.setIntermediateValue(0, 2, 0.5),
    writer.finishTrial(1, { state: 'pruned', value: 0.9, end: at(5) }, at(1)),
    writer.setTrialUserAttribute(0, 'epochs', 2),
    writer.finishTrial(0, { state: 'complete', value: 0.5, end: at(6) }, at(0)),
    create({ ...points[0], 'training.batchSize': 16 }, 7),
    writer.setIntermediateValue(2, 1, Number.POSITIVE_INFINITY),
    writer.setIntermediateValue(2, 2, Number.NaN),
    writer.finishTrial(2, { state: 'failed', end: at(8) }, at(7)),
    create(last, 9),
    // Another choice needs another study.
    writer.createStudy('sweep 2', 'maximize'),
    writer.createTrial(1, {
      space: extended,
      point: { ...points[0], 'network.layers': 2 },
      start: at(0),
      result: {
        state: 'complete',
        value: 0.5,
        end: at(6),
        intermediateValues: new Map([
          [1, 0.75],
          [2, 0.5],
        ]),
      },
    }),
  ];
  return `${lines.join('\n')}\n`;
}

interface Report {
  bestValue: number;
  bestParameters: Record<string, unknown>;
  metricNames: string[];
  attributes: Record<string, unknown>;
  trials: {
    number: number;
    state: string;
    value: number | null;
    parameters: Record<string, unknown>;
    intermediateValues: Record<string, number | string>;
    attributes: Record<string, unknown>;
    start: string;
    complete: string | null;
  }[];
}

describe('a journal', () => {
  it('is the one that Optuna has read', async () => {
    await expect(study()).toMatchFileSnapshot(projectPath('test/fixtures/optuna/journal.log'));
  });

  it('shows Optuna values, states, names and times', () => {
    const found = fixture<Report>('optuna/journal.json');
    expect(found).toMatchObject({
      direction: 'MINIMIZE',
      metricNames: ['validation_loss'],
      attributes: { seed: 1 },
      bestValue: 0.5,
      bestParameters: {
        'training.optimizer.learningRate': 0.001234,
        'network.layers': '[64,"relu",64,"relu",1]',
        'training.batchSize': 32,
        'training.l2': 0,
        'data.standardize': true,
        'training.labelSmoothing': 0.3,
      },
    });
    expect(found.trials.map(({ state, value }) => [state, value])).toEqual([
      ['COMPLETE', 0.5],
      ['PRUNED', 0.9],
      ['FAIL', null],
      ['RUNNING', null],
    ]);
    const [first, , failed] = found.trials;
    expect(first).toMatchObject({
      attributes: { run: 'trial-0', epochs: 2 },
      intermediateValues: { 1: 0.75, 2: 0.5 },
      start: '2026-11-29T08:30:00.125000',
      complete: '2026-11-29T08:30:06.125000',
    });
    expect(failed.intermediateValues).toEqual({ 1: 'inf', 2: 'nan' });
  });

  it('is read back as it was written', () => {
    const { studies, unreadable } = readJournal(study());
    const [{ name, direction, attributes, trials }] = studies.values();
    expect(unreadable).toEqual([]);
    expect([name, direction, attributes.get('seed')]).toEqual(['sweep', 'minimize', 1]);
    expect(trials.map(({ id, number, state, value }) => [id, number, state, value])).toEqual([
      [0, 0, 'complete', 0.5],
      [1, 1, 'pruned', 0.9],
      [2, 2, 'failed', undefined],
      [3, 3, 'running', undefined],
    ]);
    expect(space.pointOf(trials[0].parameters)).toEqual(points[0]);
    expect(space.pointOf(trials[1].parameters)).toEqual(points[1]);
    expect([...trials[2].intermediateValues]).toEqual([
      [1, Number.POSITIVE_INFINITY],
      [2, Number.NaN],
    ]);
  });

  it('gives the points of an extended space their new indices, and refuses those outside of a space', () => {
    const [{ trials }, { trials: later }] = readJournal(study()).studies.values();
    expect(extended.pointOf(trials[0].parameters)).toEqual({ ...points[0], 'network.layers': 2 });
    expect(extended.pointOf(trials[1].parameters)).toEqual({ ...points[1], 'network.layers': 1 });
    expect(later[0]).toEqual({ ...trials[0], id: 4, parameters: expect.anything(), attributes: new Map() });
    const wide = new Map([
      ['training.l2', { value: 1, distribution: trials[1].parameters.get('training.l2')!.distribution }],
      [
        'training.l2[1]',
        { value: 0.05, distribution: trials[1].parameters.get('training.l2[1]')!.distribution },
      ],
    ]);
    expect(extended.pointOf(wide)).toEqual({ 'training.l2': 1, 'training.l2[1]': 0.05 });
    expect(space.pointOf(wide)).toBeUndefined();
  });

  it('is read after Optuna has continued it', () => {
    const text = readFileSync(projectPath('test/fixtures/optuna/continued.log'), 'utf8');
    const expected = fixture<Report>('optuna/continued.json');
    const { studies, unreadable } = readJournal(text);
    const [{ trials }] = studies.values();
    expect(unreadable).toEqual([]);
    expect(text.startsWith(study())).toBe(true);
    expect(trials).toHaveLength(7);
    for (const [i, trial] of trials.entries()) {
      const { state, value, parameters, attributes } = expected.trials[i];
      const upper = trial.state === 'failed' ? 'FAIL' : trial.state.toUpperCase();
      expect([upper, trial.value ?? null]).toEqual([state, value === ('inf' as never) ? Infinity : value]);
      expect(Object.fromEntries(trial.attributes)).toEqual(attributes);
      for (const [name, { value, distribution }] of trial.parameters) {
        const external = distribution.kind === 'categorical' ? distribution.labels[value] : value;
        expect(external).toBe(parameters[name]);
      }
    }
    // Optuna's own trials lack the settings that it was not asked for.
    expect(space.pointOf(trials[4].parameters)).toMatchObject({ 'training.l2': expect.any(Number) });
    expect(trials[6].intermediateValues.get(1)).toBeNaN();
  });

  it('passes over a torn last line, and over lines that say nothing', () => {
    const text = study();
    const torn = readJournal(`${text}{"op_code":6,"worker_id":"a","trial_id":3,"sta`);
    expect(torn).toEqual(readJournal(text));
    const lines = text.split('\n');
    lines.splice(4, 0, '{"op_c{"op_code":1', '[]', '{"op_code":4,"study_id":0,"state":"length"}');
    const damaged = readJournal(lines.join('\n'));
    expect(damaged.unreadable).toEqual([5, 6, 7]);
    expect(damaged.studies).toEqual(readJournal(text).studies);
  });

  it('leaves finished trials alone, and counts no trial of an unknown study', () => {
    const writer = new JournalWriter('other');
    const date = new Date(0);
    const lines = [
      writer.createTrial(7, { space, point: points[0], start: date }),
      writer.createStudy('sweep', 'maximize'),
      writer.finishTrial(0, { state: 'failed', end: date }, date),
      writer.setIntermediateValue(0, 9, 1),
    ];
    expect(readJournal(`${study()}${lines.join('\n')}\n`)).toEqual(readJournal(study()));
  });
});
