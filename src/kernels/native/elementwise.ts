/** Some activations, dropout and Adam by machine code, for one thread of a team, with the bits of the wasm kernels. */
import type { ActivationKernels, ElementwiseKernels, OptimizerKernels, Tensor } from '../kernels.js';
import { type Share, Slices } from '../share.js';
import type { WasmKernels } from '../wasm/index.js';
import { place, systemMemory } from './executable.js';
import {
  ADAM,
  BLEND,
  DROPOUT,
  type ElementwiseProgram,
  NATIVE_ACTIVATIONS,
  type NativeActivation,
  x86Elementwise,
} from './x86Elementwise.js';
import type { X86Set } from './x86Program.js';

/** With fewer elements a call costs more than it saves. */
const LEAST_ELEMENTS = 1024;
const BYTES = 4;
/** One job, and the sums of Adam; then a group of dropout, or vectors of Adam, that are no whole ones. */
const GROUP_OFFSET = 256;
const SUMS_OFFSET = 128;
const WORDS = 4;

type Wide = ActivationKernels & Pick<ElementwiseKernels, 'dropout'> & OptimizerKernels;

interface Opened {
  readonly program: ElementwiseProgram;
  readonly run: (memory: number, jobs: number) => void;
}
const opened = new Map<X86Set, Opened>();

/** Writes the code once per thread. @throws Error if the code may no longer run */
function open(set: X86Set): Opened {
  let found = opened.get(set);
  if (!found) {
    const memory = systemMemory();
    const program = x86Elementwise(set, process.platform === 'win32');
    found = { program, run: memory.bind(place(program.code, memory)) };
    opened.set(set, found);
  }
  return found;
}

/**
 * @param kernels of float32, with the same share
 * @param base address of the memory in the process
 * @param scratch address of 512 bytes of this thread's own in the buffer, aligned to 64
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
  const fields = new Uint32Array(buffer, scratch, GROUP_OFFSET / BYTES);
  const numbers = new Float32Array(buffer, scratch, GROUP_OFFSET / BYTES);
  const { program, run } = open(set);
  const { lanes } = program;
  const group = WORDS * lanes;
  const rest = new Float32Array(buffer, scratch + GROUP_OFFSET, group);
  const isWide = (type: string, rows: number, { columns }: Tensor): type is NativeActivation =>
    rows * columns >= LEAST_ELEMENTS &&
    columns % lanes === 0 &&
    (NATIVE_ACTIVATIONS as readonly string[]).includes(type);

  const sums = new Float32Array(buffer, scratch + SUMS_OFFSET, lanes);
  const call = (x: number, rows: number, columns: number, length: number, bias: number, y: number): void => {
    fields[BLEND.x] = x;
    fields[BLEND.rows] = rows;
    fields[BLEND.rowBytes] = columns * BYTES;
    fields[BLEND.vectors] = length / lanes;
    fields[BLEND.bias] = bias;
    fields[BLEND.y] = y;
    if (rows > 0 && length > 0) run(base, base + scratch);
  };

  return {
    biasActivation(f, rows, x, bias, y) {
      const { columns } = x;
      if (!bias || f.type !== 'relu' || rows * columns < LEAST_ELEMENTS || columns % lanes !== 0) {
        kernels.biasActivation(f, rows, x, bias, y);
        return;
      }
      const { length, offset } = slices.rows(rows, columns);
      fields[0] = program.relu;
      call(x.address + offset, length, columns, columns, bias.address, y.address + offset);
      share.sync();
    },

    biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
      const { columns } = y;
      if (!dBias || f.type !== 'relu' || rows * columns < LEAST_ELEMENTS || columns % lanes !== 0) {
        kernels.biasActivationBackward(f, rows, x, y, dY, dX, dBias);
        return;
      }
      const { start, length, offset } = slices.elements(columns);
      dBias.data.fill(0, start, start + length);
      fields[0] = program.reluBackward;
      fields[BLEND.dX] = dX.address + offset;
      call(y.address + offset, rows, columns, length, dBias.address + offset, dY.address + offset);
      share.sync();
    },

    optimizerStep(formula, count, scalars, parameters, gradients, state) {
      const [mean, square] = state;
      if (formula.name !== 'adam' || !mean || !square || count < LEAST_ELEMENTS) {
        return kernels.optimizerStep(formula, count, scalars, parameters, gradients, state);
      }
      const tensors = [parameters, gradients, mean, square];
      const { start, length, offset } = slices.elements(count);
      const [rate, beta1, beta2, epsilon, correction1, correction2] = scalars;
      fields[0] = program.adam;
      fields[ADAM.sums] = scratch + SUMS_OFFSET;
      numbers.set(
        [rate / correction1, beta1, 1 - beta1, beta2, 1 - beta2, 1 / correction2, epsilon],
        ADAM.scalars,
      );
      let areFinite = true;
      const step = (vectors: number, addressOf: (i: number) => number) => {
        for (let i = 0; i < WORDS; i++) fields[ADAM.parameters + i] = addressOf(i);
        fields[ADAM.vectors] = vectors;
        if (vectors > 0) run(base, base + scratch);
        areFinite &&= vectors === 0 || sums.every(Number.isFinite);
      };
      const whole = length - (length % lanes);
      step(whole / lanes, (i) => tensors[i].address + offset);
      if (whole < length) {
        const [first, end] = [start + whole, start + length];
        rest.fill(0);
        for (const [i, { data }] of tensors.entries()) rest.set(data.subarray(first, end), i * lanes);
        step(1, (i) => scratch + GROUP_OFFSET + i * lanes * BYTES);
        for (const [i, { data }] of tensors.entries()) {
          data.set(rest.subarray(i * lanes, i * lanes + end - first), first);
        }
      }
      // A sum that is not finite may have overflowed.
      areFinite ||= parameters.data.subarray(start, start + length).every(Number.isFinite);
      kernels.partials.set(share.rank, areFinite ? 1 : 0);
      return kernels.partials.total(share.size) === share.size;
    },

    parametricActivation(f, rows, x, bias, slope, y) {
      const { type } = f;
      if (!bias || !isWide(type, rows, x)) {
        kernels.parametricActivation(f, rows, x, bias, slope, y);
        return;
      }
      const { length, offset } = slices.rows(rows, x.columns);
      fields[0] = program.forward[type];
      fields[BLEND.slope] = slope.address;
      call(x.address + offset, length, x.columns, x.columns, bias.address, y.address + offset);
      share.sync();
    },

    parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope) {
      const { type } = f;
      if (!dBias || !isWide(type, rows, h)) {
        kernels.parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope);
        return;
      }
      const { length, offset } = slices.elements(h.columns);
      fields[0] = program.backward[type];
      fields[BLEND.slope] = slope.address + offset;
      fields[BLEND.dX] = dX.address + offset;
      fields[BLEND.dSlope] = dSlope.address + offset;
      call(h.address + offset, rows, h.columns, length, dBias.address + offset, dY.address + offset);
      share.sync();
    },

    dropout(rows, draw, x, out) {
      if (rows * x.columns < LEAST_ELEMENTS) {
        kernels.dropout(rows, draw, x, out);
        return;
      }
      const { start, length, offset } = slices.elements(rows * x.columns);
      const { rate, seed, layer, step } = draw;
      fields[0] = program.dropout;
      fields[DROPOUT.stepLow] = step % 2 ** 32;
      fields[DROPOUT.stepHigh] = Math.floor(step / 2 ** 32);
      fields[DROPOUT.seed] = seed;
      fields[DROPOUT.layer] = layer;
      fields[DROPOUT.threshold] = Math.floor(rate * 2 ** 32);
      numbers[DROPOUT.scale] = 1 / (1 - rate);
      const dropGroups = (from: number, to: number, groups: number, block: number) => {
        fields[DROPOUT.x] = from;
        fields[DROPOUT.out] = to;
        fields[DROPOUT.groups] = groups;
        fields[DROPOUT.block] = block;
        if (groups > 0) run(base, base + scratch);
      };
      const whole = length - (length % group);
      dropGroups(x.address + offset, out.address + offset, whole / group, start / WORDS);
      if (whole < length) {
        const [first, end] = [start + whole, start + length];
        rest.set(x.data.subarray(first, end));
        const at = scratch + GROUP_OFFSET;
        dropGroups(at, at, 1, first / WORDS);
        out.data.set(rest.subarray(0, length - whole), first);
      }
      share.sync();
    },
  };
}
