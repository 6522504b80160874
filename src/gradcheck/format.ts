/** Numbers and factors as a derivation on paper has them. */

/** Up to ten significant digits, without the noise of binary fractions: 0.1 + 0.2 is "0.3". */
export function formatNumber(x: number): string {
  return x === 0 ? '0' : String(Number(x.toPrecision(10)));
}

/** A relative error to two digits: "3.1e-12", and "0" for none. */
export function formatError(error: number): string {
  return error === 0 ? '0' : error.toExponential(1);
}

/** `text` so that it can stand in a product: names, plain numbers and calls as they are, the rest in parentheses. */
export function factor(text: string): string {
  let outside = text;
  for (let before = ''; before !== outside; ) {
    before = outside;
    outside = before.replace(/\([^()]*\)/g, '');
  }
  return /^[\p{L}\p{N}_.]*$/u.test(outside) ? text : `(${text})`;
}
