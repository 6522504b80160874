/** Sums that keep their digits however many terms there are. */

/**
 * Neumaier's variant of Kahan's compensated sum (Zeitschrift für angewandte Mathematik und Mechanik 54, 1974): the
 * error does not grow with the number of terms.
 */
export class Sum {
  private total = 0;
  private lost = 0;

  add(term: number): void {
    const total = this.total + term;
    this.lost +=
      Math.abs(this.total) >= Math.abs(term) ? this.total - total + term : term - total + this.total;
    this.total = total;
  }

  get value(): number {
    // What is lost to an infinite total is not a number.
    return Number.isFinite(this.total) ? this.total + this.lost : this.total;
  }
}

/** The mean of numbers; NaN for none. */
export function meanOf(values: Iterable<number>): number {
  const sum = new Sum();
  let count = 0;
  for (const value of values) {
    sum.add(value);
    count++;
  }
  return sum.value / count;
}
