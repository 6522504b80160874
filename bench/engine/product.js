/** Matrix products by the engine's kernels, without a network around them: what a step could reach at best. */
import { Arena, ArenaPlan } from '../../dist/kernels/arena.js';
import { createKernels, kernelScratch } from '../../dist/kernels/create.js';

/** Takes the tensors of a product, the same in every thread; `allocator` may be a plan that only counts. */
function takeTensors({ choice, threads }, { m, n, k }, allocator) {
  const scratch = allocator.block(kernelScratch(choice, threads));
  const [a, b, c] = [m * k, k * n, m * n].map((elements) => allocator.tensor(1, elements));
  return { scratch, a, b, c };
}

/** The memory for a product by `setup.threads` threads. */
export function productMemory(setup, task) {
  const plan = new ArenaPlan(task.dtype);
  takeTensors(setup, task, plan);
  return Arena.ofSize(task.dtype, plan.bytes).memory;
}

/**
 * One thread's part of the product, as a function that computes it so many times. The parts depend on nothing but the operands,
 * so the threads need not meet between two products.
 *
 * @param setup { choice, threads }
 * @param task { dtype, form, m, n, k }; form is NN, TN or NT, NN if left out
 */
export function prepareProduct(setup, task, memory, rank) {
  const { dtype, form = 'NN', m, n, k } = task;
  const { scratch, a, b, c } = takeTensors(setup, task, new Arena(dtype, memory));
  const share = { rank, size: setup.threads, sync() {} };
  const kernels = createKernels(setup.choice, dtype, memory, scratch, share);
  a.data.fill(1.5);
  b.data.fill(-0.5);
  return (calls) => {
    for (let i = 0; i < calls; i++) kernels.gemm(form, m, n, k, a, b, 0, c);
  };
}
