/**
 * Checked by `npm run check`, never run: what users may write against the public types, and what
 * they may not.
 */
import { type ConfigInput, loadModel, type Prediction, type Run, train } from 'mlp-train';

const fromFile: ConfigInput = {
  data: { train: 'iris.csv', target: 'species', validation: 'held-out.csv', missing: { age: 'median' } },
  network: { input: 4, layers: [16, 'relu', { type: 'dropout', rate: 0.5 }, 3] },
  training: {
    epochs: 100,
    optimizer: { type: 'adamw' },
    schedule: { type: 'warm-up', steps: 10, after: { type: 'cosine' } },
    earlyStopping: { patience: 5 },
  },
  seed: 1,
  dtype: 'float64',
};

const fromRows: ConfigInput = {
  data: {
    rows: [{ age: 30, city: 'Rome', member: true, income: null }],
    target: ['income'],
    validation: { rows: [{ age: 31 }] },
    standardizeTarget: true,
  },
  network: 'spec.json',
};

const fromMatrix: ConfigInput = {
  data: { x: new Float32Array(8), y: ['a', 'b'], columns: ['p', 'q', 'r', 's'], weights: 'balanced' },
  network: { layers: [2] },
};

// @ts-expect-error An unknown key.
const misspelled: ConfigInput = { ...fromFile, training: { epoch: 3 } };
// @ts-expect-error No such optimizer.
const unknown: ConfigInput = { ...fromFile, training: { optimizer: { type: 'adamm' } } };
// @ts-expect-error Rows need a target.
const untargeted: ConfigInput = { data: { rows: [] }, network: { layers: [1] } };

export async function use(): Promise<readonly Prediction[]> {
  const run: Run = await train(fromRows, {
    signal: AbortSignal.timeout(1000),
    onEpoch: ({ epoch, validation }) => void [epoch, validation?.accuracy, validation?.r2],
  });
  const refitted: number | undefined = run.refit?.metrics.train.loss;
  const accuracy: number | undefined = run.metrics.validation?.accuracy;
  await run.save(`model-${accuracy ?? refitted}.safetensors`);
  const model = await loadModel('model.safetensors');
  const report = await model.evaluate({ x: [[1, 2]], y: ['a'] });
  const [first] = await model.predict([{ age: 30, city: 'Rome' }]);
  const probability: number | undefined = first.probabilities?.setosa;
  return [
    ...(await model.predict([[1, 'Rome'], Float32Array.of(1, 2)])),
    ...(await model.predict(new Float64Array(4))),
    { prediction: probability ?? report.metrics.loss ?? 0 },
  ];
}

export const configs = [fromFile, fromRows, fromMatrix, misspelled, unknown, untargeted];
