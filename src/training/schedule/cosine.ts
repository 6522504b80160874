import type { PlainScheduleConfig } from '../../spec/scheduleConfig.js';
import { formula, type Schedule } from './types.js';

/**
 * From η to η_min along half a cosine: η_min + (η − η_min)·(1 + cos(π·t / T)) / 2 at step t of T. η_min would be step T's, the
 * one after the last.
 *
 * Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5, without the restarts;
 * PyTorch's CosineAnnealingLR with T_max = T, stepped after each minibatch.
 */
export function cosine(
  { type, minimum }: Extract<PlainScheduleConfig, { type: 'cosine' }>,
  initial: number,
  steps: number,
): Schedule {
  return formula(type, (t) => anneal(initial, minimum, t / steps));
}

/** From `start` to `end` along half a cosine, as `share` goes from 0 to 1. */
export function anneal(start: number, end: number, share: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * share))) / 2;
}
