/** Some activations, factors, dropout and Adam by machine code, for one thread of a team, with the bits of the wasm kernels. */
import type {
  Activation,
  ActivationKernels,
  ElementwiseKernels,
  OptimizerKernels,
  Tensor,
} from '../kernels.js';
import { type Share, type Slice, Slices } from '../share.js';
import type { WasmKernels } from '../wasm/index.js';
import { elementwiseProgram, NATIVE_ACTIVATIONS } from './elementwiseCode.js';
import { openCode } from './executable.js';
import { ADAM, DROPOUT, JOB_INTEGERS, SCALE } from './jobs.js';
import type { X86Set } from './x86Set.js';

/** With fewer elements a call costs more than it saves. */
const LEAST_ELEMENTS = 1024;
const BYTES = 4;
/** In scratch: a job and the end, the sums of Adam, and elements that are no whole vectors. */
const SUMS_OFFSET = 128;
const REST_OFFSET = 256;
const REST_VECTORS = 8;
/** Behind them: what takes the place of a missing bias. */
const BIAS_OFFSET = 1024;
const MOST_COLUMNS = 4096;
/** Of a counter of random numbers: a group of dropout has as many vectors. */
const WORDS = 4;

type Wide = ActivationKernels &
  Pick<ElementwiseKernels, 'dropout' | 'scale' | 'scaleColumns' | 'scaleColumnsBackward'> &
  OptimizerKernels;

/**
 * @param kernels of float32, with the same share
 * @param base address of the memory in the process
 * @param scratch address of 17 KB of this thread's own in the buffer, aligned to 64
 */
export function wideElementwise(
  kernels: WasmKernels,
  set: X86Set,
  buffer: ArrayBufferLike,
  base: number,
  scratch: number,
  share: Share,
): Wide {
  const slices = new Slices(share, BYTES);
  const { program, run } = openCode(`${set} elementwise`, () =>
    elementwiseProgram(set, process.platform === 'win32'),
  );
  const { lanes } = program;
  const fields = new Uint32Array(buffer, scratch, 2 * JOB_INTEGERS);
  const numbers = new Float32Array(buffer, scratch, JOB_INTEGERS);
  const sums = new Float32Array(buffer, scratch + SUMS_OFFSET, lanes);
  const rest = new Float32Array(buffer, scratch + REST_OFFSET, REST_VECTORS * lanes);
  const noBias: Tensor = {
    rows: 1,
    columns: MOST_COLUMNS,
    address: scratch + BIAS_OFFSET,
    data: new Float32Array(buffer, scratch + BIAS_OFFSET, MOST_COLUMNS),
  };

  /** Runs a routine with its fields in their order (jobs.ts). */
  function call(routine: string, ...job: readonly number[]): void {
    fields[0] = program.offsetOf(routine);
    for (let i = 0; i < job.length; i++) fields[1 + i] = job[i];
    fields[JOB_INTEGERS] = program.offsetOf('return');
    run(base, base + scratch);
  }

  const isWide = (rows: number, { columns }: Tensor) =>
    rows * columns >= LEAST_ELEMENTS && columns % lanes === 0;
  const isActivated = (f: Activation, rows: number, x: Tensor, bias: Tensor | null) =>
    hasCode(f.type) && isWide(rows, x) && (bias !== null || x.columns <= MOST_COLUMNS);
  const hasCode = (type: string) => (NATIVE_ACTIVATIONS as readonly string[]).includes(type);

  /** Rows of this thread. */
  function forward(
    routine: string,
    rows: number,
    x: Tensor,
    bias: Tensor | null,
    slope: Tensor | null,
    y: Tensor,
  ): void {
    // x + −0 has the bits of x, also where that is −0.
    if (!bias) noBias.data.fill(-0, 0, x.columns);
    const { length, offset } = slices.rows(rows, x.columns);
    if (length > 0) {
      const [from, to, vectors] = [x.address + offset, y.address + offset, x.columns / lanes];
      call(routine, from, to, 0, (bias ?? noBias).address, slope ? slope.address : 0, 0, length, vectors, 0);
    }
    share.sync();
  }

  /** Columns of this thread. */
  function backward(
    routine: string,
    rows: number,
    x: Tensor,
    slope: Tensor | null,
    dY: Tensor,
    dX: Tensor | null,
    dBias: Tensor,
    dSlope: Tensor | null,
  ): void {
    const { start, length, offset } = slices.elements(x.columns);
    dBias.data.fill(0, start, start + length);
    dSlope?.data.fill(0, start, start + length);
    const at = (tensor: Tensor | null) => (tensor ? tensor.address + offset : 0);
    const behindRow = (x.columns - length) * BYTES;
    if (rows > 0 && length > 0) {
      const vectors = length / lanes;
      call(routine, at(x), at(dY), at(dX), at(dBias), at(slope), at(dSlope), rows, vectors, behindRow);
    }
    share.sync();
  }

  /**
   * Calls `step` for the groups of vectors in some elements of the tensors, with their addresses, and once more for the
   * elements that are left, in a copy with zeros behind them.
   */
  function inGroups(
    vectors: number,
    { start, length, offset }: Slice,
    tensors: readonly Tensor[],
    step: (groups: number, first: number, addresses: readonly number[]) => void,
  ): void {
    const size = vectors * lanes;
    const end = start + length;
    const first = end - (length % size);
    if (first > start)
      step(
        (first - start) / size,
        start,
        tensors.map(({ address }) => address + offset),
      );
    if (first === end) return;
    rest.fill(0);
    for (const [i, { data }] of tensors.entries()) rest.set(data.subarray(first, end), i * size);
    step(
      1,
      first,
      tensors.map((_, i) => scratch + REST_OFFSET + i * size * BYTES),
    );
    for (const [i, { data }] of tensors.entries())
      data.set(rest.subarray(i * size, i * size + end - first), first);
  }

  return {
    biasActivation(f, rows, x, bias, y) {
      if (!bias || f.type !== 'relu' || !isWide(rows, x)) kernels.biasActivation(f, rows, x, bias, y);
      else forward('relu', rows, x, bias, null, y);
    },

    biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
      if (!dBias || f.type !== 'relu' || !isWide(rows, y)) {
        kernels.biasActivationBackward(f, rows, x, y, dY, dX, dBias);
      } else backward('reluBackward', rows, y, null, dY, dX, dBias, null);
    },

    parametricActivation(f, rows, x, bias, slope, y) {
      if (!isActivated(f, rows, x, bias)) {
        kernels.parametricActivation(f, rows, x, bias, slope, y);
      } else forward(`forward:${f.type}`, rows, x, bias, slope, y);
    },

    parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope) {
      if (!isActivated(f, rows, h, dBias)) {
        kernels.parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope);
      } else backward(`backward:${f.type}`, rows, h, slope, dY, dX, dBias ?? noBias, dSlope);
    },

    optimizerStep(formula, count, scalars, parameters, gradients, state) {
      const [mean, square] = state;
      if (formula.name !== 'adam' || !mean || !square || count < LEAST_ELEMENTS) {
        return kernels.optimizerStep(formula, count, scalars, parameters, gradients, state);
      }
      const [rate, beta1, beta2, epsilon, correction1, correction2] = scalars;
      numbers.set(
        [rate / correction1, beta1, 1 - beta1, beta2, 1 - beta2, 1 / correction2, epsilon],
        ADAM.scalars,
      );
      const slice = slices.elements(count);
      const { start, length } = slice;
      let areFinite = true;
      inGroups(1, slice, [parameters, gradients, mean, square], (vectors, _, addresses) => {
        call('adam', ...addresses, scratch + SUMS_OFFSET, vectors);
        areFinite &&= sums.every(Number.isFinite);
      });
      // A sum that is not finite may have overflowed.
      areFinite ||= parameters.data.subarray(start, start + length).every(Number.isFinite);
      kernels.partials.set(share.rank, areFinite ? 1 : 0);
      return kernels.partials.total(share.size) === share.size;
    },

    scale(count, factor, x) {
      if (count < LEAST_ELEMENTS) {
        kernels.scale(count, factor, x);
        return;
      }
      numbers[SCALE.factor] = factor;
      inGroups(1, slices.elements(count), [x], (vectors, _, [address]) => call('scale', address, vectors));
      share.sync();
    },

    scaleColumns(rows, factors, x, out) {
      if (isWide(rows, x)) forward('scaleColumns', rows, x, factors, null, out);
      else kernels.scaleColumns(rows, factors, x, out);
    },

    scaleColumnsBackward(rows, factors, x, dY, dX, dFactors) {
      if (!isWide(rows, x)) kernels.scaleColumnsBackward(rows, factors, x, dY, dX, dFactors);
      else if (dX) backward('scaleColumnsBackward', rows, x, factors, dY, dX, dFactors, null);
      else backward('scaleColumnsSums', rows, x, factors, dY, null, dFactors, null);
    },

    dropout(rows, draw, x, out) {
      if (rows * x.columns < LEAST_ELEMENTS) {
        kernels.dropout(rows, draw, x, out);
        return;
      }
      const { rate, seed, layer, step } = draw;
      numbers[DROPOUT.scale] = 1 / (1 - rate);
      const threshold = Math.floor(rate * 2 ** 32);
      const [stepLow, stepHigh] = [step % 2 ** 32, Math.floor(step / 2 ** 32)];
      inGroups(WORDS, slices.elements(rows * x.columns), [x, out], (groups, first, addresses) => {
        call('dropout', ...addresses, groups, first / WORDS, stepLow, stepHigh, seed, layer, threshold);
      });
      share.sync();
    },
  };
}
