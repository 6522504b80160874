/** Finds, compiles and instantiates the modules that `assembly/` is compiled to. */
import { readFileSync } from 'node:fs';
import { ExitCode, MlpError, readError } from '../../errors.js';
import type { DType } from '../kernels.js';

/** The exported kernels. Addresses, steps between rows (`…Step`, `rowBytes`) and scratch are in bytes. */
export interface WasmExports {
  product(
    form: number,
    m: number,
    n: number,
    k: number,
    a: number,
    aStep: number,
    b: number,
    bStep: number,
    accumulate: number,
    c: number,
    cStep: number,
    scratch: number,
  ): void;
  productScratchBytes(): number;
  dotRows(rows: number, k: number, a: number, aStep: number, x: number, accumulate: number, y: number): void;
  combineRows(
    columns: number,
    k: number,
    x: number,
    b: number,
    bStep: number,
    accumulate: number,
    y: number,
  ): void;
  biasActivation(
    kind: number,
    parameter: number,
    rows: number,
    columns: number,
    x: number,
    bias: number,
    y: number,
  ): void;
  biasActivationBackward(
    kind: number,
    parameter: number,
    rows: number,
    columns: number,
    rowBytes: number,
    x: number,
    y: number,
    dY: number,
    dX: number,
    dBias: number,
  ): void;
  add(count: number, a: number, b: number, out: number): void;
  scaleRows(rows: number, columns: number, factors: number, x: number): void;
  addScaled(count: number, scale: number, x: number, y: number): void;
  addSigns(count: number, scale: number, x: number, y: number): void;
  scale(count: number, factor: number, x: number): void;
  copy(count: number, source: number, out: number): void;
  gather(rows: number, columns: number, source: number, indices: number, out: number): void;
  gatherLabels(rows: number, source: number, indices: number, out: number): void;
  /** `block`: the counter of the first element. */
  dropout(
    count: number,
    rate: number,
    seed: number,
    layer: number,
    step: number,
    block: number,
    x: number,
    out: number,
  ): void;
  /** runningMean and runningVariance are 0 for none; `sums` is 2 KB of scratch. */
  batchNorm(
    rows: number,
    columns: number,
    rowBytes: number,
    epsilon: number,
    x: number,
    scale: number,
    shift: number,
    moments: number,
    momentBytes: number,
    momentum: number,
    runningMean: number,
    runningVariance: number,
    y: number,
    sums: number,
  ): void;
  /** `moments` is 2 KB of scratch. */
  batchNormEvaluation(
    rows: number,
    columns: number,
    rowBytes: number,
    epsilon: number,
    x: number,
    scale: number,
    shift: number,
    runningMean: number,
    runningVariance: number,
    y: number,
    moments: number,
  ): void;
  /** dX is 0 for none. */
  batchNormBackward(
    rows: number,
    columns: number,
    rowBytes: number,
    x: number,
    moments: number,
    momentBytes: number,
    scale: number,
    dY: number,
    dX: number,
    dScale: number,
    dShift: number,
  ): void;
  layerNorm(
    rows: number,
    columns: number,
    epsilon: number,
    x: number,
    scale: number,
    shift: number,
    moments: number,
    y: number,
  ): void;
  layerNormParameters(
    rows: number,
    columns: number,
    rowBytes: number,
    x: number,
    moments: number,
    dY: number,
    dScale: number,
    dShift: number,
  ): void;
  layerNormBackward(
    rows: number,
    columns: number,
    x: number,
    moments: number,
    scale: number,
    dY: number,
    dX: number,
  ): void;
  softmax(rows: number, columns: number, logits: number, out: number): void;
  softmaxCrossEntropy: RowLoss;
  sigmoidCrossEntropy: RowLoss;
  squaredError: RowLoss;
  sum(count: number, x: number): number;
  sumOfSquares(count: number, x: number): number;
  sumOfMagnitudes(count: number, x: number): number;
  /** 1 where all are, else 0. */
  areFinite(count: number, x: number): number;
  // The steps return 1 where all parameters are finite afterwards; where they return 0, areFinite tells.
  sgd(count: number, learningRate: number, p: number, g: number): number;
  sgdMomentum(
    count: number,
    learningRate: number,
    momentum: number,
    nesterov: number,
    p: number,
    g: number,
    v: number,
  ): number;
  adam(
    count: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    correction1: number,
    correction2: number,
    p: number,
    g: number,
    m: number,
    v: number,
  ): number;
  /** `mean` and `velocity` are 0 for none. */
  rmsprop(
    count: number,
    learningRate: number,
    alpha: number,
    epsilon: number,
    momentum: number,
    p: number,
    g: number,
    squares: number,
    mean: number,
    velocity: number,
  ): number;
  adagrad(
    count: number,
    learningRate: number,
    initialAccumulator: number,
    epsilon: number,
    p: number,
    g: number,
    squares: number,
  ): number;
  /** An elementary function over an array, by number: see assembly/evaluate.ts. */
  evaluate(kind: number, count: number, x: number, y: number): void;
  /** Where the constants end. */
  readonly constantsEnd: { readonly value: number };
}

/** `targets` are labels for softmaxCrossEntropy; `gradient` is 0 for none. */
export type RowLoss = (
  rows: number,
  columns: number,
  output: number,
  targets: number,
  scale: number,
  rowLoss: number,
  gradient: number,
) => void;

export interface WasmFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** One function of type () → v128. */
const SIGNATURE = [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00];
/** i32.const 0; i8x16.splat */
const VECTOR = [0x41, 0x00, 0xfd, 0x0f];
const END = 0x0b;
const SIMD_MODULE = [...HEADER, ...SIGNATURE, 0x0a, 0x08, 0x01, 0x06, 0x00, ...VECTOR, END];
/** f32x4.relaxed_madd of three vectors */
const RELAXED_MADD = [...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x85, 0x02];
const RELAXED_MODULE = [...HEADER, ...SIGNATURE, 0x0a, 0x13, 0x01, 0x11, 0x00, ...RELAXED_MADD, END];

/** What the engine we run in can compile. */
export function detectFeatures(): WasmFeatures {
  return {
    simd: WebAssembly.validate(new Uint8Array(SIMD_MODULE)),
    relaxedSimd: WebAssembly.validate(new Uint8Array(RELAXED_MODULE)),
  };
}

/** The modules lie beside the compiled loader; where the sources themselves are run (tests), in dist/ all the same. */
const FOLDER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/kernels/wasm/' : './',
  import.meta.url,
);

/** Compiled modules by file name: once a process for each thread, and V8 shares the machine code among those. */
const compiled = new Map<string, WebAssembly.Module>();

/**
 * The kernels of a dtype on a memory. Overwrites the memory's first RESERVED_BYTES (arena.ts).
 * Throws MlpError(unavailable) where there is no SIMD, or relaxed SIMD is asked for and not there.
 */
export function loadKernels(
  dtype: DType,
  relaxed: boolean,
  memory: WebAssembly.Memory,
  features: WasmFeatures = detectFeatures(),
): WasmExports {
  if (!features.simd || (relaxed && !features.relaxedSimd)) {
    throw new MlpError(
      ExitCode.unavailable,
      `backend "wasm": found an engine without WebAssembly ${features.simd ? 'relaxed ' : ''}SIMD, expected one that has it`,
      features.simd
        ? 'take the build without relaxed SIMD'
        : 'take --backend reference, or a CPU and a Node with SIMD',
    );
  }
  const module = compile(`${dtype}${relaxed ? '-relaxed' : ''}.wasm`);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports as unknown as WasmExports;
}

function compile(name: string): WebAssembly.Module {
  let module = compiled.get(name);
  if (!module) {
    module = new WebAssembly.Module(read(new URL(name, FOLDER)));
    compiled.set(name, module);
  }
  return module;
}

function read(url: URL): Uint8Array<ArrayBuffer> {
  try {
    return readFileSync(url);
  } catch (error) {
    throw readError(url.pathname, error);
  }
}
