/**
 * The losses of a number by name: ℓ(o, t) of an output o and its target t, and dℓ/do.
 * wasm/assembly/elementLosses.ts has the same formulas on vectors. Imports nothing.
 */

export interface ElementLoss {
  /** @param p the parameter of the output; 0 for a loss without one */
  value(o: number, t: number, p: number): number;
  derivative(o: number, t: number, p: number): number;
  /** Its sign tells on which side of a kink o is; undefined for a smooth loss. */
  side?(o: number, t: number, p: number): number;
}

// The conditions let NaN through.
export const ELEMENT_LOSSES = {
  /** |o − t|; the derivative at the kink is 0, as in PyTorch. */
  absoluteError: {
    value: (o, t) => Math.abs(o - t),
    derivative: (o, t) => Math.sign(o - t),
    side: (o, t) => o - t,
  },
  /** d = |o − t|: ½·d² up to p, p·(d − ½·p) beyond (Huber 1964). The second derivative jumps at p. */
  huberError: {
    value: (o, t, p) => {
      const d = Math.abs(o - t);
      return d < p ? 0.5 * d * d : p * (d - 0.5 * p);
    },
    derivative: (o, t, p) => Math.min(p, Math.max(-p, o - t)),
    side: (o, t, p) => Math.abs(o - t) - p,
  },
  /** max(p·(t − o), (p − 1)·(t − o)) for the quantile p (Koenker and Bassett 1978); at the kink 0. */
  pinballError: {
    value: (o, t, p) => Math.max(p * (t - o), (p - 1) * (t - o)),
    derivative: (o, t, p) => (o < t ? -p : o > t ? 1 - p : o - t),
    side: (o, t) => o - t,
  },
  /** e^o − t·o: −log-likelihood of the count t at the rate e^o, without log t! */
  poissonError: {
    value: (o, t) => Math.exp(o) - t * o,
    derivative: (o, t) => Math.exp(o) - t,
  },
} as const satisfies Record<string, ElementLoss>;

export type ElementLossType = keyof typeof ELEMENT_LOSSES;
