/** Label smoothing: only what training minimises is smoothed. */
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { itLeavesTheSameBits } from '../support/alike.js';
import { csvOf, prepare, startReference, trainSteps } from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
const TWO = csvOf(131, 4, 'classes').replaceAll('c2', 'c1');
const TASKS = [
  ['three classes', 3, undefined],
  ['two classes with a single logit', 1, TWO],
  ['two classes with two logits', 2, TWO],
] as const;

const configOf = (outputs: number, labelSmoothing: number) => ({
  network: { layers: [9, 'tanh', outputs], members: 2 },
  training: { steps: 12, batchSize: 25, labelSmoothing },
  dtype: 'float64',
});

describe.each(TASKS)('smoothed labels of %s', (_, outputs, csv) => {
  it('change the loss of a step, and not those of the splits', async () => {
    const [plain, smoothed] = [
      await prepare(configOf(outputs, 0), csv),
      await prepare(configOf(outputs, 0.2), csv),
    ];
    const [engine, other] = [startReference(plain), startReference(smoothed)];
    expect(await other.evaluate()).toEqual(await engine.evaluate());
    const [[loss], [smoothedLoss]] = [
      await trainSteps(engine, plain, 1),
      await trainSteps(other, smoothed, 1),
    ];
    expect(Math.abs(smoothedLoss - loss)).toBeGreaterThan(1e-3);
    expect(await other.evaluate()).not.toEqual(await engine.evaluate());
  });

  it('keep the logits of a long run near those of the smoothed target', async () => {
    const all = { steps: 600, batchSize: 1000, optimizer: { type: 'adam', learningRate: 0.03 } };
    const network = { layers: [40, 'tanh', outputs] };
    const lossOf = async (labelSmoothing: number) => {
      const problem = await prepare({ network, training: { ...all, labelSmoothing } }, csv);
      const engine = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
      await trainSteps(engine, problem, all.steps);
      const { metrics } = (await engine.evaluate()).train;
      expect(metrics).toMatchObject({ accuracy: 1 });
      return metrics.loss;
    };
    // The best probability of the true class is 1 − ε + ε/K; without smoothing there is none below 1.
    const classes = outputs === 3 ? 3 : 2;
    expect(await lossOf(0)).toBeLessThan(0.02);
    expect([await lossOf(0.3)]).toBeAllclose([-Math.log(0.7 + 0.3 / classes)], { relative: 0.05 });
  });

  itLeavesTheSameBits(() => prepare(configOf(outputs, 0.1), csv));
});

describe('a regression', () => {
  it('has no labels to smooth', async () => {
    const config = { network: { layers: [1] }, training: { labelSmoothing: 0.1 } };
    await expect(prepare(config, csvOf(30, 3, 'values'))).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringContaining(
        'training.labelSmoothing: found 0.1 with the loss mean-squared-error, expected 0: only binary-cross-entropy, softmax-cross-entropy have classes to smooth',
      ),
      hint: 'remove labelSmoothing, or check data.task',
    });
  });
});
