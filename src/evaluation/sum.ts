/** Two ways to add many numbers up. Metrics are written once and take either. */

export interface Sum {
  add(term: number): void;
  readonly value: number;
}

export interface Arithmetic {
  sum(): Sum;
  /** The mean of `values`, or of every `stride`th of them from `first` on; NaN for none. */
  mean(values: ArrayLike<number>, first?: number, stride?: number): number;
}

/** One addition per term: fast, but the rounding error grows with the number of terms. */
export const plain: Arithmetic = {
  sum: () => new PlainSum(),
  mean(values, first = 0, stride = 1) {
    const count = Math.ceil((values.length - first) / stride);
    let mean = count > 0 ? 0 : Number.NaN;
    for (let at = first; at < values.length; at += stride) mean += values[at] / count;
    return mean;
  },
};

/** Compensated sums, which keep their digits however many terms there are: for `mlp evaluate`. */
export const compensated: Arithmetic = {
  sum: () => new CompensatedSum(),
  mean(values, first = 0, stride = 1) {
    const sum = new CompensatedSum();
    for (let at = first; at < values.length; at += stride) sum.add(values[at]);
    return sum.value / Math.ceil((values.length - first) / stride);
  },
};

/** Σ weight of so many rows; each weighs 1 if they have no weights. */
export function totalWeight(rows: number, weights?: ArrayLike<number>): number {
  if (weights === undefined) return rows;
  const sum = compensated.sum();
  for (let row = 0; row < rows; row++) sum.add(weights[row]);
  return sum.value;
}

class PlainSum implements Sum {
  value = 0;

  add(term: number): void {
    this.value += term;
  }
}

/**
 * Neumaier's variant of Kahan's sum (Zeitschrift für angewandte Mathematik und Mechanik 54, 1974)
 */
class CompensatedSum implements Sum {
  #total = 0;
  #lost = 0;

  add(term: number): void {
    const total = this.#total + term;
    this.#lost +=
      Math.abs(this.#total) >= Math.abs(term) ? this.#total - total + term : term - total + this.#total;
    this.#total = total;
  }

  get value(): number {
    // An infinite total has lost NaN.
    return Number.isFinite(this.#total) ? this.#total + this.#lost : this.#total;
  }
}
