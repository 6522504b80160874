import { describe, expect, it } from 'vitest';
import { RandomState } from '../../src/random/randomState.js';
import doubles from '../fixtures/numpy/random-doubles.json' with { type: 'json' };
import integers from '../fixtures/numpy/random-integers.json' with { type: 'json' };
import normals from '../fixtures/numpy/random-normals.json' with { type: 'json' };
import samples from '../fixtures/numpy/random-samples.json' with { type: 'json' };
import sequences from '../fixtures/numpy/random-sequences.json' with { type: 'json' };
import states from '../fixtures/numpy/random-state.json' with { type: 'json' };
import { ulpDistance } from '../support/ulp.js';

/** `count` draws of one method, in order. */
function drawn(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw);
}

describe('draws as numpy.random.RandomState', () => {
  it.each(doubles)('doubles of seed $seed are bit-equal', ({ seed, values }) => {
    const random = new RandomState(seed);
    expect(drawn(values.length, () => random.rand())).toEqual(values);
  });

  it.each(integers)(
    'integers in [$low, $high) of seed $seed are equal',
    ({ seed, low, high, values, next }) => {
      const random = new RandomState(seed);
      expect(drawn(values.length, () => random.randint(low, high))).toEqual(values);
      expect(random.rand()).toBe(next);
    },
  );

  it.each(normals)('normals of seed $seed are within 2 ulp', ({ seed, values }) => {
    const random = new RandomState(seed);
    const distances = values.map((expected) => ulpDistance(random.randn(), expected));
    expect(distances.every((distance) => distance <= 2)).toBe(true);
  });

  it.each(samples)('choice of $size from $n of seed $seed is equal', (sample) => {
    const { seed, n, size, withReplacement, without } = sample;
    const replacing = new RandomState(seed);
    expect([...replacing.choice(n, size)]).toEqual(withReplacement.values);
    expect(replacing.rand()).toBe(withReplacement.next);

    const drawing = new RandomState(seed);
    expect([...drawing.choice(n, size, false)]).toEqual(without.values);
    expect(drawing.rand()).toBe(without.next);
  });

  const permutations = samples.flatMap(({ seed, n, permutation }) =>
    permutation ? [{ seed, n, ...permutation }] : [],
  );
  it.each(permutations)('permutation of $n of seed $seed is equal', ({ seed, n, values, next }) => {
    const random = new RandomState(seed);
    expect([...random.permutation(n)]).toEqual(values);
    expect(random.rand()).toBe(next);
  });

  it.each(sequences)(
    'mixed calls of seed $seed are equal, the cached normal kept between them',
    (sequence) => {
      const random = new RandomState(sequence.seed);
      for (const [method, args, expected] of sequence.calls as [Method, never[], number | number[]][]) {
        const result = (random[method] as (...args: never[]) => number | Int32Array)(...args);
        if (typeof result !== 'number') expect([...result]).toEqual(expected);
        else if (method === 'randn') expect(ulpDistance(result, expected as number)).toBeLessThanOrEqual(2);
        else expect(result).toBe(expected);
      }
    },
  );
});

type Method = 'rand' | 'randn' | 'uniform' | 'randint' | 'permutation' | 'choice';

describe('drawing into an array', () => {
  it('randintInto takes the draws of choice with replacement', () => {
    const into = new RandomState(7);
    const chosen = new RandomState(7);
    const out = new Int32Array(20);
    for (const n of [1, 5, 1000, 2 ** 31]) {
      into.randintInto(out, n);
      expect(out).toEqual(chosen.choice(n, 20));
    }
    expect(into.rand()).toBe(chosen.rand());
  });

  it('permutationInto overwrites what the array held before, epoch after epoch', () => {
    const into = new RandomState(7);
    const fresh = new RandomState(7);
    const out = new Int32Array(33).fill(-1);
    for (let epoch = 0; epoch < 3; epoch++) {
      into.permutationInto(out);
      expect(out).toEqual(fresh.permutation(33));
    }
  });

  it('shuffle moves the elements as permutation moves the row numbers', () => {
    const labels = Int32Array.from([10, 11, 12, 13, 14, 15]);
    new RandomState(3).shuffle(labels);
    expect(labels).toEqual(new RandomState(3).permutation(6).map((row) => row + 10));
  });
});

describe('snapshots', () => {
  it.each(states)('are the words, position and cached normal of get_state()', (expected) => {
    const random = new RandomState(expected.seed);
    random.randn();
    for (let i = 0; i < 1000; i++) random.rand();
    const state = random.state();
    expect(state.words).toEqual(expected.words);
    expect(state.position).toBe(expected.position);
    expect(ulpDistance(state.cachedNormal ?? 0, expected.cachedNormal)).toBeLessThanOrEqual(2);
  });

  /** Some of everything, across several renewals of the state. */
  function draws(random: RandomState): unknown[] {
    return drawn(5, () => random.randn()).concat(
      random.rand(),
      ...random.permutation(1000),
      random.randint(0, 2 ** 50),
    );
  }

  it.each([0, 1, 2, 311, 312, 313, 1000])('restored after %i draws go on bit for bit', (count) => {
    const random = new RandomState(42);
    for (let i = 0; i < count; i++) random.rand();
    const restored = RandomState.fromState(random.state());
    expect(draws(restored)).toEqual(draws(random));
  });

  it('restored from JSON keep the cached normal', () => {
    const random = new RandomState(42);
    random.randn();
    const restored = RandomState.fromState(JSON.parse(JSON.stringify(random.state())));
    expect(draws(restored)).toEqual(draws(random));
  });

  it('are copies: neither generator moves the other', () => {
    const random = new RandomState(42);
    const snapshot = random.state();
    const first = draws(random);
    draws(RandomState.fromState(snapshot));
    expect(draws(RandomState.fromState(snapshot))).toEqual(first);
  });

  const good = new RandomState(0).state();
  it.each([
    ['too few words', { words: good.words.slice(1) }, 'number of state words: found 623'],
    ['a word past 32 bits', { words: [2 ** 32, ...good.words.slice(1)] }, 'state word: found 4294967296'],
    ['a fractional word', { words: [0.5, ...good.words.slice(1)] }, 'state word: found 0.5'],
    ['a position past the words', { position: 625 }, 'state position: found 625'],
    ['a cached normal that is not finite', { cachedNormal: Number.NaN }, 'cached normal: found NaN'],
  ])('with %s are refused', (_, wrong, message) => {
    expect(() => RandomState.fromState({ ...good, ...wrong })).toThrow(message);
  });
});

describe('arguments out of range', () => {
  it.each([-1, 2 ** 32, 0.5, Number.NaN])('refuses the seed %d', (seed) => {
    expect(() => new RandomState(seed)).toThrow(RangeError);
    expect(() => new RandomState(seed)).toThrow(
      `seed: found ${seed}, expected an integer from 0 to 4294967295`,
    );
  });

  const random = new RandomState(0);
  it.each<[string, () => unknown]>([
    ['an empty range', () => random.randint(3, 3)],
    ['a range wider than 2^53', () => random.randint(-2, 2 ** 53)],
    ['a fractional bound', () => random.randint(0, 2.5)],
    ['a range of infinite width', () => random.uniform(-1e308, 1e308)],
    ['a negative length', () => random.permutation(-1)],
    ['choice from nothing', () => random.choice(0, 1)],
    ['more choices than there are, without replacement', () => random.choice(3, 4, false)],
    ['a bound an Int32Array does not hold', () => random.randintInto(new Int32Array(1), 2 ** 31 + 1)],
  ])('refuses %s', (_, draw) => {
    expect(draw).toThrow(RangeError);
  });
});
