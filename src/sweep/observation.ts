/** The result of a trial, as samplers see it. */
import type { Point } from './space.js';

/** What is known of a trial. */
export interface Observation {
  readonly trial: number;
  readonly point: Point;
  /** "stopped" is by halving, "failed" includes a training that diverged, "pending" has no result yet. */
  readonly state: 'complete' | 'stopped' | 'failed' | 'pending';
  /** To be minimised; the last one of a stopped trial. */
  readonly value?: number;
  /** How many epochs a stopped trial was trained for. */
  readonly epoch?: number;
}
