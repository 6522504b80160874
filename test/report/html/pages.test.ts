/** The pages of several runs, of a study and of a cross-validation. */
import { describe, expect, it } from 'vitest';
import { foldsPage } from '../../../src/report/html/foldsPage.js';
import type { FoldsResults, RunsResults, StudyResults } from '../../../src/report/html/results.js';
import { runsPage } from '../../../src/report/html/runsPage.js';
import { studyPage } from '../../../src/report/html/studyPage.js';
import { elementsOf, requireSelfContained } from '../../support/html.js';
import { HOSTILE } from './results.js';

function sound(page: string): string {
  requireSelfContained(page);
  expect(page.replace(/<script.*?<\/script>/gs, '')).not.toMatch(/\bNaN\b|undefined|Infinity/);
  return page;
}

const sectionsOf = (page: string) =>
  elementsOf(page).flatMap(({ tag, attributes }) => (tag === 'section' ? [attributes.get('id')] : []));

const epochs = (loss: readonly number[]) =>
  new Map([
    ['epoch', Float64Array.from(loss, (_, i) => i + 1)],
    ['validation_loss', Float64Array.from(loss)],
  ]);

function runs(count: number, name = 'run'): RunsResults {
  return {
    title: name,
    runs: Array.from({ length: count }, (_, i) => ({
      name: `${name}-${i}`,
      status: 'completed',
      keptEpoch: 2,
      seconds: 1,
      epochs: epochs([3 + i, 2 + i]),
      scores: new Map([
        ['train_loss', 1],
        ['validation_loss', 2 + i],
        ['validation_accuracy', i],
      ]),
    })),
    scores: [
      { name: 'train_loss', maximize: false },
      { name: 'validation_loss', maximize: false },
      { name: 'validation_accuracy', maximize: true },
    ],
    differences: [
      { key: `a.${name}`, values: Array.from({ length: count }, (_, i) => (i === 0 ? undefined : name)) },
    ],
    notes: [],
  };
}

describe('the page of several runs', () => {
  const page = (results: RunsResults) => sound(runsPage(results, 'mlp'));

  it('marks the best of each score', () => {
    const best = [...page(runs(3)).matchAll(/<b class="best">([^<]*)<\/b>/g)].map(([, text]) => text);
    expect(best).toEqual(['2.000', '2.000']);
    expect(page(runs(3))).not.toContain('training loss');
  });

  it('draws the twelve best of many', () => {
    const text = page(runs(40));
    expect(text).toContain('The 12 best of 40 runs.');
    expect(text).toContain('<bdi>run-0</bdi>');
    expect(text.match(/<label/g)?.length).toBeLessThan(30);
  });

  it('is one of runs that have nothing yet, and of none', () => {
    const none = runs(2);
    const empty = none.runs.map((run) => ({
      name: run.name,
      status: 'unfinished',
      epochs: new Map(),
      scores: new Map(),
    }));
    expect(page({ ...none, runs: empty, scores: [] })).toContain('No epoch has ended yet.');
    expect(page({ ...none, runs: [], scores: [], differences: [] })).toContain('0 runs');
  });

  it.each(HOSTILE)('shows the name %j as text', (name) => {
    expect(elementsOf(page(runs(2, name))).filter(({ tag }) => tag === 'script')).toHaveLength(2);
  });
});

function study(trials: StudyResults['trials'], changes: Partial<StudyResults> = {}): StudyResults {
  return {
    name: 'study',
    method: 'tpe',
    metric: 'validation_loss',
    maximize: false,
    settings: 3,
    parameters: [
      { name: 'training.optimizer.learningRate', log: true, low: 0.001, high: 0.1 },
      { name: 'network.layers', log: false, low: 0, high: 1, labels: ['10', '</script>'] },
      { name: 'seed', log: false, low: 0, high: 0 },
    ],
    trials,
    ranking: trials.map(({ number }) => number),
    curves: trials.map(({ number }) => ({
      trial: number,
      x: Float64Array.of(1, 2),
      y: Float64Array.of(2, 1),
    })),
    scores: { validation: { loss: 1, accuracy: null } },
    commands: [],
    ...changes,
  };
}

const trial = (
  number: number,
  changes: Partial<StudyResults['trials'][number]> = {},
): StudyResults['trials'][number] => ({
  number,
  state: 'complete',
  epochs: 3,
  value: 1 / (number + 1),
  point: [0.01, number % 2, 0],
  settings: [['training.optimizer.learningRate', '0.01']],
  ...changes,
});

describe('the page of a study', () => {
  const page = (results: StudyResults) => sound(studyPage(results, 'mlp'));

  it('shows history, importance, all settings, each, pairs and trials', () => {
    const importance = [{ parameter: 'seed', share: 0.7 }];
    const trials = Array.from({ length: 30 }, (_, i) => trial(i));
    const text = page(study(trials, { importance, best: 29, config: { a: '<b>' } }));
    expect(sectionsOf(text)).toEqual([
      'history',
      'importance',
      'parallel',
      'settings',
      'pairs',
      'ranking',
      'best',
      'repeat',
    ]);
    expect(text).toContain('The best validation_loss is 0.03333, of trial 29');
    expect(text).toContain('and 5 more: mlp runs shows all');
  });

  it('is one without a trial, with a single one, and where all have failed', () => {
    expect(page(study([]))).toContain('No trial was trained to its end.');
    expect(page(study([trial(0)], { best: 0 }))).toContain('of trial 0');
    const failed = [
      trial(0, { state: 'failed', value: null }),
      trial(1, { state: 'open', value: null, epochs: 0 }),
    ];
    expect(page(study(failed))).toContain('1 failed, 1 open');
  });

  it('leaves out of a picture what a trial has not, and draws equal values', () => {
    const trials = [0, 1, 2].map((i) => trial(i, { value: 5, point: [Number.NaN, 1, 0] }));
    page(study(trials));
    page(
      study(
        trials.map((one) => ({ ...one, value: -1 })),
        { maximize: true, metric: 'validation_r2' },
      ),
    );
  });

  it('stays small with a thousand trials', () => {
    const trials = Array.from({ length: 1000 }, (_, i) => trial(i, { value: Math.sin(i) ** 2 + 0.1 }));
    expect(page(study(trials)).length).toBeLessThan(1_500_000);
  });
});

describe('the page of a cross-validation', () => {
  const folds = (count: number): FoldsResults => ({
    name: 'cv',
    status: 'finished',
    repeats: 1,
    as: 'test',
    folds: Array.from({ length: count }, (_, i) => ({
      name: `fold-${i + 1}`,
      rows: 10,
      keptEpoch: 2,
      scores: { loss: 1 + i, rocAuc: null },
      epochs: epochs([2, 1]),
    })),
    averages: count > 0 ? { loss: { mean: 1 + (count - 1) / 2, deviation: count > 1 ? 1 : null } } : {},
    config: {},
    commands: [],
  });
  const page = (results: FoldsResults) => sound(foldsPage(results, 'mlp'));

  it('shows the score of each fold, their mean and their deviation', () => {
    const text = page(folds(3));
    expect(text).toContain('<b>2.000<small> ± 1.0</small></b>');
    expect(text).toContain('Loss of the validation rows');
    expect(text).toContain('aria-label="loss of the folds"');
  });

  it('is one of a single fold, of none, and of many', () => {
    page(folds(1));
    expect(page({ ...folds(0), status: 'interrupted' })).toContain('is not finished');
    expect(page(folds(30))).toContain('Of the first 12 folds.');
  });
});
