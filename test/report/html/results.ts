/** Results of a run for the tests of pages: whole, and with names that nobody should trust. */
import type {
  ClassCurves,
  ClassificationResults,
  EvaluationResults,
  FoldsResults,
  RunResults,
  RunsResults,
  StudyResults,
} from '../../../src/report/html/results.js';

/** Ends a script, an attribute, a comment; turns the direction of text; is no valid UTF-16. */
export const HOSTILE = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  '<!-- -->',
  ']]>&amp;&lt;',
  'שלום \u202eevil',
  '\ud800',
  '\u0000\u001b[31m',
];

const curve = { x: [0, 0.5, 1], y: [0, 0.9, 1], thresholds: [0.9, 0.5, 0.1] };

export function curvesOf(name: string, changes: Partial<ClassCurves> = {}): ClassCurves {
  return {
    name,
    rocAuc: 0.9,
    averagePrecision: 0.8,
    share: 0.5,
    roc: curve,
    precisionRecall: curve,
    ...changes,
  };
}

export function classification(classes: readonly string[]): ClassificationResults {
  return {
    classes,
    counts: classes.map((_, i) => classes.map((_, j) => (i === j ? 5 : (i + j) % 3 === 0 ? 1 : 0))),
    scores: classes.map((name) => ({ name, support: 5, precision: 1, recall: 0.5, f1: 0.7, rocAuc: null })),
    curves: classes.slice(0, 8).map((name) => curvesOf(name)),
    calibration: {
      of: classes[0],
      bins: [{ from: 0.1, to: 0.2, rows: 3, probability: 0.2, share: 0.4 }],
      error: 0.2,
    },
  };
}

export function evaluation(changes: Partial<EvaluationResults> = {}): EvaluationResults {
  return { split: 'validation', rows: 10, of: 10, metrics: [['loss', 0.5]], ...changes };
}

/** @param name of all that a file names */
export function runOf(changes: Partial<RunResults> = {}, name = 'thing'): RunResults {
  return {
    name,
    facts: {
      status: 'completed',
      targets: [name],
      task: 'binary',
      classes: ['no', name],
      dataFile: name,
      rows: { train: 20, validation: 10, test: 0 },
      epochs: 3,
      steps: 9,
      keptEpoch: 2,
      keepMetric: 'validation_loss',
      optimizer: 'adam',
      learningRate: 0.01,
      seconds: 1,
      scores: { train: { loss: 0.5, accuracy: 1 }, validation: { loss: 0.6, accuracy: null } },
      details: [['Seed', '0']],
    },
    notes: [],
    epochs: new Map([
      ['epoch', Float64Array.of(1, 2, 3)],
      ['train_loss', Float64Array.of(3, 2, 1)],
      ['validation_loss', Float64Array.of(3, 1, 2)],
      ['learning_rate', Float64Array.of(1, 1, 1)],
      ['seconds', Float64Array.of(1, 1, 1)],
    ]),
    layers: [],
    config: { data: { target: name } },
    commands: [{ command: `mlp repro ${name}`, does: 'repeats it' }],
    ...changes,
  };
}

/** Every section, with the same name everywhere. */
export function fullRun(name: string): RunResults {
  const number = {
    name,
    kind: 'numeric',
    inputs: 1,
    missing: 2,
    least: -1,
    greatest: 1,
    mean: 0,
    deviation: 0.5,
    histogram: { low: -1, high: 1, counts: [1, 0, 3] },
  };
  const levels = {
    name,
    kind: 'category',
    inputs: 2,
    missing: 0,
    levels: [{ name, rows: 3 }],
    levelCount: 9,
  };
  return runOf(
    {
      notes: [name],
      steps: {
        step: Float64Array.of(1, 2, 3),
        learningRate: Float64Array.of(0.1, 0.1, 0.05),
        loss: Float64Array.of(3, Number.NaN, 1),
        isSample: true,
      },
      evaluation: evaluation({
        rows: 5,
        classification: classification([name, 'other', 'third']),
        labels: [{ curves: curvesOf(name), scores: classification([name]).scores[0] }],
        regression: [
          {
            target: name,
            scores: [['R²', null]],
            actual: [1, 2, Number.NaN],
            predicted: [1, 3, 2],
            residuals: { low: -1, high: 1, counts: [1, 2] },
          },
        ],
        wrong: {
          columns: [name],
          rows: [
            { number: 7, actual: name, predicted: name, loss: 3, probabilities: [0.9, 0.1], cells: [name] },
          ],
        },
      }),
      data: {
        rows: 20,
        of: 3,
        columns: [number, levels],
        target: levels,
        warnings: [name],
        pictures: [{ name, picture: { width: 2, values: [0, 0.5, 1, Number.NaN] } }],
      },
      importance: {
        rows: 5,
        repeats: 5,
        loss: 0.5,
        columns: [
          { column: name, place: 0, mean: 0.5, deviation: 0.1 },
          { column: 'other', place: 1, mean: -0.1, deviation: 0 },
        ],
      },
      network: {
        inputs: 2,
        layers: [
          {
            name: 'layers.0',
            type: 'linear',
            inputs: 2,
            outputs: 3,
            parameters: 9n,
            depth: 0,
            weights: [1, -1, 0, 2, 0.5, 0],
          },
          { name: 'layers.1', type: 'relu', inputs: 3, outputs: 3, parameters: 0n, depth: 0 },
          {
            name: 'layers.2',
            type: 'linear',
            inputs: 3,
            outputs: 1,
            parameters: 4n,
            depth: 0,
            weights: [1, 2, 3],
          },
        ],
        parameters: 13n,
        weights: 9n,
        biases: 4n,
        members: 1,
        small: { inputNames: [name, 'b'], outputNames: [name] },
        firstWeights: { width: 2, units: [{ number: 1, weights: [1, -1, 0, Number.NaN] }], of: 3 },
      },
    },
    name,
  );
}

const epochs = (loss: readonly number[]) =>
  new Map([
    ['epoch', Float64Array.from(loss, (_, i) => i + 1)],
    ['validation_loss', Float64Array.from(loss)],
  ]);

/** Several runs, the first of which is the best. */
export function runsOf(count: number, name = 'run'): RunsResults {
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

export function studyOf(trials: StudyResults['trials'], changes: Partial<StudyResults> = {}): StudyResults {
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

export const trialOf = (
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

export const foldsOf = (count: number): FoldsResults => ({
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
