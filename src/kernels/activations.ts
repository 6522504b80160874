/**
 * The activations by name: y = f(x) and its derivative dy/dx. wasm/assembly/activations.ts has the
 * same formulas on vectors, numbered as here. Imports nothing, so that the spec can import it.
 */

export interface ActivationFormula {
  /** The key of its parameter p in the spec, if it has one. */
  readonly parameter?: string;
  /** Whether the derivative needs x itself. For the others y is enough, so y may overwrite x. */
  readonly needsInput: boolean;
  /** Whether the first or second derivative jumps at 0. */
  readonly kinked: boolean;
  value(x: number, p: number): number;
  /** From x or y, whichever is shorter or more accurate; x is gone unless `needsInput`. */
  derivative(x: number, y: number, p: number): number;
}

// The derivatives at a kink are those from the left, as in PyTorch. The conditions let NaN through.
// leaky-relu and elu keep the sign of x because the spec demands a positive parameter.
export const ACTIVATIONS = {
  identity: {
    needsInput: false,
    kinked: false,
    value: (x) => x,
    derivative: () => 1,
  },
  relu: {
    needsInput: false,
    kinked: true,
    value: (x) => Math.max(x, 0),
    derivative: (_x, y) => (y <= 0 ? 0 : 1),
  },
  'leaky-relu': {
    parameter: 'slope',
    needsInput: false,
    kinked: true,
    value: (x, slope) => (x < 0 ? slope * x : x),
    derivative: (_x, y, slope) => (y <= 0 ? slope : 1),
  },
  tanh: {
    needsInput: false,
    kinked: false,
    value: (x) => Math.tanh(x),
    derivative: (_x, y) => 1 - y * y,
  },
  sigmoid: {
    needsInput: false,
    kinked: false,
    value: sigmoid,
    derivative: (_x, y) => y * (1 - y),
  },
  /** x·Φ(x), the exact form (Hendrycks and Gimpel 2016), not the tanh approximation */
  gelu: {
    needsInput: true,
    kinked: false,
    value: (x) => x * normalCdf(x),
    derivative: (x) => normalCdf(x) + x * normalDensity(x),
  },
  /** x·σ(x), also called swish */
  silu: {
    needsInput: true,
    kinked: false,
    value: (x) => x * sigmoid(x),
    derivative: (x) => {
      const s = sigmoid(x);
      return s * (1 + x * (1 - s));
    },
  },
  /** x for x > 0, else alpha·(e^x − 1) */
  elu: {
    parameter: 'alpha',
    needsInput: false,
    kinked: true,
    value: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
    derivative: (_x, y, alpha) => (y <= 0 ? y + alpha : 1),
  },
  softplus: {
    needsInput: true,
    kinked: false,
    value: softplus,
    derivative: (x) => sigmoid(x),
  },
  /** λ·x for x > 0, else λ·α·(e^x − 1) (Klambauer et al. 2017, eq. 2) */
  selu: {
    needsInput: false,
    kinked: true,
    value: (x) => (x < 0 ? SELU_LIMIT * Math.expm1(x) : SELU_SCALE * x),
    derivative: (_x, y) => (y <= 0 ? y + SELU_LIMIT : SELU_SCALE),
  },
  /** x·tanh(log(1 + e^x)) (Misra 2019) */
  mish: {
    needsInput: true,
    kinked: false,
    value: (x) => x * mishGate(x),
    derivative: (x) => {
      const gate = mishGate(x);
      return gate + x * (1 - gate * gate) * sigmoid(x);
    },
  },
} as const satisfies Record<string, ActivationFormula>;

export type ActivationType = keyof typeof ACTIVATIONS;

export const ACTIVATION_TYPES = Object.keys(ACTIVATIONS) as ActivationType[];

/** An activation without a parameter. */
export type PlainActivation = {
  [Type in ActivationType]: (typeof ACTIVATIONS)[Type] extends { parameter: string } ? never : Type;
}[ActivationType];

/** 1 / (1 + e^−x), with an exponential that never overflows */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** log(1 + e^x) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** λ of selu, with which layers of standard normal weights keep mean 0 and variance 1. */
export const SELU_SCALE = 1.0507009873554805;
/** λ·α of selu, α = 1.6732632423543772 */
export const SELU_LIMIT = 1.7580993408473768;

/** tanh(log(1 + e^x)) */
function mishGate(x: number): number {
  // With z = e^x: ((1 + z)² − 1)/((1 + z)² + 1), expanded, and above 0 divided by z² for e^−x.
  const z = Math.exp(-Math.abs(x));
  return x < 0 ? (z * (z + 2)) / (z * (z + 2) + 2) : (1 + 2 * z) / (1 + 2 * z + 2 * z * z);
}

/** Φ(x), the standard normal distribution function */
export function normalCdf(x: number): number {
  return erfc(-x / Math.SQRT2) / 2;
}

/** φ(x) = Φ′(x) */
export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

// The error function to a few ulp; Abramowitz and Stegun: 7.1.6 (positive terms only), 7.1.14.

/** Below this the series converges fast; above it erfc is small and needs a form of its own. */
const SERIES_BOUND = 2;
/** Terms that reach double precision at SERIES_BOUND, where convergence is slowest. */
const FRACTION_TERMS = 100;

/** erf(x) = 2/√π · ∫₀ˣ e^−t² dt */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < SERIES_BOUND) return erfSeries(x);
  // erfc(6) is 2e-17: 1 less that is 1.
  if (size >= 6) return Math.sign(x);
  return Math.sign(x) * (1 - erfcFraction(size));
}

/** erfc(x) = 1 − erf(x), without cancellation for large x */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x >= SERIES_BOUND) return erfcFraction(x);
  if (x <= -SERIES_BOUND) return 2 - erfcFraction(-x);
  // From ½ on, 1 − erf(x) would cancel; there the fraction is still accurate when given more terms.
  return x > 0.5 ? erfcFraction(x, Math.ceil(FRACTION_TERMS * (SERIES_BOUND / x) ** 2)) : 1 - erfSeries(x);
}

/** erf(x) = 2/√π · e^−x² · Σ_n 2ⁿ x^(2n+1) / (1·3·5···(2n+1)) */
function erfSeries(x: number): number {
  const twoSquares = 2 * x * x;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 2 ** -54; odd += 2) {
    term *= twoSquares / odd;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** √π · e^x² · erfc(x) = 1/(x + ½/(x + 1/(x + (3/2)/(x + …)))) for x > 0, evaluated from its end */
function erfcFraction(x: number, terms = FRACTION_TERMS): number {
  let denominator = x;
  for (let n = terms; n > 0; n--) denominator = x + n / 2 / denominator;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * denominator);
}
