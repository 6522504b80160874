/** The steps of the optimisers: a slice of the block for each thread, and one answer for all. */
import type { OptimizerKernels, Tensor } from '../kernels.js';
import type { WasmThread } from './loader.js';

const MAX_SCALARS = 8;

export function optimizers({ wasm, share, slices, partials, scratch, memory }: WasmThread): OptimizerKernels {
  const numbers = new Float64Array(memory.buffer, scratch, MAX_SCALARS);
  const addressOf = (state: Tensor | null | undefined, offset: number) =>
    state ? state.address + offset : 0;
  return {
    optimizerStep({ name }, count, scalars, parameters, gradients, state) {
      const { length, offset } = slices.elements(count);
      for (let i = 0; i < scalars.length; i++) numbers[i] = scalars[i];
      const p = parameters.address + offset;
      const finite = wasm[name](
        length,
        scratch,
        p,
        gradients.address + offset,
        addressOf(state[0], offset),
        addressOf(state[1], offset),
        addressOf(state[2], offset),
      );
      // 1: our parameters are finite for certain; 0: look at each of them.
      partials.set(share.rank, finite || wasm.areFinite(length, p));
      return partials.total(share.size) === share.size;
    },
  };
}
