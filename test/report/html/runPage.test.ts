import { describe, expect, it } from 'vitest';
import { runPage } from '../../../src/report/html/runPage.js';
import { elementsOf, requireSelfContained } from '../../support/html.js';
import { classification, evaluation, fullRun, HOSTILE, runOf } from './results.js';

/** The page, which must be a sound one. */
function pageOf(run: Parameters<typeof runPage>[0]): string {
  const page = runPage(run, 'written by mlp');
  requireSelfContained(page);
  expect(page.replace(/<script.*?<\/script>/gs, '')).not.toMatch(/\bNaN\b|undefined|Infinity/);
  return page;
}

const idsOf = (page: string) =>
  elementsOf(page)
    .filter(({ tag }) => tag === 'section')
    .map(({ attributes }) => attributes.get('id'));

describe('the page of a run', () => {
  it('has a section for all that is known, and a link to each', () => {
    const page = pageOf(fullRun('thing'));
    const ids = ['curves', 'evaluation', 'wrong', 'importance', 'data', 'network', 'config', 'repeat'];
    expect(idsOf(page)).toEqual(ids);
    for (const id of ids) expect(page).toContain(`<a href="#${id}">`);
  });

  it('leaves out what is not known', () => {
    expect(idsOf(pageOf(runOf()))).toEqual(['curves', 'config', 'repeat']);
  });

  it.each(HOSTILE)('shows the name %j as text, wherever it stands', (name) => {
    const page = pageOf(fullRun(name));
    const shown = page.replace(/<script.*?<\/script>/gs, '');
    if (/[<>"'&]/.test(name)) expect(shown).not.toContain(name);
    expect(elementsOf(page).filter(({ tag }) => tag === 'script')).toHaveLength(2);
    expect(page.match(/<img /g)?.length).toBe(pageOf(fullRun('thing')).match(/<img /g)?.length);
    expect(page).not.toContain('\u202e');
  });

  it('says in a sentence what was trained', () => {
    const page = pageOf(fullRun('price'));
    expect(page).toContain(
      'A network 2→3→1 with 13 parameters was trained on 20 rows of <bdi>price</bdi> to predict <bdi>price</bdi> (no, price): ' +
        '3 epochs, 9 steps of adam at a learning rate of 0.01; the weights are those of epoch 2, the best by validation_loss.',
    );
  });

  it('marks the epoch whose weights are kept', () => {
    expect(pageOf(runOf())).toContain('kept: epoch 2');
  });

  it('is one before the first epoch has ended', () => {
    const { keptEpoch: _, steps: __, seconds: ___, rows: ____, ...facts } = runOf().facts;
    const page = pageOf(
      runOf({ facts: { ...facts, status: 'unfinished', epochs: 0, scores: {} }, epochs: new Map() }),
    );
    expect(page).toContain('No epoch has ended yet.');
  });

  it('draws what it can of losses that are NaN', () => {
    const epochs = new Map([
      ['epoch', Float64Array.of(1, 2, 3)],
      ['train_loss', Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NaN)],
    ]);
    expect(pageOf(runOf({ epochs }))).toContain('No epoch has ended yet.');
    const some = new Map([...epochs, ['train_r2', Float64Array.of(Number.NaN, 0.5, Number.NaN)]]);
    expect(pageOf(runOf({ epochs: some }))).toContain('class="lone c0"');
  });

  it('marks no epoch that the table lacks, and draws none without its number', () => {
    const { facts, epochs } = runOf();
    expect(pageOf(runOf({ facts: { ...facts, keptEpoch: 1e9 } }))).not.toContain('kept: epoch');
    const damaged = new Map([...epochs, ['epoch', Float64Array.of(1, Number.NaN, 3)]]);
    expect(pageOf(runOf({ epochs: damaged }))).toContain('No epoch has ended yet.');
  });

  it('draws gradients and outputs of layers, some of many', () => {
    const layer = (i: number) => ({
      name: `layers.${i}`,
      epoch: Float64Array.of(1, 2),
      gradientNorm: Float64Array.of(1, i + 2),
      deviation: Float64Array.of(Number.NaN, Number.NaN),
      zeros: Float64Array.of(Number.NaN, Number.NaN),
    });
    const layersOf = (count: number) => Array.from({ length: count }, (_, i) => layer(i));
    const page = pageOf(runOf({ layers: layersOf(20) }));
    expect(page).toContain('Gradient of each layer');
    expect(page).toContain('8 layers between these left out');
    for (const name of ['layers.0', 'layers.19']) expect(page).toContain(`>${name}<`);
    expect(page).not.toContain('Spread of the outputs');
    const [{ epoch: _, ...rest }] = layersOf(1);
    for (const layers of [[], [{ ...rest, epoch: Float64Array.of(1) }]])
      expect(pageOf(runOf({ layers }))).not.toContain('Layers while training');
  });

  it('shows one class', () => {
    const one = { ...classification(['only']), curves: [] };
    expect(pageOf(runOf({ evaluation: evaluation({ classification: one }) }))).toContain(
      'there is no curve of it',
    );
  });

  it('shows two hundred classes as a picture and their most confused pairs', () => {
    const many = classification(Array.from({ length: 200 }, (_, i) => `class ${i}`));
    const page = pageOf(runOf({ evaluation: evaluation({ classification: many }) }));
    expect(page).toContain('Confusion matrix of 200 classes');
    expect(page).toContain('The most confused of');
    expect(page.length).toBeLessThan(120_000);
  });

  it('stays small for a run of 3,000 epochs', () => {
    const epochs = 3000;
    const of = (value: (epoch: number) => number) =>
      Float64Array.from({ length: epochs }, (_, i) => value(i + 1));
    const noise = (epoch: number) => 1 + Math.sin(epoch * 12.9898) / epoch + 1 / epoch;
    const run = fullRun('thing');
    const page = pageOf({
      ...run,
      epochs: new Map([
        ['epoch', of((epoch) => epoch)],
        ...['train', 'validation'].flatMap((split) =>
          ['loss', 'r2', 'rmse'].map((name) => [`${split}_${name}`, of(noise)] as const),
        ),
      ]),
      steps: {
        step: Float64Array.from({ length: 100_000 }, (_, i) => i + 1),
        learningRate: Float64Array.from({ length: 100_000 }, (_, i) => Math.cos(i / 1e5)),
        loss: Float64Array.from({ length: 100_000 }, (_, i) => noise(i + 1)),
        isSample: false,
      },
    });
    expect(page.length).toBeLessThan(500_000);
  });

  it('shows the importance of pixels as a picture', () => {
    const columns = Array.from({ length: 64 }, (_, place) => ({
      column: `p${place}`,
      place,
      mean: place,
      deviation: 0,
    }));
    const importance = { rows: 5, repeats: 1, loss: 1, columns, pictureWidth: 8 };
    expect(pageOf(runOf({ importance }))).toContain('Importance of each pixel');
  });

  it('says why the importance was not computed, or that nothing matters', () => {
    expect(pageOf(runOf({ importance: 'It takes long.' }))).toContain('It takes long.');
    const columns = [{ column: 'a', place: 0, mean: 0, deviation: 0 }];
    expect(pageOf(runOf({ importance: { rows: 5, repeats: 1, loss: 1, columns } }))).toContain(
      'No column changes the loss.',
    );
  });
});
