/** Who takes part: our engine by kernels and threads, our reading of CSVs, and the peers of both. Each is a process of its own. */
import { availableParallelism } from 'node:os';
import { env, execArgv, execPath, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const PYTHON = env.PYTHON ?? (platform === 'win32' ? 'python' : 'python3');

/**
 * @param kind what tasks and goals call it; several contenders may be of one kind
 * @param rest `takes`, kinds of tasks, training and products if left out; `threads`, of ours; `dtypes`, those of the training tasks that it
 * takes, all if left out; `rounds`, in how many it takes part, all if left out
 */
function contender(id, family, kind, label, command, script, args, rest) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // A flag of V8 that run.js was started with (for relaxed SIMD in Node 20, say) is meant for the contenders.
  const flags = command === execPath ? execArgv : [];
  return { id, family, kind, label, command, args: [...flags, path, ...args], takes: STEPS, ...rest };
}

const KERNELS = { native: 'native', blas: 'blas', wasm: 'wasm', relaxed: 'wasm with relaxed SIMD' };

function ours(kind, threads) {
  const isAuto = kind === 'auto';
  const id = isAuto ? 'mlp' : `${kind} ${threads}`;
  const label = isAuto ? 'mlp' : `mlp, ${KERNELS[kind]}, ${threads} thread${threads === 1 ? '' : 's'}`;
  return contender(id, 'mlp', kind, label, execPath, 'engine/ours.js', [kind, String(threads)], { threads });
}

function torch(id, label, args) {
  return contender(id, 'torch', 'torch', label, PYTHON, 'peers/torch_peer.py', args);
}

function numpy(dtype, rest) {
  const id = `numpy-${dtype}`;
  return contender(id, 'numpy', id, `NumPy class, ${dtype}`, PYTHON, 'peers/numpy_peer.py', [dtype], rest);
}

function tensorflow(backend) {
  const label = `TensorFlow.js, ${backend}`;
  return contender(`tfjs ${backend}`, 'tfjs', 'tfjs', label, execPath, 'peers/tfjs.js', [backend], FLOAT32);
}

function predictor(threads) {
  const one = threads === 1;
  return contender(
    one ? 'predict 1' : 'predict',
    'mlp',
    'predict',
    one ? 'mlp, 1 thread' : 'mlp',
    execPath,
    'predict/ours.js',
    [String(threads)],
    { takes: ['predict'], ...(one && { threads }) },
  );
}

function predictingPeer(library, family, label, threads) {
  return contender(
    threads ? `predict ${library} 1` : `predict ${library}`,
    family,
    `predict-${library}`,
    threads ? `${label}, 1 thread` : label,
    PYTHON,
    'peers/predict_peer.py',
    [library, ...(threads ? ['1'] : [])],
    { takes: ['predict'], ...(threads && { threads }) },
  );
}

function csvReader(kind, label) {
  return contender(kind, kind, kind, label, PYTHON, 'peers/csv_peer.py', [kind], FILES);
}

function csvParse(kind, label, how, rest) {
  return contender(kind, 'csv-parse', kind, label, execPath, 'csv/csvParse.js', [how], {
    takes: ['load'],
    ...rest,
  });
}

/** What engines take. */
const STEPS = ['train', 'product'];
/** What a class in float32, or a library that knows nothing else, takes. */
const FLOAT32 = { dtypes: ['float32'] };
/** What readers of files take. */
const FILES = { takes: ['load', 'table'] };

/** One thread, two for the goal of 1 → 2, and all. */
const THREADS = [...new Set([1, Math.min(2, availableParallelism()), availableParallelism()])];

export const CONTENDERS = [
  ours('auto', 'auto'),
  ...Object.keys(KERNELS).flatMap((kind) => THREADS.map((threads) => ours(kind, threads))),
  torch('torch', 'PyTorch', []),
  torch('torch 1', 'PyTorch, 1 thread', ['1']),
  contender('sklearn', 'sklearn', 'sklearn', 'scikit-learn', PYTHON, 'peers/sklearn_peer.py', []),
  numpy('float32', FLOAT32),
  numpy('float64'),
  tensorflow('wasm'),
  tensorflow('cpu'),
  contender('brain', 'brain', 'brain', 'brain.js', execPath, 'peers/brainjs.js', [], FLOAT32),
  ...['auto', 1].map(predictor),
  ...[undefined, 1].flatMap((threads) => [
    predictingPeer('onnxruntime', 'onnxruntime', 'onnxruntime', threads),
    predictingPeer('sklearn', 'sklearn', 'scikit-learn', threads),
  ]),
  contender('load', 'mlp', 'load', 'mlp', execPath, 'csv/ours.js', ['auto'], FILES),
  contender('load 1', 'mlp', 'load-1', 'mlp, 1 thread', execPath, 'csv/ours.js', ['1'], FILES),
  // A pass takes it half a minute.
  csvParse('csv-parse', 'csv-parse', 'fill', { rounds: 2 }),
  csvParse('csv-parse-alone', 'csv-parse alone', 'alone'),
  csvReader('pandas', 'pandas'),
  csvReader('polars', 'Polars'),
  csvReader('duckdb', 'DuckDB'),
  // Node itself, which the parent starts anew for each run.
  { id: 'node', family: 'mlp', kind: 'process', label: 'node', takes: ['process'] },
  { id: 'peak', family: 'mlp', kind: 'peak', label: 'mlp', takes: ['peak'], rounds: 3 },
];

export const FAMILIES = [...new Set(CONTENDERS.map(({ family }) => family))];

/** Whether a contender takes part in a task. */
export function accepts({ kind, takes, threads, dtypes }, task) {
  if (!takes.includes(task.kind)) return false;
  if (task.kind === 'predict') return kind !== 'predict-sklearn' || task.layers !== undefined;
  if (task.kind === 'train') return !dtypes || dtypes.includes(task.dtype);
  const isWasm = kind === 'wasm' || kind === 'relaxed';
  return (task.contenders?.includes(kind) ?? true) && (!isWasm || threads === 1);
}
