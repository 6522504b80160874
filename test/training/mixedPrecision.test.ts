/** "mixedPrecision": "bfloat16": what a run does where the processor has it, and what is said where it has not. */
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { Arena, ArenaPlan } from '../../src/kernels/arena.js';
import { createKernels, kernelScratch } from '../../src/kernels/create.js';
import { bfloat16Missing, findNative } from '../../src/kernels/native/find.js';
import { bfloat16Product } from '../../src/kernels/reference/bfloat16.js';
import { alone } from '../../src/kernels/share.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { chooseAgain, chooseBackend } from '../../src/training/engine/backend.js';
import { type EngineState, LocalEngine } from '../../src/training/engine/engine.js';
import { reproduce, resume, train } from '../../src/training/train.js';
import { rejection } from '../data/files.js';
import { errorOf } from '../spec/support.js';
import { folderOf } from '../support/cli.js';
import { specOf } from '../support/networks.js';
import { csvOf, prepare, resultOf, startTeam, trainSteps } from '../support/runs.js';

afterEach(() => vi.unstubAllEnvs());

const machine = { arch: process.arch, env: {} };
const search = findNative(machine);
const missing = bfloat16Missing(search, machine);
const where = missing === undefined ? '' : ` (skipped: ${missing})`;
const FLOAT32 = { backend: 'native', relaxed: false, set: 'avx512' } as const;
const BFLOAT16 = { ...FLOAT32, bfloat16: true } as const;

const network = { layers: [131, 'relu', { type: 'dropout', rate: 0.2 }, 67, 'silu', 3] };
const training = { steps: 6, batchSize: 33, optimizer: { type: 'adam', learningRate: 0.01 } };
const mixed = { network, training, mixedPrecision: 'bfloat16' };

describe.skipIf(missing !== undefined)(`a run with products of bfloat16${where}`, () => {
  it('leaves the same bits for 1 to 4 threads, other ones than float32', async () => {
    const problem = await prepare(mixed);
    const outcome = async (choice: typeof FLOAT32, threads: number) =>
      resultOf(await startTeam(problem, choice, threads), problem, problem.plan.steps);
    const results = [1, 2, 4].map((threads) => outcome(BFLOAT16, threads));
    expect(new Set(await Promise.all(results)).size).toBe(1);
    expect(await outcome(FLOAT32, 1)).not.toBe(await results[0]);
  });

  it('loses as float32 does, to three digits, and evaluates with the bits of float32', async () => {
    const problem = await prepare(mixed);
    const start = (choice: typeof FLOAT32, state?: EngineState) =>
      LocalEngine.start({ config: problem.config, plan: problem.plan, choice }, problem.dataset, state);
    const [rounded, exact] = [start(BFLOAT16), start(FLOAT32)];
    const expected = await trainSteps(exact, problem, 6);
    expect(await trainSteps(rounded, problem, 6)).toBeAllclose(expected, { relative: 1e-2 });
    const again = start(FLOAT32, await rounded.state());
    expect(await rounded.evaluate()).toEqual(await again.evaluate());
    for (const engine of [rounded, exact, again]) await engine.close();
  });

  it('rounds the inputs of products that are large in each direction, once it is told so', () => {
    const take = (from: Arena | ArenaPlan) => ({
      tensors: [from.tensor(128, 128), from.tensor(128, 128), from.tensor(128, 128)],
      scratch: from.block(kernelScratch(BFLOAT16, 1)),
    });
    const plan = new ArenaPlan('float32');
    take(plan);
    const arena = Arena.ofSize('float32', plan.bytes);
    const { tensors, scratch } = take(arena);
    const [a, b, c] = tensors;
    for (const { data } of [a, b]) for (let i = 0; i < data.length; i++) data[i] = Math.sin(i * i);
    const kernels = createKernels(BFLOAT16, 'float32', arena.memory, scratch, alone);
    const isRounded = ([m, n, k]: readonly number[], rounds: boolean) => {
      kernels.roundInputs?.(rounds);
      kernels.gemm('NN', m, n, k, a, b, 0, c);
      const found = c.data.slice(0, m * n);
      bfloat16Product.gemm('NN', m, n, k, a, b, 0, c);
      return c.data.slice(0, m * n).every((x, i) => Object.is(x, found[i]));
    };
    // What a step begins with, and what it leaves.
    for (const rounds of [true, false]) expect(isRounded([32, 32, 32], rounds)).toBe(rounds);
    expect(isRounded([16, 128, 128], true)).toBe(true);
    for (const sizes of [
      [32, 31, 32],
      [15, 128, 128],
      [128, 15, 128],
    ]) {
      expect(isRounded(sizes, true)).toBe(false);
    }
  });

  it('can be repeated and resumed where the processor has it, and is refused elsewhere', async () => {
    const folder = folderOf({
      'config.json': { ...mixed, data: { train: 'data.csv', target: 'y' }, threads: 1 },
      'data.csv': csvOf(131, 7, 'classes'),
    });
    const directory = join(folder, 'run');
    const config = (set: string[]) => loadTrainConfig(join(folder, 'config.json'), set);
    const { model } = await train(config([]), { directory });
    expect(await reproduce(directory)).toEqual({
      status: 'equal',
      expected: model.sha256,
      found: model.sha256,
    });
    const longer = config(['training.steps=9']);
    const whole = await train(longer);
    expect((await resume(longer, directory, { mayExtend: true })).model.sha256).toBe(whole.model.sha256);

    vi.stubEnv('MLP_NATIVE', 'avx2');
    const found = await reproduce(directory);
    expect(found.difference).toEqual({
      what: 'mixedPrecision',
      found: 'none: MLP_NATIVE=avx2 has no bfloat16',
      expected: 'bfloat16',
    });
    const error = await rejection(resume(longer, directory));
    expect([error.exitCode, error.message]).toEqual([
      ExitCode.unavailable,
      expect.stringMatching(
        /^mixedPrecision "bfloat16": MLP_NATIVE=avx2 has no bfloat16, expected AVX512-BF16/,
      ),
    ]);
  });
});

describe('a machine without bfloat16', () => {
  const plan = { network: specOf({ layers: [3] }), inputs: 1, batchSize: 1 };
  const asked = { backend: 'auto', deterministic: false, mixedPrecision: 'bfloat16' } as const;
  const without = (arch: string, MLP_NATIVE: string) => {
    const { env, ...rest } = { ...machine, platform: process.platform, home: '/', list: () => [] };
    return { ...rest, arch, env: { ...env, MLP_NATIVE } };
  };

  it.each([
    ['x64', '0', true, 'MLP_NATIVE=0 turns it off'],
    ['riscv64', '1', true, 'found a processor of kind riscv64, expected x64 or arm64'],
    ['x64', '1', false, 'found an engine without WebAssembly SIMD'],
  ])('is refused, never float32 instead: %s, MLP_NATIVE=%s, SIMD %s', (arch, native, simd, reason) => {
    const features = { simd, relaxedSimd: simd };
    const error = errorOf(() => chooseBackend(asked, plan, without(arch, native), features));
    expect(error.exitCode).toBe(ExitCode.unavailable);
    expect(error.message).toContain(`mixedPrecision "bfloat16": ${reason}, expected AVX512-BF16`);
    expect(error.hint).toContain('leave mixedPrecision out');
    if (simd) {
      const again = errorOf(() => chooseAgain(asked, plan, without(arch, native), 'native'));
      expect(again.message).toBe(error.message);
    }
  });

  it('is one whose processor lacks it, or whose instructions are named', () => {
    expect(bfloat16Missing({ sets: ['avx512', 'avx2'] }, machine)).toBe(
      'found a processor without AVX512-BF16',
    );
    expect(bfloat16Missing({ sets: ['neon'] }, machine)).toBe('found a processor without AVX512-BF16');
    expect(bfloat16Missing({ sets: ['avx512'], bfloat16: true }, machine)).toBeUndefined();
  });
});
