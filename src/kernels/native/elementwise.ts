/** Parametric activations and dropout by machine code, for one thread of a team, with the bits of the wasm kernels. */
import type { ActivationKernels, ElementwiseKernels, Kernels, Tensor } from '../kernels.js';
import { type Share, Slices } from '../share.js';
import { place, systemMemory } from './executable.js';
import {
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
/** One job, and its end; then a group of dropout that is no whole one. */
const GROUP_OFFSET = 256;
const WORDS = 4;

type Wide = Pick<ActivationKernels, 'parametricActivation' | 'parametricActivationBackward'> &
  Pick<ElementwiseKernels, 'dropout'>;

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
  kernels: Kernels,
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

  return {
    parametricActivation(f, rows, x, bias, slope, y) {
      const { type } = f;
      if (!bias || !isWide(type, rows, x)) {
        kernels.parametricActivation(f, rows, x, bias, slope, y);
        return;
      }
      const { length, offset } = slices.rows(rows, x.columns);
      fields[0] = program.forward[type];
      fields[BLEND.x] = x.address + offset;
      fields[BLEND.rows] = length;
      fields[BLEND.rowBytes] = x.columns * BYTES;
      fields[BLEND.vectors] = x.columns / lanes;
      fields[BLEND.slope] = slope.address;
      fields[BLEND.bias] = bias.address;
      fields[BLEND.y] = y.address + offset;
      if (length > 0) run(base, base + scratch);
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
      fields[BLEND.x] = h.address + offset;
      fields[BLEND.rows] = rows;
      fields[BLEND.rowBytes] = h.columns * BYTES;
      fields[BLEND.vectors] = length / lanes;
      fields[BLEND.slope] = slope.address + offset;
      fields[BLEND.bias] = dBias.address + offset;
      fields[BLEND.y] = dY.address + offset;
      fields[BLEND.dX] = dX.address + offset;
      fields[BLEND.dSlope] = dSlope.address + offset;
      if (length > 0) run(base, base + scratch);
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
