/** What the Python scripts have in common: rows of a CSV, and the inputs of the network that they become. */
import { BOOLEAN_WORDS } from '../../data/booleans.js';
import { COMPACT, type DateOrder, MONTH_YEAR, PATTERNS, YEAR_MONTH } from '../../data/dates.js';
import type { NumberNotation } from '../../spec/cellConfig.js';
import { valueFor } from '../../spec/words.js';
import type { CsvRules, ExportRequest } from '../format.js';
import type { Encoding, InputColumn, Program } from '../program.js';
import { keywords, lines, python } from './literals.js';

/** The functions that read rows, and for each part one that encodes them: `encode`, or `encode_1`, …. */
export function* encodingText({ program, csv }: ExportRequest): Generator<string> {
  const { columns, parts } = program;
  const kinds = new Set(parts.flatMap(({ encodings }) => encodings.map(({ kind }) => kind)));
  yield READING;
  yield readRows(csv);
  yield '\n\n# The inputs of the network: [rows, n] for each column, in double precision.\n\n\n';
  const missing = missingLists(columns);
  for (const [list, name] of missing) yield `${name} = ${list}\n`;
  yield '\n\n';
  yield COMMON;
  if (kinds.has('number')) yield NUMBER;
  const orders = new Set(columns.flatMap(({ order }) => order ?? []));
  if (kinds.has('category')) yield CATEGORY;
  if (kinds.has('boolean')) yield booleanText();
  if (kinds.has('date')) yield dateText(orders);
  if (kinds.has('constant')) yield CONSTANT;
  const notations = notationsOf(program, csv);
  if (notations.size > 0) yield NOTATION;
  for (const [i, { encodings, inputs, dtype }] of parts.entries()) {
    yield `def encode${suffixOf(program, i)}(rows):\n`;
    yield `    """The inputs [rows, ${inputs}] of the network, from rows of text by column."""\n`;
    const calls = encodings.map((encoding) => callOf(encoding, columns[encoding.column], missing, notations));
    yield `    ${lines('return np.concatenate([', calls, '    ], axis=1)', '        ')}.astype(np.${dtype})\n\n\n`;
  }
}

/** What the names of the functions of a part end in. */
export function suffixOf({ parts }: Program, i: number): string {
  return parts.length === 1 ? '' : `_${i + 1}`;
}

const READING = `
# Rows of a CSV


`;

function readRows({ header, reading = {}, comment, encoding }: CsvRules): string {
  const { quote, escape: escaped, skipLines, skipRows, delimiter } = reading;
  const isBlank = delimiter === 'whitespace';
  const text = `def read_rows(path):
    """Each row of a CSV as a dictionary of cells by column."""
    with open(path, newline="", encoding=${python(encoding ?? 'utf-8-sig')}) as file:
        ${skipLines ? `text = file.read().splitlines(keepends=True)[${skipLines}:]` : 'text = file.read().splitlines(keepends=True)'}
${comment === undefined ? '' : `    text = [line for line in text if not line.startswith(${python(comment)})]\n`}${
  isBlank
    ? '    records = [line.split() for line in text if line.strip()]'
    : `    delimiter = max(",;\\t|", key=text[0].count)
    records = [record for record in csv.reader(text, delimiter=delimiter${keywords({
      quotechar: quote === '' ? undefined : quote,
      escapechar: escaped,
      quoting: quote === '' ? 3 : undefined,
    })}) if record]`
}
${
  header
    ? `    names = [name.strip() for name in records.pop(0)]${skipRows ? `\n    records = records[${skipRows}:]` : ''}`
    : '    names = [str(i) for i in range(len(records[0]))]'
}
    return [dict(zip(names, (cell.strip() for cell in record))) for record in records]
`;
  return text;
}

/** The lists of texts that stand for a missing cell, as Python, with their names. The first is that of most columns. */
function missingLists(columns: readonly InputColumn[]): Map<string, string> {
  const lists = new Set(columns.map(({ missing }) => python([...missing])));
  return new Map([...lists].map((list, i) => [list, i === 0 ? 'MISSING' : `MISSING_${i + 1}`]));
}

const COMMON = `def cells(rows, name, missing, required=False):
    """The cells of a column, None for those that are missing."""
    found = [None if row[name] in missing else row[name] for row in rows]
    if required and None in found:
        raise ValueError(f"column {name}: found a missing value in row {found.index(None)}, expected one")
    return found


def marked(x, cells, marks):
    """The inputs x, with one more column that marks missing cells."""
    if marks is None:
        return x
    present, missing = marks
    return np.column_stack([x, [missing if cell is None else present for cell in cells]])


def scaled(x, shift, scale, clip):
    """(x - shift) / scale, and the smooth clip z / sqrt(1 + (z / clip)^2)."""
    z = (x - shift) / scale
    if clip is None:
        return z
    z = np.clip(z, -clip * 2.0**30, clip * 2.0**30)
    return z / np.sqrt(1 + (z / clip) ** 2)


`;

const NUMBER = `def number(cells, shift=0.0, scale=1.0, clip=None, fill=float("nan"), levels=None, marks=None,
           missing=(), zero=False, plain=float):
    """A column of numbers; with levels also the place from 1 of the number among them."""
    x = np.array([float("nan") if cell is None else plain(cell) for cell in cells])
    x[np.isin(x, missing)] = float("nan")
    cells = [None if np.isnan(value) else value for value in x]
    z = scaled(np.where(np.isnan(x), fill, x), shift, float("inf") if zero else scale, clip)[:, None]
    if levels is not None:
        places = {level: i + 1 for i, level in enumerate(levels)}
        z = np.column_stack([z, [places.get(value, 0) for value in x]])
    return marked(z, cells, marks)


`;

const CATEGORY = `def category(rows, name, missing, levels, on=None, off=None, values=None, none=0.0, fill=None, marks=None,
             required=False, by_value=False):
    """A column for each level, or one with the values of the levels; a cell of no level has none."""
    places = {float(level) if by_value else level: i for i, level in enumerate(levels)}
    found = []
    missed = []
    for row in rows:
        cell = row[name]
        is_missing = cell in missing and cell not in levels
        if is_missing and required:
            raise ValueError(f"column {name}: found a missing value, expected one")
        place = fill if is_missing else places.get(as_number(cell) if by_value else cell)
        missed.append(None if is_missing else cell)
        found.append(-1 if place is None else place)
    found = np.array(found)
    if values is not None:
        x = np.append(values, none)[found][:, None]
    else:
        on = np.ones(len(levels)) if on is None else np.array(on)
        off = np.zeros(len(levels)) if off is None else np.array(off)
        x = np.where(found[:, None] == np.arange(len(levels)), on, off)
    return marked(x, missed, marks)


def as_number(text):
    try:
        return float(text)
    except ValueError:
        return None


`;

const CONSTANT = `def constant(cells, marks):
    """Only which cells are missing."""
    return marked(np.empty((len(cells), 0)), cells, marks)


`;

function booleanText(): string {
  const words = (isYes: boolean) =>
    python([...BOOLEAN_WORDS].flatMap(([word, says]) => (says === isYes ? [word] : [])));
  return `def boolean(cells, no, yes, other, missing, marks=None):
    """Words for yes and no."""
    values = {**dict.fromkeys(${words(true)}, yes), **dict.fromkeys(${words(false)}, no)}
    x = [missing if cell is None else values.get(cell.lower(), other) for cell in cells]
    return marked(np.array(x)[:, None], cells, marks)


`;
}

/** As src/data/dates.ts. */
function dateText(orders: ReadonlySet<DateOrder>): string {
  const source = (pattern: RegExp) =>
    `r"""${pattern.source.replaceAll('\\d', '[0-9]').replaceAll('\\/', '/')}"""`;
  const patterns = [...orders].map((order) => `${python(order)}: ${source(PATTERNS[order])}`);
  return `${lines('DATES = {', patterns, '}')}
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def date(text, order):
    """Year, month, day, weekday (0 for Sunday), hour as written, and days since 1970 in UTC."""
    if order == "ymd":
        compact = re.match(${source(COMPACT)}, text)
        if compact:
            y, m, d, hour, minute, second, zone = compact.groups()
            text = f"{y}-{m}-{d}" + ("" if hour is None else f"T{hour}:{minute}:{second or '00'}{zone or ''}")
    found = re.match(DATES[order], text, re.IGNORECASE)
    fields = None
    if found and order == "time":
        local, utc = hours(found.groups())
        return {"year": 1970, "month": 1, "day": 1, "weekday": 4, "hour": local, "elapsed": utc / 24}
    if found:
        first, _, second, third, *time = found.groups()
        fields = {"ymd": (first, second, third), "dmy": (third, second, first), "mdy": (third, first, second)}[order]
    elif order in ("ymd", "dmy"):
        time = [None]
        month = re.match(${source(YEAR_MONTH)} if order == "ymd" else ${source(MONTH_YEAR)}, text, re.IGNORECASE)
        fields = month and (month.groups() if order == "ymd" else month.groups()[::-1]) + ("1",)
    if not fields:
        raise ValueError(f"found {text!r}, expected a date ({order})")
    year, month, day = fields
    named = month[:3].lower() in MONTHS
    year = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
    month = MONTHS.index(month[:3].lower()) + 1 if named else int(month)
    midnight = datetime.date(year, month, int(day))
    local, utc = (0, 0) if time[0] is None else hours(time)
    days = (midnight - datetime.date(1970, 1, 1)).days
    weekday = midnight.isoweekday() % 7
    return {"year": year, "month": month, "day": int(day), "weekday": weekday, "hour": local, "elapsed": days + utc / 24}


def hours(fields):
    """Hours since midnight, as written and in UTC."""
    hour, minute, second, fraction, half, zone = fields
    hour = int(hour)
    if half:
        hour = hour % 12 + (12 if half.lower().startswith("p") else 0)
    local = hour + int(minute) / 60 + float(f"{second or 0}.{fraction or 0}") / 3600
    offset = re.match(r"([+-])([0-9]{2}):?([0-9]{2})?$", zone or "")
    shift = (int(offset[2]) + int(offset[3] or 0) / 60) * (-1 if offset[1] == "-" else 1) if offset else 0
    return local, local - shift


def dates(cells, order, inputs, marks=None):
    """Inputs are (part, period or None, wave or None, shift, scale, clip, fill)."""
    moments = [None if cell is None else date(cell, order) for cell in cells]
    columns = []
    for part, period, wave, shift, scale, clip, fill in inputs:
        x = np.array([float("nan") if moment is None else moment[part] for moment in moments], float)
        if wave is not None:
            x = (np.sin if wave == "sine" else np.cos)(2 * np.pi * x / period)
        columns.append(scaled(np.where(np.isnan(x), fill, x), shift, scale, clip))
    return marked(np.column_stack(columns) if columns else np.empty((len(cells), 0)), cells, marks)


`;
}

/** As src/data/csv/notation.ts. */
const NOTATION = `def written(strip=(), decimal=".", thousands="", parentheses=False, exponent=""):
    """A function that reads numbers in another notation: 1.234,5 or $12 or (5)."""
    def plain(text):
        negative = parentheses and text.startswith("(") and text.endswith(")")
        text = text.strip("()").strip() if negative else text
        for unit in strip:
            sign = text[:1] if text[:1] in "+-" else ""
            text = sign + text[len(sign):].strip().removeprefix(unit).removesuffix(unit).strip()
        if thousands:
            text = "".join(text.split()) if thousands.isspace() else text.replace(thousands, "")
        if exponent:
            text = text.upper().replace(exponent, "E")
        value = float(text.replace(decimal, "."))
        return -value if negative else value
    return plain


`;

function notationsOf({ columns }: Program, { numbers = {} }: CsvRules): Map<string, NumberNotation> {
  return new Map(
    columns.flatMap(({ name, kind }): [string, NumberNotation][] => {
      const own = kind === 'number' ? valueFor(numbers, name) : undefined;
      return own ? [[name, own]] : [];
    }),
  );
}

function callOf(
  encoding: Encoding,
  column: InputColumn,
  missingNames: ReadonlyMap<string, string>,
  notations: ReadonlyMap<string, NumberNotation>,
): string {
  const { name, required, missing, missingNumbers, order } = column;
  const list = missingNames.get(python([...missing]));
  const needed = keywords({ required });
  const found = `cells(rows, ${python(name)}, ${list}${needed})`;
  const marks = encoding.marks && [...encoding.marks];
  switch (encoding.kind) {
    case 'constant':
      return `constant(${found}, ${python(marks)})`;
    case 'number': {
      const { shift, scale, clip, fill, levels, zero } = encoding;
      const missing = missingNumbers.length > 0 ? [...missingNumbers] : undefined;
      const own = keywords({ shift, scale, clip, fill, levels: levels && [...levels], marks, missing, zero });
      const notation = notations.get(name);
      return `number(${found}${own}${notation ? `, plain=written(${notationText(notation)})` : ''})`;
    }
    case 'category': {
      const { levels, inputs, fill, byValue } = encoding;
      const own =
        inputs.kind === 'single'
          ? { values: [...inputs.values], none: inputs.none }
          : {
              on: inputs.on.every((value) => value === 1) ? undefined : [...inputs.on],
              off: inputs.off.every((value) => value === 0) ? undefined : [...inputs.off],
            };
      const rest = keywords({ ...own, fill, marks, required, by_value: byValue });
      return `category(rows, ${python(name)}, ${list}, ${python([...levels])}${rest})`;
    }
    case 'boolean': {
      const { no, yes, other, missing } = encoding;
      return `boolean(${found}${keywords({ no, yes, other, missing, marks })})`;
    }
    case 'date': {
      const inputs = encoding.inputs.map(
        ({ part, period, wave, shift, scale, clip, fill }) =>
          `(${[part, wave && period, wave, shift, scale, clip, fill ?? Number.NaN].map(python).join(', ')})`,
      );
      return `dates(${found}, ${python(order)}, [${inputs.join(', ')}]${keywords({ marks })})`;
    }
  }
}

function notationText({ strip, decimal, thousands, parentheses, exponent }: NumberNotation): string {
  const units = strip === undefined ? undefined : [strip].flat().map((text) => text.trim());
  return keywords({ strip: units, decimal, thousands, parentheses, exponent }).slice(2);
}
