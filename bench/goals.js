/**
 * What the engine is to reach: ratios of figures of the same run, since only those last.
 *
 * On our side stands what a user gets, the automatic choice, unless a goal names kernels; of several numbers of threads, or
 * builds, the best median counts, on the peers' side too.
 */
import { LESS, MORE, memoryAllowance } from './csv/workloads.js';
import { median, ratios, spread } from './statistics.js';
import { EMPTY, flops, PARAMS, PEAK, SGEMM, SQUARE, WORKLOADS } from './workloads.js';

const AT_LEAST = '≥';
const AT_MOST = '≤';

/** A goal: what is held against what, the bound, and how to find the ratio among a workload's figures. */
function goal(workload, text, relation, bound, ratio, unit = '×') {
  return { workload, text, relation, bound, ratio, unit };
}

/** How many times as fast as the best of some kinds we are. */
function speedUp(workload, peer, kinds, bound) {
  return goal(workload, `speed against ${peer}`, AT_LEAST, bound, (figures) =>
    over(figures.best('train', kinds), figures.best('train', ['auto'])),
  );
}

/** How many times as fast as a peer we read a CSV. */
function readingSpeed(workload, peer, kind, bound, task = 'load') {
  return goal(workload, `speed against ${peer}`, AT_LEAST, bound, (figures) =>
    over(figures.best(task, [kind]), figures.best(task, ['load'])),
  );
}

/** How many times as fast as a peer we predict the rows of a CSV, each on all threads or on one. */
function predictingSpeed(workload, peer, kind) {
  return [undefined, 1].map((threads) =>
    goal(workload, `speed against ${peer}${threads ? ', 1 thread' : ''}`, AT_LEAST, 1, (figures) =>
      over(figures.best('predict', [kind], threads), figures.best('predict', ['predict'], threads)),
    ),
  );
}

/** The memory of the processes of a workload, in MB. */
function memory(workload) {
  const { tasks } = WORKLOADS.find(({ id }) => id === workload);
  return tasks
    .filter(({ kind }) => kind === 'peak')
    .map((task) =>
      goal(
        workload,
        task.id,
        AT_MOST,
        memoryAllowance(task),
        (figures) => figures.best(task.id, ['peak']),
        'MB',
      ),
    );
}

/** What 2 threads gain over 1. */
function scaling(text, task, kind, bound) {
  return goal('wide-256', text, AT_LEAST, bound, (figures) =>
    over(figures.best(task, [kind], 1), figures.best(task, [kind], 2)),
  );
}

/** The rate of a step, of the fastest product of some kinds. */
function shareOfSgemm(text, kind, products, bound) {
  const rate = (figures, task, ms) => figures.flops(task) / ms;
  return goal(
    'wide-256',
    text,
    AT_LEAST,
    bound,
    (figures) =>
      over(
        figures.best('train', [kind])?.map((ms) => rate(figures, 'train', ms)),
        figures.fastest(SGEMM.id, products)?.map((ms) => rate(figures, SGEMM.id, ms)),
      ),
    '%',
  );
}

export const GOALS = [
  shareOfSgemm(
    'rate of a step with native, of the fastest sgemm 1024³',
    'native',
    ['native', 'blas', 'numpy-float32'],
    0.9,
  ),
  shareOfSgemm(
    'rate of a step with BLAS, of the machine’s sgemm 1024³',
    'blas',
    ['blas', 'numpy-float32'],
    0.75,
  ),
  goal('wide-256', 'speed with native against PyTorch', AT_LEAST, 1.3, (figures) =>
    over(figures.best('train', ['torch']), figures.best('train', ['native'])),
  ),
  goal('wide-256', 'speed with BLAS against PyTorch', AT_LEAST, 1.3, (figures) =>
    over(figures.best('train', ['torch']), figures.best('train', ['blas'])),
  ),
  scaling('speed with native, 2 threads against 1', 'train', 'native', 1.85),
  scaling('speed with BLAS, 2 threads against 1', 'train', 'blas', 1.8),
  scaling('for comparison: sgemm 1024³, 2 threads against 1', SGEMM.id, 'blas', null),
  goal(
    'wide-256',
    'speed of the wasm kernels, of that with BLAS',
    AT_LEAST,
    0.25,
    (figures) => over(figures.best('train', ['blas']), figures.best('train', ['wasm', 'relaxed'])),
    '%',
  ),
  speedUp('wide-32', 'PyTorch', ['torch'], 1.5),
  speedUp('wide-32', 'scikit-learn', ['sklearn'], 6),
  speedUp('images-float32', 'PyTorch', ['torch'], 1.3),
  speedUp('images-float32', 'the NumPy class in float64', ['numpy-float64'], 4),
  speedUp('images-float64', 'the NumPy class in float64', ['numpy-float64'], 1.7),
  speedUp('tiny', 'PyTorch', ['torch'], 30),
  ...predictingSpeed('predict-adult', 'onnxruntime', 'predict-onnxruntime'),
  ...predictingSpeed('predict-images', 'onnxruntime', 'predict-onnxruntime'),
  ...predictingSpeed('predict-images', 'scikit-learn', 'predict-sklearn'),
  ...['wasm', 'relaxed'].map((kind) =>
    goal(
      'products',
      `rate of a product 512³, of its microkernel’s${kind === 'relaxed' ? ', with relaxed SIMD' : ''}`,
      AT_LEAST,
      0.9,
      (figures) =>
        over(
          figures.best(SQUARE.id, [kind])?.map((ms) => figures.flops(SQUARE.id) / ms),
          figures.best(PEAK.id, [kind])?.map((ms) => figures.flops(PEAK.id) / ms),
        ),
      '%',
    ),
  ),
  goal('start', 'time of mlp params, of node -e 0', AT_MOST, 1.5, (figures) =>
    over(figures.best(PARAMS.id, ['process']), figures.best(EMPTY.id, ['process'])),
  ),
  ...['csv-integers', 'csv-floats'].flatMap((workload) => [
    readingSpeed(workload, 'csv-parse', 'csv-parse', 10),
    readingSpeed(workload, 'pandas', 'pandas', 3),
    readingSpeed(workload, 'Polars', 'polars', null),
    readingSpeed(workload, 'DuckDB', 'duckdb', null),
    ...memory(workload),
  ]),
  readingSpeed('csv-digits17', 'pandas', 'pandas', 1.5),
  readingSpeed('csv-digits17', 'Polars', 'polars', 1.5),
  ...['csv-adult', 'parquet-adult'].flatMap((workload) => [
    readingSpeed(workload, 'pandas', 'pandas', 1, 'table'),
    readingSpeed(workload, 'Polars', 'polars', 1, 'table'),
    readingSpeed(workload, 'DuckDB', 'duckdb', 1, 'table'),
  ]),
  goal('csv-mixed', 'time, of csv-parse alone', AT_MOST, 0.4, (figures) =>
    over(figures.best('load', ['load']), figures.best('load', ['csv-parse-alone'])),
  ),
  goal('csv-scaling', 'time of ten times the rows', AT_MOST, 11, (figures) =>
    over(figures.best(MORE.id, ['load']), figures.best(LESS.id, ['load'])),
  ),
];

/** Ratios round by round; nothing where a side was not measured. */
function over(a, b) {
  return a && b && ratios(a, b);
}

/** The figures of one workload, in milliseconds a step or in MB, by task and contender. */
class Figures {
  constructor({ figures }, { tasks }) {
    this.figures = figures;
    this.tasks = tasks;
  }

  /** The rounds of the contender of these kinds (and this number of threads) that has the best median. */
  best(task, kinds, threads) {
    return this.#candidates(task, kinds, threads).sort((a, b) => median(a) - median(b))[0];
  }

  /** The best of these kinds in each single round. */
  fastest(task, kinds) {
    const [first, ...rest] = this.#candidates(task, kinds);
    return first?.map((ms, round) => Math.min(ms, ...rest.map((other) => other[round])));
  }

  flops(id) {
    return flops(this.tasks.find((task) => task.id === id));
  }

  #candidates(task, kinds, threads) {
    return this.figures
      .filter((figure) => figure.task === task && kinds.includes(figure.contender.kind))
      .filter((figure) => threads === undefined || figure.contender.threads === threads)
      .map((figure) => figure.values);
  }
}

/** The goals of the workloads that were run, each with its ratio and whether it is met; without, where a side is missing. */
export function judge(results) {
  return GOALS.flatMap(({ ratio, ...rest }) => {
    const workload = WORKLOADS.find(({ id }) => id === rest.workload);
    const result = results.find(({ id }) => id === rest.workload);
    if (!result) return [];
    const rounds = ratio(new Figures(result, workload));
    if (!rounds) return [rest];
    const value = spread(rounds);
    const met = rest.relation === AT_LEAST ? value.median >= rest.bound : value.median <= rest.bound;
    return [{ ...rest, rounds, ...value, ...(rest.bound !== null && { met }) }];
  });
}
