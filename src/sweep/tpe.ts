/**
 * The tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for Hyper-Parameter
 * Optimization"; Watanabe 2023, "Tree-Structured Parzen Estimator"). The trials are split into a good
 * and a bad part. A density over points is fitted to each, l to the good and g to the bad; of some
 * points drawn from l, the one with the largest l/g is taken.
 *
 * A density is a mixture of one component per trial and of the prior. A component is a product over
 * the parameters (the multivariate form), so that settings that go together stay together. Where a
 * trial lacks a parameter, its component has the prior's factor: conditional spaces need nothing else.
 */
import { erf } from '../kernels/activations.js';
import type { RandomState } from '../random/randomState.js';
import { type Distribution, fromScale, type Numeric, scaleOf, toScale } from './distribution.js';
import type { Observation } from './observation.js';
import type { Parameter, Point, Space } from './space.js';

/** How many points are drawn from l. */
const CANDIDATES = 24;

/**
 * A point that is likely to be good.
 * @param isFree points for which it is false are not taken
 * @returns undefined if none of the points that were drawn is free
 */
export function suggestByTpe(
  space: Space,
  history: readonly Observation[],
  random: RandomState,
  isFree: (point: Point) => boolean,
): Point | undefined {
  const { good, bad } = split(history);
  const l = new Density(
    space,
    good,
    good.map((_, i) => rankWeight(i, good.length)),
  );
  const g = new Density(
    space,
    bad,
    bad.map(() => 1),
  );
  let best: { readonly point: Point; readonly score: number } | undefined;
  for (let i = 0; i < CANDIDATES; i++) {
    const point = l.draw(random);
    const score = l.logAt(point) - g.logAt(point);
    if ((best === undefined || score > best.score) && isFree(point)) best = { point, score };
  }
  return best?.point;
}

/** The share of the trials that is good, and how many at most. Optuna's tenth, without weights, does worse. */
const GOOD = 0.2;
const MOST_GOOD = 25;

/**
 * The points of the best trials, best first, and all others. A failed trial is never good, and a
 * pending one counts as bad until it ends ("constant liar"), so that trials at once differ.
 */
function split(history: readonly Observation[]): { good: Point[]; bad: Point[] } {
  const ended = history.filter(({ state }) => state !== 'pending').sort(byResult);
  const usable = ended.filter(({ state }) => state !== 'failed').length;
  const count = Math.min(Math.ceil(GOOD * ended.length), MOST_GOOD, usable);
  const pending = history.filter(({ state }) => state === 'pending');
  const pointOf = ({ point }: Observation) => point;
  return {
    good: ended.slice(0, count).map(pointOf),
    bad: [...ended.slice(count), ...pending].map(pointOf),
  };
}

const ORDER = { complete: 0, stopped: 1, failed: 2, pending: 3 };

/** Complete trials first; of stopped ones, those that came further. */
function byResult(a: Observation, b: Observation): number {
  if (a.state !== b.state) return ORDER[a.state] - ORDER[b.state];
  const byEpoch = a.state === 'stopped' ? (b.epoch ?? 0) - (a.epoch ?? 0) : 0;
  return byEpoch || (a.value ?? 0) - (b.value ?? 0) || a.trial - b.trial;
}

/**
 * Falls from 2 to 0 over the good trials, 1 on average, as the weights of expected improvement
 * (Watanabe 2023) but free of the scale of the values.
 * @param i from 0 for the best trial
 */
function rankWeight(i: number, count: number): number {
  return (2 * (count - i)) / (count + 1);
}

/** A mixture of products: component i has a factor for each parameter, the last one is the prior. */
class Density {
  readonly #space: Space;
  readonly #weights: readonly number[];
  readonly #logWeights: readonly number[];
  readonly #factors: ReadonlyMap<string, readonly Factor[]>;

  constructor(space: Space, points: readonly Point[], weights: readonly number[]) {
    const all = [...weights, 1];
    const total = all.reduce((sum, weight) => sum + weight);
    this.#space = space;
    this.#weights = all.map((weight) => weight / total);
    this.#logWeights = this.#weights.map(Math.log);
    this.#factors = new Map(
      space.parameters.map(({ name, distribution }) => [
        name,
        factorsFor(
          distribution,
          points.map((point) => point[name]),
        ),
      ]),
    );
  }

  draw(random: RandomState): Point {
    const component = drawIndex(this.#weights, random);
    return this.#space.point((parameter) => this.#factor(parameter, component).draw(random));
  }

  /** The logarithm of the density at a point, up to a term that is the same for all densities. */
  logAt(point: Point): number {
    const logs = this.#logWeights.slice();
    for (const { name, distribution } of this.#space.parameters) {
      const value = point[name];
      if (value === undefined) continue;
      const place = distribution.kind === 'categorical' ? value : toScale(distribution, value);
      const factors = this.#factors.get(name) as readonly Factor[];
      for (let i = 0; i < logs.length; i++) logs[i] += factors[i].logAt(place);
    }
    const largest = Math.max(...logs);
    return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
  }

  #factor({ name }: Parameter, component: number): Factor {
    return (this.#factors.get(name) as readonly Factor[])[component];
  }
}

/** The distribution of one parameter in one component. */
interface Factor {
  draw(random: RandomState): number;
  /** @param place on the scale of a number, the index of a category */
  logAt(place: number): number;
}

/** The factors for the values of the trials, undefined where a trial lacks the parameter, and the prior's. */
function factorsFor(distribution: Distribution, values: readonly (number | undefined)[]): Factor[] {
  const known = values.filter((value) => value !== undefined);
  if (distribution.kind === 'categorical') {
    const { length: count } = distribution.labels;
    const prior = categorical(Array(count).fill(1 / count));
    // All components together have the weight 1 for what they have not seen.
    const unseen = 1 / (known.length + 1);
    const seen = distribution.labels.map((_, index) =>
      categorical(distribution.labels.map((_, i) => (unseen + (i === index ? 1 : 0)) / (1 + count * unseen))),
    );
    return [...values.map((value) => (value === undefined ? prior : seen[value])), prior];
  }
  const [low, high] = scaleOf(distribution);
  const prior = normal(distribution, (low + high) / 2, high - low);
  const means = known.map((value) => toScale(distribution, value));
  const deviations = deviationsOf(means, low, high);
  let next = 0;
  const factors = values.map((value) => {
    if (value === undefined) return prior;
    const i = next++;
    return normal(distribution, means[i], deviations[i]);
  });
  return [...factors, prior];
}

/**
 * The standard deviation of each component: the distance to the farther neighbour, but at least the
 * range over 1 + the number of components ("magic clip"; Bergstra et al. 2011, section 4.2).
 */
function deviationsOf(means: readonly number[], low: number, high: number): number[] {
  const range = high - low;
  const least = range / Math.min(100, means.length + 2);
  const order = means.map((_, i) => i).sort((a, b) => means[a] - means[b]);
  const deviations: number[] = Array(means.length);
  for (const [place, i] of order.entries()) {
    const isAlone = means.length === 1;
    const left = means[order[place - 1]] ?? (isAlone ? low : means[i]);
    const right = means[order[place + 1]] ?? (isAlone ? high : means[i]);
    const farther = Math.max(means[i] - left, right - means[i]);
    deviations[i] = Math.min(range, Math.max(least, farther));
  }
  return deviations;
}

function categorical(probabilities: readonly number[]): Factor {
  const logs = probabilities.map(Math.log);
  return { draw: (random) => drawIndex(probabilities, random), logAt: (index) => logs[index] };
}

/**
 * A normal distribution cut off at the ends of the scale. At a value with a step it is the density in
 * the middle of the step: the width is the same for all components.
 */
function normal(distribution: Numeric, mean: number, deviation: number): Factor {
  const [low, high] = scaleOf(distribution);
  const below = (x: number) => erf((x - mean) / deviation / Math.SQRT2) / 2;
  const logScale = Math.log(deviation * (below(high) - below(low)));
  return {
    draw(random) {
      // At least a third of the draws lie inside, since the mean does.
      for (;;) {
        const place = mean + deviation * random.randn();
        if (place >= low && place <= high) return fromScale(distribution, place);
      }
    },
    logAt(place) {
      const z = (place - mean) / deviation;
      return -0.5 * z * z - logScale;
    },
  };
}

function drawIndex(probabilities: readonly number[], random: RandomState): number {
  let left = random.rand();
  const index = probabilities.findIndex((probability) => {
    left -= probability;
    return left < 0;
  });
  return index < 0 ? probabilities.length - 1 : index;
}
