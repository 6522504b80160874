/**
 * Which settings a trial gets: a pure function of the sweep, the trial's number and what is known of
 * earlier trials. So a study is the same however many trials run at once, whichever end first.
 */
import { createHash } from 'node:crypto';
import { RandomState } from '../random/randomState.js';
import type { Method } from '../spec/sweepConfig.js';
import { drawUniform } from './distribution.js';
import type { Observation } from './observation.js';
import type { Point, Space } from './space.js';
import { suggestByTpe } from './tpe.js';

export interface Sampling {
  readonly space: Space;
  readonly method: Method;
  readonly seed: number;
}

/** How many trials of "tpe" are at random: there is too little to learn from. */
const STARTUP = 10;

/** How many trials a sweep has if it does not say. */
const TRIALS = 50;

/** How many trials a sweep has, at most: a finite space may hold fewer different settings. */
export function trialCount(
  { trials, method }: { readonly trials?: number; readonly method: Method },
  space: Space,
): number {
  const most = method === 'grid' ? space.gridSize : space.size;
  return Math.min(trials ?? (method === 'grid' ? most : TRIALS), most);
}

/**
 * The point of a trial, whose settings no point of the history has.
 * @param history of the trials before it; those whose results it may not know are pending
 * @returns undefined if the history has all settings of a finite space
 */
export function suggest(
  { space, method, seed }: Sampling,
  trial: number,
  history: readonly Observation[],
): Point | undefined {
  const taken = new Set(history.map(({ point }) => space.keyOf(point)));
  const isFree = (point: Point) => !taken.has(space.keyOf(point));
  if (method === 'grid') return firstFree(space.points(true), isFree);
  const random = randomFor(seed, trial);
  const isLearning = method === 'tpe' && trial >= STARTUP;
  const learnt = isLearning ? suggestByTpe(space, history, random, isFree) : undefined;
  if (learnt !== undefined) return learnt;
  return drawFree(space, random, isFree);
}

/** A generator of its own for each trial of a sweep. */
function randomFor(seed: number, trial: number): RandomState {
  const hash = createHash('sha256').update(`${seed} ${trial}`).digest();
  return new RandomState(hash.readUInt32LE());
}

/** Enough to find free points that one draw in a thousand hits. */
const ATTEMPTS = 10_000;

function drawFree(space: Space, random: RandomState, isFree: (point: Point) => boolean): Point | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const point = space.point(({ distribution }) => drawUniform(distribution, random));
    if (isFree(point)) return point;
  }
  // Even a range of real numbers may have few: those between two neighbouring doubles.
  if (!Number.isFinite(space.size)) return undefined;
  const free = [...space.points(false)].filter(isFree);
  return free.length === 0 ? undefined : free[random.randint(0, free.length)];
}

function firstFree(points: Iterable<Point>, isFree: (point: Point) => boolean): Point | undefined {
  for (const point of points) if (isFree(point)) return point;
  return undefined;
}
