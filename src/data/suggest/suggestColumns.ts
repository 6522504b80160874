/** Suggests the target, features, categories, filling of missing cells, and scaling. */
import { ExitCode, MlpError } from '../../errors.js';
import type { ByColumn } from '../../spec/dataConfig.js';
import type { DatePart, MissingPolicy, Preset } from '../../spec/words.js';
import { counted, listed, quote } from '../../text.js';
import { fewPerLevel, ROWS_PER_LEVEL } from '../levels.js';
import { mixtureText } from '../mixture.js';
import type { ColumnProfile } from '../profile/tableProfile.js';
import { type Context, listOf, type Reason } from './reasons.js';

interface FeatureChoice {
  readonly features: readonly ColumnProfile[];
  readonly exclude: readonly ColumnProfile[];
  /** Columns of codes and mixtures, which would else be read as numbers. */
  readonly categories: readonly ColumnProfile[];
  readonly reasons: readonly Reason[];
}

/** For a small network, a column with a larger share of missing cells tells too little. */
const MOST_MISSING = 0.5;
/** With fewer values, a column that is mostly empty may have none among the training rows. */
const LEAST_VALUES = 10;
/** Without the preset, which embeds them, codes with more values stay numbers. */
const MOST_CODES = 50;

/** Last words of names whose numbers are codes: their order and distance mean nothing. Others are told by the target (numberCodes.ts). */
const CODE_NAMES: ReadonlySet<string> = new Set(
  (
    'id nr code type kind category group brand product item device ' +
    'zip zipcode postcode zone district region city county state province country station month weekday ' +
    'sector department firm company store shop hospital household person subject patient customer client user'
  ).split(' '),
);

/**
 * Chooses the features. Excluded are identifiers, constants, columns with hardly any value, texts
 * with more than ten levels that occur less than five times on average, and repeated ids with more
 * than fifty values that are no categories. Numeric identifiers become features if nothing else is left.
 *
 * Whole numbers are categories if their name or the target says that they are codes, if they have 3 values or more (without
 * the preset at most 50) and five rows for each: the ids of households take R's yogurt from 45 to 14 % of errors,
 * catsup from 33 to 27 % and cracker from 23 to 17 %; those of travellers bring nothing to train. The `nr` of people takes males from
 * 18.9 to 12.4 %, counties crime from 0.498 to 0.465 of the deviation, firms
 * snmesp from 0.352 to 0.301, states cigar from 0.1245 to 0.1198; states bring nothing to benefits. The target tells the
 * communes of VietNamI, which go from 0.722 to 0.638, and the schools of star, from 0.646 to 0.633.
 *
 * @param candidates columns that may be features
 * @param pixels whether they are a picture, whose constant pixels stay
 * @param preset without one, more than half of a column's cells must be there
 * @throws MlpError ExitCode.data if no column is left
 */
export function chooseFeatures(
  context: Context,
  candidates: readonly ColumnProfile[],
  pixels: boolean,
  preset: Preset,
): FeatureChoice {
  const { profile, target } = context;
  const told = new Set(pixels ? [] : target.codes);
  const isCode = (column: ColumnProfile) =>
    mayBeCategory(column, profile.rows, preset) && (isNamedCode(column) || told.has(column.name));
  const excluded = excludedOf(
    profile.rows,
    preset,
    pixels ? candidates.filter(({ kind }) => kind !== 'constant') : candidates,
    isCode,
  );
  const features = candidates.filter((column) => !excluded.has(column));
  if (features.length === 0) {
    throw new MlpError(
      ExitCode.data,
      `${profile.path}: found no column to learn from, expected one beside the target that is neither an identifier nor a constant`,
      'mlp inspect shows what the columns hold',
    );
  }
  const codes = features.filter(isCode);
  const mixtures = features.filter(({ mixture, cells }) => mixture && cells === 'text');
  return {
    features,
    exclude: [...excluded.keys()],
    categories: [...codes, ...mixtures],
    reasons: [...excludeReasons(context, excluded), ...categoryReasons(context, codes, mixtures)],
  };
}

/** The excluded columns, each with the reason. */
function excludedOf(
  rows: number,
  preset: Preset,
  candidates: readonly ColumnProfile[],
  isCode: (column: ColumnProfile) => boolean,
): Map<ColumnProfile, string> {
  const excluded = new Map<ColumnProfile, string>();
  for (const column of candidates) {
    const why = whyExcluded(column, rows, preset, isCode(column));
    if (why !== undefined) excluded.set(column, why);
  }
  if (excluded.size === candidates.length) {
    for (const column of candidates) {
      if (column.kind === 'identifier' && column.cells === 'numeric') excluded.delete(column);
    }
  }
  return excluded;
}

function whyExcluded(
  column: ColumnProfile,
  rows: number,
  preset: Preset,
  isCode: boolean,
): string | undefined {
  const { name, kind, cells, distinct, missing, dates, mixture } = column;
  if (mixture && cells === 'text' && (kind === 'identifier' || fewPerLevel(distinct, rows - missing))) {
    return `mixes numbers and texts such as ${quote(mixture.example)}, which hardly repeat`;
  }
  if (kind === 'identifier') return 'identifies the row instead of describing it';
  const values = rows - missing;
  // That a cell is empty may tell something, even where all others are equal.
  if (kind === 'constant' && Math.min(values, missing) < LEAST_VALUES) return 'holds a single value';
  if (preset === 'plain' && missing > MOST_MISSING * rows) return 'is empty in more than half of the rows';
  if (values < LEAST_VALUES && values < missing) return 'is empty but for a few rows';
  if (dates?.order === 'ambiguous') {
    return 'holds dates that may have the day first, or the month: data.dates with "order": "dmy" or "mdy" would decide';
  }
  if (dates?.other !== undefined) return `holds dates, but also ${quote(dates.other)}`;
  if (dates) return undefined;
  if (cells === 'text' && fewPerLevel(distinct, values)) {
    return `holds texts that occur less than ${ROWS_PER_LEVEL} times on average`;
  }
  const isId = kind === 'integer' && lastWord(name) === 'id';
  if (isId && distinct > MOST_CODES && !isCode) {
    return `holds more than ${MOST_CODES} different ids, whose order means nothing`;
  }
  return undefined;
}

/** Whether numbers that are codes can be a category. Two are as good as one. */
function mayBeCategory({ kind, distinct, missing }: ColumnProfile, rows: number, preset: Preset): boolean {
  return (
    kind === 'integer' &&
    distinct > 2 &&
    (preset === 'tabular' || distinct <= MOST_CODES) &&
    rows - missing >= ROWS_PER_LEVEL * distinct
  );
}

function isNamedCode({ name }: ColumnProfile): boolean {
  return CODE_NAMES.has(lastWord(name));
}

/** `zone` of `Time-Zone`, `timeZone` and `time_zone`. */
function lastWord(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').match(/\p{L}+/gu);
  return words?.at(-1)?.toLowerCase() ?? '';
}

/** One reason, with the columns grouped by cause. */
function excludeReasons({ profile }: Context, excluded: ReadonlyMap<ColumnProfile, string>): Reason[] {
  const columnsOf = new Map<string, ColumnProfile[]>();
  for (const [column, why] of excluded) {
    const columns = columnsOf.get(why);
    if (columns) columns.push(column);
    else columnsOf.set(why, [column]);
  }
  const causes = [...columnsOf].map(([why, columns]) => {
    return `${listOf(profile, columns)}, since ${columns.length === 1 ? 'it' : 'each'} ${why}`;
  });
  return causes.length === 0 ? [] : [{ key: 'data.exclude', text: causes.join('; ') }];
}

/** What of each column of dates becomes an input, by name. */
export function chooseDates(
  { profile }: Context,
  features: readonly ColumnProfile[],
): { dates?: Record<string, DatePart[]>; reasons: Reason[] } {
  const found = features.flatMap(({ name, dates }) => (dates ? [{ name, ...dates }] : []));
  if (found.length === 0) return { reasons: [] };
  const texts = found.map(({ name, range, order }) => {
    const what = order === 'time' ? 'times' : 'dates';
    return `${profile.dialect.header ? quote(name) : `column ${name}`} holds ${what} from ${range?.min} to ${range?.max}`;
  });
  const dated = found.find(({ order }) => order !== 'time');
  const forecast = dated && { last: 0.2, by: profile.dialect.header ? dated.name : Number(dated.name) };
  const advice = forecast ? `; for a forecast, set data.validation to ${JSON.stringify(forecast)}` : '';
  return {
    dates: Object.fromEntries(found.map(({ name, parts }) => [name, [...parts]])),
    reasons: [{ key: 'data.dates', text: `${listed(texts)}${advice}` }],
  };
}

function categoryReasons(
  { profile }: Context,
  codes: readonly ColumnProfile[],
  mixtures: readonly ColumnProfile[],
): Reason[] {
  const named = codes.filter(isNamedCode);
  const told = codes.filter((column) => !isNamedCode(column));
  const texts = [
    ...(named.length === 0
      ? []
      : [`${listOf(profile, named)}, since ${nameSays(named)} codes, whose order means nothing`]),
    ...(told.length === 0
      ? []
      : [
          `${listOf(profile, told)}, since the target jumps from one of ${told.length === 1 ? 'its' : 'their'} numbers to the next, as with codes`,
        ]),
    ...mixtures.map((column) => `${listOf(profile, [column])}, since it holds ${mixtureOf(column)}`),
  ];
  return texts.length === 0 ? [] : [{ key: 'data.categories', text: texts.join('; ') }];
}

function nameSays({ length }: readonly ColumnProfile[]): string {
  return length === 1 ? 'its name says that its numbers are' : 'their names say that their numbers are';
}

function mixtureOf({ mixture }: ColumnProfile): string {
  return mixture ? mixtureText(mixture) : '';
}

/** The words that mean a missing value, of each column that has its own. */
export function chooseMissingValues(
  { profile }: Context,
  columns: readonly ColumnProfile[],
): { missingValues?: Record<string, string[]>; reasons: Reason[] } {
  const marked = columns.filter(({ mixture }) => mixture?.missingValues);
  if (marked.length === 0) return { reasons: [] };
  const texts = marked.map(
    (column) => `${listOf(profile, [column])} holds ${mixtureOf(column)}, which stand for missing values`,
  );
  return {
    missingValues: Object.fromEntries(
      marked.map(({ name, mixture }) => [name, [...(mixture?.missingValues ?? [])]]),
    ),
    reasons: [{ key: 'data.missingValues', text: texts.join('; ') }],
  };
}

interface MissingChoice {
  /** Absent if no cell is missing. */
  readonly missing?: ByColumn<MissingPolicy>;
  /** How many features get an indicator as a further input. */
  readonly indicators: number;
  readonly reasons: readonly Reason[];
}

/** From this share of missing cells on, being missing may tell something by itself. */
const TELLING = 0.05;
/** With more columns, one policy is written for all. */
const MOST_POLICIES = 12;

/**
 * Fills numbers with the median, which outliers don't move, and categories with the most frequent
 * level. If a twentieth of the cells or more is missing, an indicator marks them. Rows without a
 * target are dropped.
 */
export function chooseMissing(context: Context, features: readonly ColumnProfile[]): MissingChoice {
  const { profile, target } = context;
  const missing = features.filter((column) => column.missing > 0);
  const isTelling = ({ missing, mixture }: ColumnProfile) =>
    mixture !== undefined || missing >= TELLING * profile.rows;
  const telling = missing.filter(isTelling);
  const targetColumn = profile.columns[target.index];
  if (missing.length > MOST_POLICIES && targetColumn.missing === 0) {
    const policy = telling.length > 0 ? 'indicator' : 'median';
    const text = `${policy}, since ${missing.length} columns have missing cells`;
    const indicators = policy === 'indicator' ? missing.length : 0;
    return { missing: policy, indicators, reasons: [{ key: 'data.missing', text }] };
  }

  const filled = missing.filter((column) => !isTelling(column));
  const groups: readonly Group[] = [
    { policy: 'indicator', columns: telling, why: 'that a cell is missing may tell something too' },
    {
      policy: 'median',
      columns: filled.filter(isOrdered),
      why: 'few cells are missing, and outliers do not move it',
    },
    {
      policy: 'most-frequent',
      columns: filled.filter((column) => !isOrdered(column)),
      why: 'few cells are missing',
    },
    {
      policy: 'drop-row',
      columns: targetColumn.missing > 0 ? [targetColumn] : [],
      why: `${counted(targetColumn.missing, 'row')} without a target can teach nothing`,
    },
  ];
  const used = groups.filter(({ columns }) => columns.length > 0);
  if (used.length === 0) return { indicators: 0, reasons: [] };
  const texts = used.map(
    ({ policy, columns, why }) => `${policy} for ${listOf(profile, columns)}, since ${why}`,
  );
  return {
    missing: Object.fromEntries(
      used.flatMap(({ policy, columns }) => columns.map(({ name }) => [name, policy])),
    ),
    indicators: telling.length,
    reasons: [{ key: 'data.missing', text: texts.join('; ') }],
  };
}

/** Whether the cells have a middle. */
function isOrdered({ cells, kind }: ColumnProfile): boolean {
  return cells === 'numeric' || kind === 'date';
}

/** Columns with the same policy. */
interface Group {
  readonly policy: MissingPolicy;
  readonly columns: readonly ColumnProfile[];
  readonly why: string;
}

/** Fewer columns are not a picture. */
const LEAST_PIXELS = 16;
/** Bounds of the largest value in a picture of bytes: at least one pixel is bright. */
const BRIGHT = { least: 128, most: 255 };
/** A column that spans this share of the whole range counts as spanning it. */
const SPANS = 0.9;
/** The outputs of a network start at about this size. */
const USUAL_DEVIATION = { least: 0.5, most: 2 };
const USUAL_MEAN = 2;

/**
 * Whether all columns together look like pictures of bytes: at least 16 columns of whole numbers
 * from 0 to 255, none missing, half of which span nearly the whole range.
 */
export function arePixels(columns: readonly ColumnProfile[]): boolean {
  if (columns.length < LEAST_PIXELS) return false;
  let greatest = 0;
  for (const { kind, missing, range } of columns) {
    const isWhole = kind === 'integer' || (kind === 'constant' && Number.isInteger(range?.min));
    if (!isWhole || missing > 0 || range === undefined || range.min < 0) return false;
    greatest = Math.max(greatest, range.max);
  }
  const spanning = columns.filter(({ range }) => range && range.max - range.min >= SPANS * greatest);
  return greatest >= BRIGHT.least && greatest <= BRIGHT.most && 2 * spanning.length >= columns.length;
}

/**
 * Scales pictures to [0, 1], because division by the deviation would amplify pixels that are hardly
 * ever lit, and all other numbers to mean 0 and variance 1.
 *
 * @param numbers the features that are not categories
 */
export function chooseScaling(
  numbers: readonly ColumnProfile[],
  pixels: boolean,
): { standardize: true | 'minmax'; reasons: Reason[] } {
  const key = 'data.standardize';
  if (pixels) {
    const text =
      `minmax, since all ${counted(numbers.length, 'feature')} are whole numbers up to 255, as pixels are: ` +
      'divided by their deviations, pixels that are hardly ever lit would outweigh the others; constant ones stay, so that a row is a whole picture';
    return { standardize: 'minmax', reasons: [{ key, text }] };
  }
  const deviations = numbers.flatMap(({ deviation }) => (deviation === undefined ? [] : [deviation]));
  if (deviations.length === 0) return { standardize: true, reasons: [] };
  const least = deviations.reduce((a, b) => Math.min(a, b));
  const most = deviations.reduce((a, b) => Math.max(a, b));
  const range =
    deviations.length === 1 ? `is ${short(most)}` : `range from ${short(least)} to ${short(most)}`;
  const noun = deviations.length === 1 ? 'its deviation' : 'deviations';
  return {
    standardize: true,
    reasons: [
      { key, text: `true, since ${noun} ${range}, and a network learns best from mean 0 and deviation 1` },
    ],
  };
}

/** With more rows, such as those of diamonds, logarithms brought no clear gain. */
const LOGARITHM_ROWS = 10_000;

/**
 * The logarithm of a target that is as prices are, where rows are few, with the preset: of five such
 * tables of R's Ecdat and of ames, the error fell on three, to 0.93 to 0.96, and rose on two by 1 %.
 */
export function chooseTargetTransform(
  { target, rows }: Context,
  preset: 'tabular' | 'plain',
): { targetTransform?: 'log'; reasons: Reason[] } {
  if (preset === 'plain' || !target.likePrices || rows > LOGARITHM_ROWS) return { reasons: [] };
  const text =
    'log, since the target is above 0 and skewed, and its logarithm much less, as with prices: what acts on it multiplies it';
  return { targetTransform: 'log', reasons: [{ key: 'data.targetTransform', text }] };
}

/** Whether a regression's target is far from where a network starts. */
export function chooseTargetScaling({ profile, target }: Context): {
  standardizeTarget?: true;
  reasons: Reason[];
} {
  const { mean, deviation } = profile.columns[target.index];
  if (target.task !== 'regression' || mean === undefined || deviation === undefined) return { reasons: [] };
  const isUsual =
    deviation >= USUAL_DEVIATION.least && deviation <= USUAL_DEVIATION.most && Math.abs(mean) <= USUAL_MEAN;
  if (isUsual) return { reasons: [] };
  const text = `true, since the target has mean ${short(mean)} and deviation ${short(deviation)}, far from 0 and 1; the loss is then in deviations`;
  return { standardizeTarget: true, reasons: [{ key: 'data.standardizeTarget', text }] };
}

/** Three significant digits. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Usual names of targets, the surest first. */
const TARGET_NAMES = [
  'target',
  'label',
  'labels',
  'class',
  'y',
  'outcome',
  'response',
  'diagnosis',
  'species',
  'survived',
  'output',
  'result',
];

/** The first column with a usual name, else the last column. */
export function likelyTarget(names: readonly string[]): string {
  const plain = names.map((name) => name.trim().toLowerCase());
  const known = TARGET_NAMES.find((name) => plain.includes(name));
  return known === undefined ? names[names.length - 1] : names[plain.indexOf(known)];
}
