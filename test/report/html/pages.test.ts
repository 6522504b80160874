/** The pages of several runs, of a study and of a cross-validation. */
import { describe, expect, it } from 'vitest';
import { foldsPage } from '../../../src/report/html/foldsPage.js';
import type { FoldsResults, RunsResults, StudyResults } from '../../../src/report/html/results.js';
import { runsPage } from '../../../src/report/html/runsPage.js';
import { studyPage } from '../../../src/report/html/studyPage.js';
import { elementsOf, requireSelfContained } from '../../support/html.js';
import { foldsOf, HOSTILE, runsOf, studyOf, trialOf } from './results.js';

function sound(page: string): string {
  requireSelfContained(page);
  expect(page.replace(/<script.*?<\/script>/gs, '')).not.toMatch(/\bNaN\b|undefined|Infinity/);
  return page;
}

const sectionsOf = (page: string) =>
  elementsOf(page).flatMap(({ tag, attributes }) => (tag === 'section' ? [attributes.get('id')] : []));

describe('the page of several runs', () => {
  const page = (results: RunsResults) => sound(runsPage(results, 'mlp'));

  it('marks the best of each score', () => {
    const best = [...page(runsOf(3)).matchAll(/<b class="best">([^<]*)<\/b>/g)].map(([, text]) => text);
    expect(best).toEqual(['2.000', '2.000']);
    expect(page(runsOf(3))).not.toContain('training loss');
  });

  it('draws the twelve best of many', () => {
    const text = page(runsOf(40));
    expect(text).toContain('The 12 best of 40 runs.');
    expect(text).toContain('<bdi>run-0</bdi>');
    expect(text.match(/<label/g)?.length).toBeLessThan(30);
  });

  it('is one of runs that have nothing yet, and of none', () => {
    const none = runsOf(2);
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
    expect(elementsOf(page(runsOf(2, name))).filter(({ tag }) => tag === 'script')).toHaveLength(2);
  });
});

describe('the page of a study', () => {
  const page = (results: StudyResults) => sound(studyPage(results, 'mlp'));

  it('shows history, importance, all settings, each, pairs and trials', () => {
    const importance = [{ parameter: 'seed', share: 0.7 }];
    const trials = Array.from({ length: 30 }, (_, i) => trialOf(i));
    const text = page(studyOf(trials, { importance, best: 29, config: { a: '<b>' } }));
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
    expect(page(studyOf([]))).toContain('No trial was trained to its end.');
    expect(page(studyOf([trialOf(0)], { best: 0 }))).toContain('of trial 0');
    const failed = [
      trialOf(0, { state: 'failed', value: null }),
      trialOf(1, { state: 'open', value: null, epochs: 0 }),
    ];
    expect(page(studyOf(failed))).toContain('1 failed, 1 open');
  });

  it('leaves out of a picture what a trial has not, and draws equal values', () => {
    const trials = [0, 1, 2].map((i) => trialOf(i, { value: 5, point: [Number.NaN, 1, 0] }));
    page(studyOf(trials));
    page(
      studyOf(
        trials.map((one) => ({ ...one, value: -1 })),
        { maximize: true, metric: 'validation_r2' },
      ),
    );
  });

  it('stays small with a thousand trials', () => {
    const trials = Array.from({ length: 1000 }, (_, i) => trialOf(i, { value: Math.sin(i) ** 2 + 0.1 }));
    expect(page(studyOf(trials)).length).toBeLessThan(1_500_000);
  });
});

describe('the page of a cross-validation', () => {
  const page = (results: FoldsResults) => sound(foldsPage(results, 'mlp'));

  it('shows the score of each fold, their mean and their deviation', () => {
    const text = page(foldsOf(3));
    expect(text).toContain('<b>2.000<small> ± 1.0</small></b>');
    expect(text).toContain('Loss of the validation rows');
    expect(text).toContain('aria-label="loss of the folds"');
  });

  it('is one of a single fold, of none, and of many', () => {
    page(foldsOf(1));
    expect(page({ ...foldsOf(0), status: 'interrupted' })).toContain('is not finished');
    expect(page(foldsOf(30))).toContain('Of the first 12 folds.');
  });
});
