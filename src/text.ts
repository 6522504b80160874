/** Words and numbers for people, the same in every locale. Imports nothing. */

/**
 * What a terminal obeys or hides: C0 and C1 controls, DEL, direction marks, separators, zero-width
 * and look-alike spaces, soft hyphens, byte order marks, half surrogates. Emoji need U+200C and
 * U+200D.
 */
const UNPRINTABLE =
  /[\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/**
 * Escapes unprintable characters as in JSON: `\u001b`, `\n`. Foreign text, such as a CSV's column
 * names, is never printed without this: its codes could repaint the window.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

function escaped(character: string): string {
  return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What `printableText` may leave as it is besides line feeds. */
export interface Kept {
  /** Codes of colours, as `Style` writes them. */
  readonly colours?: boolean;
  readonly tabs?: boolean;
}

/**
 * `printable`, but the line feeds stay. All output to a terminal goes through here, so what a message
 * forgot to escape is harmless too. JSON remains the same JSON.
 */
export function printableText(text: string, { colours = false, tabs = false }: Kept = {}): string {
  const others = colours ? BUT_COLOURS : tabs ? BUT_TABS : BUT_LINES;
  return text.replace(others, escaped);
}

// The text is not split: that of 100,000 columns would take ten times its size.
const BUT_LINES = unprintableBut('\\n');
const BUT_TABS = unprintableBut('[\\n\\t]');
const BUT_COLOURS = unprintableBut('\\n|\\x1b\\[[\\d;]*m');

function unprintableBut(kept: string): RegExp {
  return new RegExp(`(?!${kept})(?:${UNPRINTABLE.source})`, UNPRINTABLE.flags);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** At most 40 characters of `text`; an ellipsis marks a cut. */
export function shorten(text: string): string {
  if (text.length <= LONGEST) return text;
  const end = /[\ud800-\udbff]/.test(text[LONGEST - 2]) ? LONGEST - 2 : LONGEST - 1;
  return `${text.slice(0, end)}…`;
}

const LONGEST = 40;

/** `text` in double quotes, cut to 40 characters, printable. */
export function quote(text: string): string {
  return printable(JSON.stringify(shorten(text)));
}

/** A JSON value as it would be written, cut to 40 characters, printable. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'object' && value !== null) return printable(shorten(JSON.stringify(value)));
  return String(value);
}

/** As `showValue`; `nothing` for a value that is not there. */
export function showIfAny(value: unknown): string {
  return value === undefined ? 'nothing' : showValue(value);
}

/** The first `most` of the items, and the number of the others: `a, b, c and 7 more`. */
export function listed(items: readonly string[], most = 5): string {
  const more = items.length - most;
  return items.slice(0, most).join(', ') + (more > 0 ? ` and ${formatCount(more)} more` : '');
}

/** `1 row`, `1,797 rows`. */
export function counted(count: number | bigint, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${Number(count) === 1 ? noun : plural}`;
}

/** 557057 → `557,057`, exact for bigints; a number that is no integer is written as it is. */
export function formatCount(count: number | bigint): string {
  const digits = typeof count === 'number' && Number.isInteger(count) ? BigInt(count).toString() : `${count}`;
  return /^-?\d+$/.test(digits) ? digits.replace(/\B(?=(\d{3})+$)/g, ',') : digits;
}

/** 2228228 → `2.23 MB`: decimal units, three significant digits. */
export function formatBytes(bytes: number | bigint): string {
  if (bytes < 1000) return `${bytes} B`;
  return withUnit(Number(bytes) / 1000, [' kB', ' MB', ' GB', ' TB', ' PB', ' EB', ' ZB', ' YB']);
}

/** 41234 → `41.2k samples/s`. */
export function formatRate(samplesPerSecond: number): string {
  return `${withUnit(samplesPerSecond, ['', 'k', 'M', 'G', 'T'])} samples/s`;
}

/** Three significant digits, in the first unit (each a thousand of the last) that needs no more. */
function withUnit(value: number, units: readonly string[]): string {
  let scaled = value;
  let unit = 0;
  // 999.5 and more would be rounded to four digits.
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled >= 1 && scaled < 999.5 ? scaled.toPrecision(3) : formatMetric(scaled, 3)}${units[unit]}`;
}

/** 0.21 → `0.21 s`, 125 → `2 min 5 s`, 3900 → `1 h 5 min`, 180000 → `2 d 2 h`, else `unknown`. */
export function formatDuration(seconds: number): string {
  if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) return 'unknown';
  if (seconds === 0) return '0 s';
  if (seconds < 0.0995) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 9.95) return `${Number(seconds.toPrecision(2))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(seconds / 3600);
  return `${formatCount(Math.floor(hours / 24))} d ${hours % 24} h`;
}

/** With `digits` significant digits: 0.0812345 → `0.08123`, 1.23456e-5 → `1.235e-5`. */
export function formatMetric(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const size = Math.abs(value);
  if (size === 0) return (0).toPrecision(digits);
  if (size < 0.001 || size >= 999_999.5) return value.toExponential(digits - 1).replace('e+', 'e');
  if (size >= 10 ** digits - 0.5) return value.toFixed(0);
  return value.toPrecision(digits);
}

/** `formatMetric` with up to four digits, as many as fit, padded on the left to `width`. */
export function formatMetricIn(width: number, value: number): string {
  let text = '';
  for (let digits = 4; digits >= 1; digits--) {
    text = formatMetric(value, digits);
    if (text.length <= width) break;
  }
  return text.padStart(width);
}

/** Up to ten significant digits, without the noise of binary fractions: 0.1 + 0.2 → `0.3`. */
export function formatNumber(x: number): string {
  return x === 0 ? '0' : String(Number(x.toPrecision(10)));
}

/** A share of one as a percentage: 0.9737 → `97.4%`. NaN, the share of nothing, is `-`. */
export function formatPercent(share: number, decimals = 1): string {
  return Number.isNaN(share) ? '-' : `${(share * 100).toFixed(decimals)}%`;
}

/** What people call metrics, where it is not the name in the code. */
const METRIC_NAMES: Readonly<Record<string, string>> = {
  logLoss: 'log loss',
  rocAuc: 'ROC AUC',
  macroF1: 'macro F1',
  balancedAccuracy: 'balanced accuracy',
  matthews: 'Matthews',
  brier: 'Brier',
  prAuc: 'PR AUC',
  calibrationError: 'calibration error',
  medianAbsoluteError: 'median absolute error',
  mape: 'MAPE',
  balanced_accuracy: 'balanced accuracy',
  roc_auc: 'ROC AUC',
  f1: 'F1',
  hammingLoss: 'Hamming loss',
  r2: 'R²',
  rmse: 'RMSE',
  mae: 'MAE',
  poissonDeviance: 'Poisson deviance',
};

export function metricName(name: string): string {
  return METRIC_NAMES[name] ?? name;
}
